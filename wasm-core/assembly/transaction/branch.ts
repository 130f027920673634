/**
 * The client side of an INVITE context: its branches (RFC 3261 16.6 to 16.8, 17.1.1). Branches of one group run at
 * the same time; when all of a group have failed, the next one is tried. The first 2xx wins; a second one, from
 * a branch whose CANCEL came too late, is acknowledged and ended by the switch itself, so that the caller
 * never hears two answers.
 */
import {
  C_DROPPED,
  C_RETRANSMITS_OUT,
  F_LISTENER,
  I_T1_MS,
  I_T2_MS,
  I_TIMER_C_MS,
  LEG_CALLER,
  METHOD_ACK,
  METHOD_CANCEL,
  METHOD_INVITE,
  TRANSPORT_UDP,
  VARIANT_PLAIN,
} from '../abi';
import {
  K_A,
  K_LEG_B,
  callAnswered,
  callCloseLeg,
  callIsAnchored,
  callRinging,
  K_SETUP,
  K_STARTED,
} from '../call/call';
import { callWriteAnswer } from '../call/strings';
import { orphanEnd } from '../call/hangup';
import { hasSdp, mediaDone, mediaForMessage } from '../call/media';
import { initU32 } from '../config';
import { count, nowMs, nowUs, sendBegin, sendRequestEnd, sendResponseEnd } from '../effects';
import { BRANCH_TRANSACTION } from '../identity';
import { blockAlloc, blockFree } from '../mem/pool';
import { recGen, recSlot } from '../mem/table';
import { writeBody, writeRecordRoute, writeVia } from '../proxy/forward';
import { writeForwarded } from '../proxy/response';
import { writePath } from '../proxy/stateless';
import { H_CALL_ID, H_FROM, H_TO } from '../sip/header';
import { cseqMethodId, cseqNumber, hdrFirst, hdrLine, hdrLineEnd, statusCode } from '../sip/message';
import { variantOf } from '../target';
import { bytes, cursor, decimal, text } from '../text';
import {
  accepted,
  callOf,
  finishLocally,
  finishWithBest,
  inviteTimer,
  keepLast,
  schedule,
  storedTake,
  timeoutMs,
} from './invite';
import {
  FKS_CALLING,
  FKS_CANCELLING,
  FKS_FINISHED,
  FKS_NEW,
  FKS_PROCEEDING,
  FK_BINDING,
  FK_CANCEL,
  FK_DUE_RETRANSMIT,
  FK_DUE_TIMEOUT,
  FK_GROUP,
  FK_INDEX,
  FK_INTERVAL,
  FK_NEXT,
  FK_PATH,
  FK_STATE,
  FK_STATUS,
  FK_TARGET,
  FK_URI,
  TXF_CANCELLED,
  TXF_TRUNK,
  TXS_PROCEEDING,
  TX_BEST,
  TX_BEST_LEN,
  TX_BEST_STATUS,
  TX_BINDING,
  TX_BODY,
  TX_BODY_LEN,
  TX_BRANCHES,
  TX_FLAGS,
  TX_FROM_TAG,
  TX_GROUP,
  TX_HEADERS,
  TX_HEADERS_LEN,
  TX_LISTENER,
  TX_LOOP,
  TX_OPEN,
  TX_PLAIN,
  TX_SOURCE,
  TX_STATE,
  TX_WEBRTC,
  TX_WINNER,
} from './tables';

function firstBranch(tx: usize): usize {
  return load<u32>(tx + TX_BRANCHES);
}

function nextBranch(fork: usize): usize {
  return load<u32>(fork + FK_NEXT);
}

function state(fork: usize): u32 {
  return load<u8>(fork + FK_STATE);
}

function isUdp(fork: usize): bool {
  return load<u8>(fork + FK_TARGET) == TRANSPORT_UDP;
}

/** Media leg of a branch. */
function legOf(fork: usize): u32 {
  return (load<u8>(fork + FK_INDEX) as u32) + 1;
}

// --- sending ----------------------------------------------------------------------------------------

