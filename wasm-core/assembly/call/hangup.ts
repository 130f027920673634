/**
 * Calls that the switch ends itself: on an operator's wish, for want of media, after the longest duration,
 * or because two devices answered at once. BYE goes to both sides, repeated until answered (RFC 3261 17.1.2).
 */
import {
  CALL_STATE_ANSWERED,
  CALL_STATE_ENDING,
  EF_HANGUP_REPLY,
  ENDED_BY_MEDIA_TIMEOUT,
  ENDED_BY_OPERATOR,
  ENDED_BY_SWITCH,
  F_ARG0,
  F_ARG1,
  F_ARG2,
  I_T1_MS,
  I_T2_MS,
  METHOD_ACK,
  METHOD_BYE,
  TRANSPORT_UDP,
} from '../abi';
import { initU32 } from '../config';
import { frameBegin, frameEnd, nowMs, sendBegin, sendRequestEnd } from '../effects';
import { BRANCH_OWN, NO_CALL } from '../identity';
import { tableGet } from '../mem/table';
import { changed } from '../mirror/changes';
import { timerSet } from '../mem/wheel';
import { writeDialogLines, writeVia } from '../proxy/forward';
import { senderTarget } from '../proxy/source';
import { adUriLen, adUriPtr, parseAddress } from '../sip/address';
import { H_CONTACT } from '../sip/header';
import { cseqNumber, hdrFirst, hdrVal, hdrValLen, statusCode } from '../sip/message';
import { parseUri } from '../sip/uri';
import { targetCopy } from '../target';
import { bytes, decimal, text } from '../text';
import { inviteCancel, timeoutMs } from '../transaction/invite';
import {
  FK_TARGET,
  TXF_CANCELLED,
  TXF_OPERATOR,
  TXS_PROCEEDING,
  TX_STATE,
  TX_WINNER,
  transactionTable,
} from '../transaction/tables';
import {
  K_BYES,
  K_BYE_AT,
  K_BYE_INTERVAL,
  K_TIMER,
  K_TX_GEN,
  K_TX_SLOT,
  callEnd,
  callFree,
  callGet,
  callOfCookie,
  callSetState,
  callState,
  callStop,
} from './call';
import { hasShift, numberNext } from './cseq';
import { ownBegin, ownDialog, ownPrepare, ownTarget, ownVia } from './own-request';
import { writeRouteLine } from './strings';

const target: usize = memory.data(32, 16);

/** EV_HANGUP. */
export function hangup(frame: usize): void {
  const call = callGet(load<u32>(frame + F_ARG1), load<u32>(frame + F_ARG2));
  if (call != 0) {
    if (callState(call) == CALL_STATE_ANSWERED) endAnswered(call, ENDED_BY_OPERATOR);
    else if (callState(call) < CALL_STATE_ANSWERED) endEarly(call);
  }
  const reply = frameBegin(EF_HANGUP_REPLY);
  store<u32>(reply + F_ARG0, load<u32>(frame + F_ARG0));
  store<u32>(reply + F_ARG1, call != 0 ? 1 : 0);
  frameEnd();
}

/** EV_MEDIA_TIMEOUT. */
export function mediaTimeout(frame: usize): void {
  const call = callGet(load<u32>(frame + F_ARG1), load<u32>(frame + F_ARG2));
  if (call != 0 && callState(call) == CALL_STATE_ANSWERED) endAnswered(call, ENDED_BY_MEDIA_TIMEOUT);
}

function endEarly(call: usize): void {
  const tx = tableGet(transactionTable(), load<u32>(call + K_TX_SLOT), load<u32>(call + K_TX_GEN));
  if (tx == 0 || load<u8>(tx + TX_STATE) != TXS_PROCEEDING || load<u32>(tx + TX_WINNER) != 0) return;
  inviteCancel(tx, TXF_CANCELLED | TXF_OPERATOR);
}

/** Ends an answered call from our side. */
export function endAnswered(call: usize, by: u32): void {
  callStop(call, 200, by);
  callSetState(call, CALL_STATE_ENDING);
  store<u8>(call + K_BYES, 3);
  store<u64>(call + K_BYE_AT, nowMs);
  store<u32>(call + K_BYE_INTERVAL, initU32(I_T1_MS));
  sendByes(call, false);
  timerSet(call + K_TIMER, nowMs + (initU32(I_T1_MS) as u64));
}

