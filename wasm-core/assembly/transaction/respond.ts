/**
 * Responses of the switch itself to the current message (RFC 3261 8.2.6), sent statelessly
 * (8.2.7): the same request gives the same bytes again, tag included.
 */
import {
  C_TABLE_FULL,
  I_RETRY_AFTER_S,
  LOG_TABLE_FULL,
  METHOD_ACK,
  METHOD_INVITE,
  TRANSPORT_UDP,
} from '../abi';
import { initU32 } from '../config';
import { count } from '../counters';
import { editClose, editCopy, editOpen } from '../edit';
import { logEvent, rxFrame, sendBegin, sendFromHere, sendResponseEnd } from '../effects';
import { localTag } from '../identity';
import {
  callIdLen,
  callIdPtr,
  hdrCount,
  hdrId,
  hdrLine,
  hdrLineEnd,
  hdrVal,
  hdrValLen,
  isRequest,
  methodId,
  toTagLen,
  viaHostLen,
  viaHostPtr,
  viaLen,
  viaPort,
  viaPtr,
  viaReceivedLen,
  viaReceivedPtr,
  viaRportLen,
  viaRportPtr,
} from '../sip/message';
import { H_CSEQ, H_OTHER, H_TIMESTAMP, H_TO } from '../sip/header';
import { parseIp } from '../sip/uri';
import { reasonPhrase } from '../sip/status';
import { G_ADDRESS, G_PORT, sameAddress, targetCopy, targetFromFrame } from '../target';
import { address, bytes, crlf, cursor, decimal, hex64, text, writeAt } from '../text';
import { refusedKeep } from './refused';

/** Where the answer to the current request goes. */
export const replyTarget: usize = memory.data(32, 16);
const viaAddress: usize = memory.data(16, 16);
const extraLines: usize = memory.data(256, 16);

/**
 * Works out where answers to the current request go: for streams the connection; for UDP the source
 * address, and the source port with `rport` (RFC 3581) or the port of the Via without (RFC 3261 18.2.2).
 * Writes `received` and `rport` into the topmost Via (as edits).
 */
export function replyPrepare(): void {
  targetFromFrame(replyTarget, rxFrame);
  if (viaPtr == 0) return;
  const udp = load<u8>(replyTarget) == TRANSPORT_UDP;
  if (viaRportPtr != 0) {
    editOpen(viaRportPtr, viaRportPtr + viaRportLen);
    text('rport=');
    decimal(load<u16>(replyTarget + G_PORT));
    editClose();
  }
  if (viaReceivedPtr != 0) {
    // Only the receiver may say this (18.2.1): what the sender wrote is replaced.
    editOpen(viaReceivedPtr, viaReceivedPtr + viaReceivedLen);
    address(replyTarget + G_ADDRESS, false);
    editClose();
  } else if (
    viaRportPtr != 0 ||
    !parseIp(viaHostPtr, viaHostLen, viaAddress) ||
    !sameAddress(viaAddress, replyTarget + G_ADDRESS)
  ) {
    editOpen(viaPtr + viaLen, viaPtr + viaLen);
    text(';received=');
    address(replyTarget + G_ADDRESS, false);
    editClose();
  }
  if (udp && viaRportPtr == 0) store<u16>(replyTarget + G_PORT, viaPort == 0 ? 5060 : viaPort);
}

/** Sets where answers go, for a stored request (its Via is complete already). */
export function replyRestore(target: usize): void {
  targetCopy(replyTarget, target);
}

/** Writes the answer at the text cursor: header lines that RFC 3261 8.2.6.2 copies, then `extra` (lines with CRLF). */
export function writeResponse(status: u32, extra: usize, extraLen: u32): void {
  text('SIP/2.0 ');
  decimal(status);
  text(' ');
  text(reasonPhrase(status));
  crlf();
  // Lines that follow each other are copied together.
  let from: usize = 0;
  let to: usize = 0;
  for (let i: u32 = 0; i < hdrCount; i++) {
    const id = hdrId(i);
    const tagless = id == H_TO && toTagLen == 0 && status > 100;
    const timestamp = id == H_TIMESTAMP && status == 100;
    if (!tagless && (id <= H_CSEQ || timestamp) && id != H_OTHER) {
      if (hdrLine(i) != to) {
        editCopy(from, to);
        from = hdrLine(i);
      }
      to = hdrLineEnd(i);
    } else if (tagless) {
      editCopy(from, to);
      from = to = 0;
      bytes(hdrLine(i), (hdrVal(i) + hdrValLen(i) - hdrLine(i)) as u32);
      text(';tag=');
      hex64(localTag());
      crlf();
    }
  }
  editCopy(from, to);
  bytes(extra, extraLen);
  text('Server: Strowger\r\nContent-Length: 0\r\n\r\n');
}

/** Answers the current request; nothing is sent for a response or an ACK. */
export function respond(status: u32, extra: usize, extraLen: u32): void {
  if (!isRequest || methodId == METHOD_ACK) return;
  const frame = sendBegin(replyTarget);
  sendFromHere(frame);
  writeResponse(status, extra, extraLen);
  sendResponseEnd(frame, status);
}

/** `respond` without further header lines. */
export function refuse(status: u32): void {
  keepRefusal(status);
  respond(status, 0, 0);
}

/** 503 with Retry-After: a table is full, or the switch drains. */
export function refuseBusy(): void {
  count(C_TABLE_FULL);
  logEvent(LOG_TABLE_FULL, 503, callIdPtr, callIdLen);
  refuseLater();
}

/** 503 with Retry-After. */
export function refuseLater(): void {
  keepRefusal(503);
  const resume = cursor;
  writeAt(extraLines);
  text('Retry-After: ');
  decimal(initU32(I_RETRY_AFTER_S));
  crlf();
  const len = (cursor - extraLines) as u32;
  writeAt(resume);
  respond(503, extraLines, len);
}

function keepRefusal(status: u32): void {
  if (isRequest && methodId == METHOD_INVITE && toTagLen == 0) refusedKeep(status);
}