/** Sends the INVITEs of the next group; false when there is none. */
export function startGroup(tx: usize): bool {
  let group: u32 = u32.MAX_VALUE;
  for (let f = firstBranch(tx); f != 0; f = nextBranch(f)) {
    if (state(f) == FKS_NEW && load<u32>(f + FK_GROUP) < group) group = load<u32>(f + FK_GROUP);
  }
  if (group == u32.MAX_VALUE) return false;
  store<u32>(tx + TX_GROUP, group);
  for (let f = firstBranch(tx); f != 0; f = nextBranch(f)) {
    if (state(f) != FKS_NEW || load<u32>(f + FK_GROUP) != group) continue;
    store<u8>(f + FK_STATE, FKS_CALLING);
    store<u32>(tx + TX_OPEN, load<u32>(tx + TX_OPEN) + 1);
    store<u64>(f + FK_DUE_TIMEOUT, nowMs + timeoutMs()); // timer B
    if (isUdp(f)) {
      store<u32>(f + FK_INTERVAL, initU32(I_T1_MS)); // timer A
      store<u64>(f + FK_DUE_RETRANSMIT, nowMs + (initU32(I_T1_MS) as u64));
    }
    sendInvite(tx, f);
  }
  const call = callOf(tx);
  if (call != 0 && load<f32>(call + K_SETUP) == 0) {
    store<f32>(call + K_SETUP, (nowUs - load<f64>(call + K_STARTED)) as f32);
  }
  return true;
}

function startLine(method: string, fork: usize): void {
  text(method);
  bytes(load<u32>(fork + FK_URI), load<u32>(fork + FK_URI, 4));
  text(' SIP/2.0\r\n');
}

function branchVia(tx: usize, fork: usize): void {
  const index = load<u8>(fork + FK_INDEX) as u32;
  const loop = load<u64>(tx + TX_LOOP);
  writeVia(fork + FK_TARGET, BRANCH_TRANSACTION, tx + TX_SOURCE, recSlot(tx), recGen(tx), index, loop);
}