/** The call's timer: the longest duration, or a BYE of ours to repeat. */
export function callTimer(call: usize): void {
  if (callState(call) == CALL_STATE_ANSWERED) return endAnswered(call, ENDED_BY_SWITCH);
  if (callState(call) != CALL_STATE_ENDING) return;
  if (nowMs >= load<u64>(call + K_BYE_AT) + timeoutMs()) return callFree(call);
  const interval = min(load<u32>(call + K_BYE_INTERVAL) * 2, initU32(I_T2_MS));
  store<u32>(call + K_BYE_INTERVAL, interval);
  sendByes(call, true);
  timerSet(call + K_TIMER, nowMs + (interval as u64));
}

/** A response to our BYE. */
export function byeAnswered(slot: u32, gen: u32, leg: u32): void {
  const call = callOfCookie(slot, gen);
  if (call == 0 || callState(call) != CALL_STATE_ENDING || statusCode < 200) return;
  if (load<u8>(call + K_BYES) == 0) return; // a party has ended it
  const left = (load<u8>(call + K_BYES) as u32) & ~(1 << leg);
  store<u8>(call + K_BYES, left);
  changed(call);
  if (left == 0) callFree(call);
}

/**
 * A party's BYE has ended the call (`callStop`). The record is kept for as long as somebody may repeat something, if that needs
 * its CSeq changed.
 */
export function endByParty(call: usize, by: u32): void {
  if (!hasShift(call)) return callEnd(call, 200, by);
  if (callState(call) == CALL_STATE_ENDING && load<u8>(call + K_BYES) == 0) return; // his BYE again
  callStop(call, 200, by);
  callSetState(call, CALL_STATE_ENDING);
  store<u8>(call + K_BYES, 0);
  store<u64>(call + K_BYE_AT, nowMs);
  timerSet(call + K_TIMER, nowMs + timeoutMs());
}

function sendByes(call: usize, again: bool): void {
  const bytesLeft = load<u8>(call + K_BYES) as u32;
  if ((bytesLeft & 1) != 0) sendBye(call, 0, again);
  if ((bytesLeft & 2) != 0) sendBye(call, 1, again);
}

/** BYE to one side as if from the other: leg 0 the caller, 1 the callee. */
function sendBye(call: usize, leg: u32, again: bool): void {
  if (!ownPrepare(call, leg)) return;
  if (again && load<u8>(ownTarget) != TRANSPORT_UDP) return;
  const frame = ownBegin(call, leg, 'BYE');
  ownVia(call, leg, 0);
  ownDialog(call, leg);
  text('CSeq: ');
  decimal(numberNext(call, leg != 0));
  text(' BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n');
  sendRequestEnd(frame, METHOD_BYE);
}

/**
 * A device that answered too late (the current message is its 2xx): ACK, and BYE at once. Each repetition
 * of the 2xx brings both again, so neither needs a timer. `fork`: the branch, 0 when it is not known any more.
 */
export function orphanEnd(fork: usize): void {
  const i = hdrFirst(H_CONTACT);
  if (i < 0 || !parseAddress(hdrVal(i), hdrVal(i) + hdrValLen(i))) return;
  const uri = adUriPtr;
  const len = adUriLen;
  if (!parseUri(uri, len)) return; // it would become our request-URI
  if (fork == 0 || load<u8>(fork + FK_TARGET) == TRANSPORT_UDP) senderTarget(target, false);
  else targetCopy(target, fork + FK_TARGET);
  orphanSend('ACK', METHOD_ACK, 0, uri, len);
  orphanSend('BYE', METHOD_BYE, 1, uri, len);
}

function orphanSend(method: string, methodId: u32, step: u32, uri: usize, len: u32): void {
  const frame = sendBegin(target);
  text(method);
  text(' ');
  bytes(uri, len);
  text(' SIP/2.0\r\n');
  writeVia(target, BRANCH_OWN, target, NO_CALL, step, 0, cseqNumber);
  writeRouteLine();
  writeDialogLines();
  text('CSeq: ');
  decimal(cseqNumber + step);
  text(' ');
  text(method);
  text('\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n');
  sendRequestEnd(frame, methodId);
}
