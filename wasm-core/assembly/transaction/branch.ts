/**
 * The client side of an INVITE context: its branches (RFC 3261 16.6 to 16.8, 17.1.1). Branches of one group run at
 * the same time; when all of a group have failed, the next one is tried. The first 2xx wins; a second one, from
 * a branch whose CANCEL came too late, is acknowledged and ended by the switch itself, so that the caller
 * never hears two answers.
 */
import {
  CALL_STATE_ENDING,
  C_DROPPED,
  C_RETRANSMITS_OUT,
  F_LISTENER,
  I_T1_MS,
  I_T2_MS,
  I_TIMER_C_MS,
  LEG_CALLER,
  METHOD_CANCEL,
  METHOD_INVITE,
  TRANSPORT_UDP,
} from '../abi';
import { K_LEG_B, callAnswered, callCloseLeg, callIsAnchored, callRinging, callState } from '../call/call';
import { latencyForwarded, latencySeen } from '../call/latency';
import { callWriteAnswer } from '../call/strings';
import { orphanEnd } from '../call/hangup';
import { hasSdp, mediaDone, mediaForMessage } from '../call/media';
import { initU32 } from '../config';
import { count, nowMs, sendBegin, sendResponseEnd, sendResponseHold } from '../effects';
import { hasStandby } from '../mirror/active';
import { changed } from '../mirror/changes';
import { holdUntilChanges } from '../mirror/held';
import { writeForwarded } from '../proxy/response';
import { cseqMethodId, statusCode } from '../sip/message';
import { variantOf } from '../target';
import { cursor } from '../text';
import { bestLocal, bestResponse } from './best';
import { legOf, sendAck, sendCancel, sendInvite } from './outgoing';
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
  FK_CANCEL,
  FK_DUE_RETRANSMIT,
  FK_DUE_TIMEOUT,
  FK_GROUP,
  FK_INTERVAL,
  FK_NEXT,
  FK_STATE,
  FK_STATUS,
  FK_TARGET,
  TXF_CANCELLED,
  TXF_TRUNK,
  TXS_ACCEPTED,
  TXS_PROCEEDING,
  TX_BLOCK,
  TX_BRANCHES,
  TX_DUE_FAILED,
  TX_FLAGS,
  TX_GROUP,
  TX_LISTENER,
  TX_OPEN,
  TX_SOURCE,
  TX_STATE,
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
  if (call != 0) latencyForwarded(call);
  return true;
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
  const call = callOf(tx);
  if (call != 0 && !mediaDone) latencySeen(call);
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
  changed(tx);
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
  if (callState(call) >= CALL_STATE_ENDING) {
    count(C_DROPPED); // its media has ended
    return true;
  }
  const variant = variantOf(load<u8>(tx + TX_SOURCE));
  if (mediaForMessage(call, legOf(fork), load<u8>(fork + FK_TARGET), LEG_CALLER, variant)) return true;
  count(C_DROPPED);
  if (statusCode >= 200) answerFailed(tx, fork, 503); // nothing else would end it, should the callee give up
  return true;
}

/** Forwards the current response to the caller and remembers it. */
function sendUpstream(tx: usize): void {
  const frame = beginUpstream(tx);
  const from = cursor;
  writeForwarded();
  if (statusCode < 200) keepLast(tx, from);
  sendResponseEnd(frame, statusCode);
}

/** Forwards the current 2xx to the caller; `holds`: only when the standby has the call. Returns whether it waits for that. */
function sendAnswer(tx: usize, holds: bool): bool {
  const frame = beginUpstream(tx);
  writeForwarded();
  if (holds) return sendResponseHold(frame, statusCode);
  sendResponseEnd(frame, statusCode);
  return false;
}

function beginUpstream(tx: usize): usize {
  const frame = sendBegin(tx + TX_SOURCE);
  store<u16>(frame + F_LISTENER, load<u16>(tx + TX_LISTENER));
  return frame;
}

function success(tx: usize, fork: usize): void {
  const winner = load<u32>(tx + TX_WINNER);
  const mine = legOf(fork);
  const open = load<u8>(tx + TX_STATE) == TXS_PROCEEDING;
  // Too late: another one was faster, or the caller has had a failure (that of our media, for a 2xx before this one).
  if ((winner != 0 && winner != mine) || (load<u8>(tx + TX_STATE) != TXS_ACCEPTED && !open)) {
    finish(tx, fork, statusCode);
    return orphanEnd(fork);
  }
  const first = winner == 0;
  store<u32>(tx + TX_WINNER, mine);
  finish(tx, fork, statusCode);
  const call = callOf(tx);
  if (!askMedia(tx, fork)) {
    const isHeld = sendAnswer(tx, open && hasStandby);
    if (open) {
      if (call != 0) {
        store<u8>(call + K_LEG_B, mine);
        callWriteAnswer(call, fork);
        callAnswered(call, statusCode);
      }
      accepted(tx, statusCode);
    }
    changed(tx);
    if (isHeld) holdUntilChanges();
  }
  if (first && nextBranch(firstBranch(tx)) != 0) {
    storedTake(tx);
    cancelBranches(tx, fork);
  }
}

function failure(tx: usize, fork: usize): void {
  // After its 2xx: no phone does that, and the URI that an ACK would need has been given back.
  if (load<u32>(tx + TX_BLOCK) == 0) return count(C_DROPPED);
  sendAck(tx, fork);
  if (state(fork) == FKS_FINISHED) return;
  if (isUdp(fork)) store<u64>(tx + TX_DUE_FAILED, nowMs + timeoutMs()); // timer D
  const status = statusCode;
  finish(tx, fork, status);
  const call = callOf(tx);
  if (call != 0 && nextBranch(firstBranch(tx)) != 0) callCloseLeg(call, legOf(fork));
  if (load<u8>(tx + TX_STATE) != TXS_PROCEEDING || load<u32>(tx + TX_WINNER) != 0) return;
  bestResponse(tx, status);
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

/** A branch has failed without a response of its own. */
function failLocally(tx: usize, fork: usize, status: u32): void {
  finish(tx, fork, status);
  if (load<u8>(tx + TX_STATE) != TXS_PROCEEDING || load<u32>(tx + TX_WINNER) != 0) return;
  bestLocal(tx, status);
  goOn(tx, status);
}

/** The callee has answered (the current message), but there is nothing to hear. */
function answerFailed(tx: usize, fork: usize, status: u32): void {
  // Of an answer that the caller has had already this is a repetition, and no matter.
  if (load<u8>(tx + TX_STATE) == TXS_ACCEPTED) return;
  orphanEnd(fork);
  if (load<u8>(tx + TX_STATE) == TXS_PROCEEDING) finishLocally(tx, status);
}

/** The media service refused the SDP of this branch's response, which is the current message. */
export function branchMediaFailed(tx: usize, fork: usize, status: u32): void {
  if (statusCode >= 200) answerFailed(tx, fork, status);
  changed(tx);
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
  changed(tx);
  const s = state(fork);
  if (s == FKS_PROCEEDING) {
    bestLocal(tx, 408);
    storedTake(tx);
    cancelOne(tx, fork);
  } else failLocally(tx, fork, s == FKS_CALLING ? 408 : 487);
}
