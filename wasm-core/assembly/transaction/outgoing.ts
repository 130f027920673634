/** What an INVITE context sends to its branches: INVITE, CANCEL, and the hop-by-hop ACK. */
import { METHOD_ACK, METHOD_CANCEL, METHOD_INVITE, VARIANT_PLAIN } from '../abi';
import { K_A } from '../call/call';
import { sendBegin, sendRequestEnd } from '../effects';
import { BRANCH_TRANSACTION } from '../identity';
import { recGen, recSlot } from '../mem/table';
import { writeBody, writeDialogLines, writeRecordRoute, writeVia } from '../proxy/forward';
import { writePath } from '../proxy/stateless';
import { cseqNumber } from '../sip/message';
import { variantOf } from '../target';
import { bytes, decimal, text } from '../text';
import { callOf } from './invite';
import {
  FK_BINDING,
  FK_INDEX,
  FK_PATH,
  FK_TARGET,
  FK_URI,
  TX_BINDING,
  TX_BODY,
  TX_BODY_LEN,
  TX_FROM_TAG,
  TX_HEADERS,
  TX_HEADERS_LEN,
  TX_LOOP,
  TX_PLAIN,
  TX_SOURCE,
  TX_WEBRTC,
} from './tables';

/** Media leg of a branch. */
export function legOf(fork: usize): u32 {
  return (load<u8>(fork + FK_INDEX) as u32) + 1;
}

/** Opens a request to a branch: request line, our Via, and what comes first in all of them. */
function begin(tx: usize, fork: usize, method: string): usize {
  const frame = sendBegin(fork + FK_TARGET);
  text(method);
  text(' ');
  bytes(load<u32>(fork + FK_URI), load<u32>(fork + FK_URI, 4));
  text(' SIP/2.0\r\n');
  const index = load<u8>(fork + FK_INDEX) as u32;
  const loop = load<u64>(tx + TX_LOOP);
  writeVia(fork + FK_TARGET, BRANCH_TRANSACTION, tx + TX_SOURCE, recSlot(tx), recGen(tx), index, loop);
  return frame;
}

/** Sends (or repeats) the INVITE. The current message must be of its call: the cookie's MAC covers the Call-ID. */
export function sendInvite(tx: usize, fork: usize): void {
  const call = callOf(tx);
  if (call == 0) return;
  const target = fork + FK_TARGET;
  const frame = begin(tx, fork, 'INVITE');
  writeRecordRoute(
    recSlot(call),
    recGen(call),
    legOf(fork),
    load<u32>(tx + TX_FROM_TAG),
    call + K_A,
    tx + TX_BINDING,
    target,
    fork + FK_BINDING,
  );
  writePath(fork + FK_PATH);
  bytes(load<u32>(tx + TX_HEADERS), load<u32>(tx + TX_HEADERS_LEN));
  const plain = variantOf(load<u8>(target)) == VARIANT_PLAIN;
  const made = tx + (plain ? TX_PLAIN : TX_WEBRTC);
  if (load<u32>(made) != 0) writeBody(load<u32>(made), load<u32>(made, 4));
  else writeBody(load<u32>(tx + TX_BODY), load<u32>(tx + TX_BODY_LEN));
  sendRequestEnd(frame, METHOD_INVITE);
}

/** CANCEL (RFC 3261 9.1). The stored INVITE is the current message. */
export function sendCancel(tx: usize, fork: usize): void {
  sendHop(tx, fork, 'CANCEL', METHOD_CANCEL);
}

/** ACK for the final response that is the current message (17.1.1.3). */
export function sendAck(tx: usize, fork: usize): void {
  sendHop(tx, fork, 'ACK', METHOD_ACK);
}

function sendHop(tx: usize, fork: usize, method: string, methodId: u32): void {
  const frame = begin(tx, fork, method);
  writePath(fork + FK_PATH);
  writeDialogLines();
  text('CSeq: ');
  decimal(cseqNumber);
  text(' ');
  text(method);
  text('\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n');
  sendRequestEnd(frame, methodId);
}