function sendInvite(tx: usize, fork: usize): void {
  const call = callOf(tx);
  if (call == 0) return;
  const target = fork + FK_TARGET;
  const frame = sendBegin(target);
  startLine('INVITE ', fork);
  // The cookie's MAC covers the Call-ID: `callHash` is that of the INVITE here, see storedTake.
  branchVia(tx, fork);
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

/** CANCEL for a branch (RFC 3261 9.1). The stored INVITE is the current message. */
function sendCancel(tx: usize, fork: usize): void {
  const frame = sendBegin(fork + FK_TARGET);
  startLine('CANCEL ', fork);
  branchVia(tx, fork);
  writePath(fork + FK_PATH);
  writeDialogLines();
  text('CSeq: ');
  decimal(cseqNumber);
  text(' CANCEL\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n');
  sendRequestEnd(frame, METHOD_CANCEL);
}

/** From, To and Call-ID of the current message. */
function writeDialogLines(): void {
  line(H_FROM);
  line(H_TO);
  line(H_CALL_ID);
}

function line(id: u32): void {
  const i = hdrFirst(id);
  bytes(hdrLine(i), (hdrLineEnd(i) - hdrLine(i)) as u32);
}

/** Hop-by-hop ACK for the final response that is the current message (17.1.1.3). */
function sendAck(tx: usize, fork: usize): void {
  const frame = sendBegin(fork + FK_TARGET);
  startLine('ACK ', fork);
  branchVia(tx, fork);
  writePath(fork + FK_PATH);
  writeDialogLines();
  text('CSeq: ');
  decimal(cseqNumber);
  text(' ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n');
  sendRequestEnd(frame, METHOD_ACK);
}

/**
 * Ends all branches but `except` (16.10): CANCEL where a provisional response has come, else as soon as one does.
 * The stored INVITE is the current message. Returns how many branches are still to be waited for.
 */
export function cancelBranches(tx: usize, except: usize): u32 {
  let waiting: u32 = 0;
  for (let f = firstBranch(tx); f != 0; f = nextBranch(f)) {
    if (f == except) continue;
    if (state(f) == FKS_NEW) store<u8>(f + FK_STATE, FKS_FINISHED);
    if (state(f) == FKS_CALLING) {
      store<u32>(f + FK_CANCEL, 1);
      store<u64>(f + FK_DUE_RETRANSMIT, 0);
    }
    if (state(f) == FKS_PROCEEDING) cancelOne(tx, f);
    if (state(f) == FKS_CANCELLING) waiting++;
  }
  return waiting;
}

function cancelOne(tx: usize, fork: usize): void {
  store<u8>(fork + FK_STATE, FKS_CANCELLING);
  store<u64>(fork + FK_DUE_TIMEOUT, nowMs + timeoutMs());
  if (isUdp(fork)) {
    store<u32>(fork + FK_INTERVAL, initU32(I_T1_MS)); // timer E
    store<u64>(fork + FK_DUE_RETRANSMIT, nowMs + (initU32(I_T1_MS) as u64));
  }
  sendCancel(tx, fork);
}

// --- receiving --------------------------------------------------------------------------------------

/** The current message is a response to this branch; our Via is cut off (as an edit). */
export function branchResponse(tx: usize, fork: usize): void {
  if (cseqMethodId == METHOD_CANCEL) {
    store<u64>(fork + FK_DUE_RETRANSMIT, 0); // the CANCEL has arrived
  } else if (cseqMethodId != METHOD_INVITE) {
    count(C_DROPPED);
  } else if (statusCode < 200) {
    provisional(tx, fork);
  } else if (statusCode < 300) {
    success(tx, fork);
  } else {
    failure(tx, fork);
  }
  schedule(tx);
}

function provisional(tx: usize, fork: usize): void {
  const s = state(fork);
  if (s != FKS_CALLING && s != FKS_PROCEEDING) return;
  store<u8>(fork + FK_STATE, FKS_PROCEEDING);
  store<u64>(fork + FK_DUE_RETRANSMIT, 0);
  if (s == FKS_CALLING || statusCode > 100) {
    store<u64>(fork + FK_DUE_TIMEOUT, nowMs + (initU32(I_TIMER_C_MS) as u64));
  }
  const forward =
    statusCode > 100 && load<u8>(tx + TX_STATE) == TXS_PROCEEDING && load<u32>(tx + TX_WINNER) == 0;
  if (load<u32>(fork + FK_CANCEL) != 0) {
    storedTake(tx);
    cancelOne(tx, fork);
  } else if (forward && !askMedia(tx, fork)) {
    const call = callOf(tx);
    sendUpstream(tx);
    if (call != 0) callRinging(call);
  }
}

/** Starts rewriting the current response's body; true when it will be taken up again later (or is lost). */
function askMedia(tx: usize, fork: usize): bool {
  const call = callOf(tx);
  if (call == 0 || mediaDone || !callIsAnchored(call) || !hasSdp()) return false;
  const variant = variantOf(load<u8>(tx + TX_SOURCE));
  if (!mediaForMessage(call, legOf(fork), load<u8>(fork + FK_TARGET), LEG_CALLER, variant)) count(C_DROPPED);
  return true;
}

/** Forwards the current response to the caller and remembers it. */
function sendUpstream(tx: usize): void {
  const frame = sendBegin(tx + TX_SOURCE);
  store<u16>(frame + F_LISTENER, load<u16>(tx + TX_LISTENER));
  const from = cursor;
  writeForwarded();
  if (statusCode < 200) keepLast(tx, from);
  sendResponseEnd(frame, statusCode);
}

function success(tx: usize, fork: usize): void {
  const winner = load<u32>(tx + TX_WINNER);
  const mine = legOf(fork);
  const open = load<u8>(tx + TX_STATE) == TXS_PROCEEDING;
  if ((winner != 0 && winner != mine) || (winner == 0 && !open)) {
    finish(tx, fork, statusCode);
    return orphanEnd(fork);
  }
  const first = winner == 0;
  store<u32>(tx + TX_WINNER, mine);
  finish(tx, fork, statusCode);
  const call = callOf(tx);
  if (!askMedia(tx, fork)) {
    sendUpstream(tx);
    if (open) {
      if (call != 0) {
        store<u8>(call + K_LEG_B, mine);
        callWriteAnswer(call, fork);
        callAnswered(call, statusCode);
      }
      accepted(tx, statusCode);
    }
  }
  if (first && nextBranch(firstBranch(tx)) != 0) {
    storedTake(tx);
    cancelBranches(tx, fork);
  }
}

function failure(tx: usize, fork: usize): void {
  sendAck(tx, fork);
  if (state(fork) == FKS_FINISHED) return;
  const status = statusCode;
  finish(tx, fork, status);
  const call = callOf(tx);
  if (call != 0 && nextBranch(firstBranch(tx)) != 0) callCloseLeg(call, legOf(fork));
  if (load<u8>(tx + TX_STATE) != TXS_PROCEEDING || load<u32>(tx + TX_WINNER) != 0) return;
  if (isBetter(status, load<u16>(tx + TX_BEST_STATUS))) keepBest(tx, status);
  goOn(tx, status);
}

function finish(tx: usize, fork: usize, status: u32): void {
  const s = state(fork);
  store<u16>(fork + FK_STATUS, status);
  store<u64>(fork + FK_DUE_RETRANSMIT, 0);
  store<u64>(fork + FK_DUE_TIMEOUT, 0);
  if (s == FKS_FINISHED) return;
  store<u8>(fork + FK_STATE, FKS_FINISHED);
  if (s != FKS_NEW) store<u32>(tx + TX_OPEN, load<u32>(tx + TX_OPEN) - 1);
}

/** A branch has failed with `status`: wait for the others, try the next group, or give up. */
function goOn(tx: usize, status: u32): void {
  const cancelled = (load<u8>(tx + TX_FLAGS) & TXF_CANCELLED) != 0;
  const trunk = (load<u8>(tx + TX_FLAGS) & TXF_TRUNK) != 0;
  // 6xx ends the search (16.7 step 5); of a trunk only a fault of the gateway leads to the next one.
  if (status >= 600 || (trunk && status != 408 && status < 500)) {
    storedTake(tx);
    cancelBranches(tx, 0);
  }
  if (load<u32>(tx + TX_OPEN) > 0) return;
  if (!cancelled) {
    storedTake(tx);
    if (startGroup(tx)) return;
  }
  finishWithBest(tx);
}

/** Rank of a final status, lower is better (16.7 step 6). */
function rank(status: u32): u32 {
  if (status >= 600) return 0;
  if (status < 400) return 1;
  switch (status) {
    case 401:
    case 407:
    case 415:
    case 420:
    case 484:
      return 2;
    case 408:
    case 480:
    case 487:
      return 4;
    case 503:
      return 6;
    default:
      return status < 500 ? 3 : 5;
  }
}

function isBetter(status: u32, than: u32): bool {
  return than == 0 || rank(status) < rank(than);
}

/** Keeps the current response as the best one. */
function keepBest(tx: usize, status: u32): void {
  blockFree(load<u32>(tx + TX_BEST));
  store<u32>(tx + TX_BEST, 0);
  store<u16>(tx + TX_BEST_STATUS, status);
  sendBegin(tx + TX_SOURCE); // written where an effect would be, and not sent
  const from = cursor;
  writeForwarded();
  const len = (cursor - from) as u32;
  const block = blockAlloc(len);
  if (block == 0) return;
  memory.copy(block, from, len);
  store<u32>(tx + TX_BEST, block as u32);
  store<u32>(tx + TX_BEST_LEN, len);
}

/** A branch has failed without a response of its own. */
function failLocally(tx: usize, fork: usize, status: u32): void {
  finish(tx, fork, status);
  if (load<u8>(tx + TX_STATE) != TXS_PROCEEDING || load<u32>(tx + TX_WINNER) != 0) return;
  if (isBetter(status, load<u16>(tx + TX_BEST_STATUS))) {
    blockFree(load<u32>(tx + TX_BEST));
    store<u32>(tx + TX_BEST, 0);
    store<u16>(tx + TX_BEST_STATUS, status);
  }
  goOn(tx, status);
}

/** The media service refused the SDP of this branch's response, which is the current message. */
export function branchMediaFailed(tx: usize, fork: usize, status: u32): void {
  if (statusCode >= 200) {
    orphanEnd(fork); // the callee has answered, but there is nothing to hear
    if (load<u8>(tx + TX_STATE) == TXS_PROCEEDING) finishLocally(tx, status);
  }
  schedule(tx);
}

// --- timers -----------------------------------------------------------------------------------------

/** The context's timer is due. */
export function transactionTimer(tx: usize): void {
  if (!inviteTimer(tx)) return;
  for (let f = firstBranch(tx); f != 0; f = nextBranch(f)) {
    const s = state(f);
    if (s == FKS_NEW || s == FKS_FINISHED) continue;
    const timeout = load<u64>(f + FK_DUE_TIMEOUT);
    if (timeout != 0 && timeout <= nowMs) branchTimeout(tx, f);
    else if (isDue(f + FK_DUE_RETRANSMIT)) retransmit(tx, f);
  }
  schedule(tx);
}

function isDue(at: usize): bool {
  const due = load<u64>(at);
  return due != 0 && due <= nowMs;
}

function retransmit(tx: usize, fork: usize): void {
  storedTake(tx);
  let interval = load<u32>(fork + FK_INTERVAL) * 2;
  if (state(fork) == FKS_CALLING) sendInvite(tx, fork);
  else {
    sendCancel(tx, fork);
    interval = min(interval, initU32(I_T2_MS));
  }
  count(C_RETRANSMITS_OUT);
  store<u32>(fork + FK_INTERVAL, interval);
  store<u64>(fork + FK_DUE_RETRANSMIT, nowMs + (interval as u64));
}

/** Timer B: nobody there. Timer C: rung long enough. After a CANCEL: no final response came. */
function branchTimeout(tx: usize, fork: usize): void {
  const s = state(fork);
  if (s == FKS_PROCEEDING) {
    if (load<u16>(tx + TX_BEST_STATUS) == 0) store<u16>(tx + TX_BEST_STATUS, 408);
    storedTake(tx);
    cancelOne(tx, fork);
  } else failLocally(tx, fork, s == FKS_CALLING ? 408 : 487);
}
