/**
 * The server side of an INVITE context (RFC 3261 16.2, 17.2.1; RFC 6026): from the INVITE to the last
 * repetition of its final response.
 *
 * Functions that need the stored request make it the current message (`storedTake`); they come last in the
 * handling of an event.
 */
import {
  C_RETRANSMITS_IN,
  C_RETRANSMITS_OUT,
  ENDED_BY_CALLEE,
  ENDED_BY_CALLER,
  ENDED_BY_OPERATOR,
  ENDED_BY_SWITCH,
  F_LISTENER,
  F_TRANSPORT,
  I_T1_MS,
  I_T2_MS,
  I_T4_MS,
  TRANSPORT_UDP,
} from '../abi';
import {
  K_A,
  K_BINDING_A,
  K_CSEQ_A,
  K_TX_GEN,
  K_TX_SLOT,
  callEnd,
  callFree,
  callGet,
  callIsAnchored,
  callNew,
} from '../call/call';
import { latencySeen } from '../call/latency';
import { callWriteInvite } from '../call/strings';
import { hasSdp, mediaForInvite } from '../call/media';
import { initU32 } from '../config';
import { editCopy, editGrowth, editReset } from '../edit';
import { count, nowMs, rxFrame, sendBegin, sendFromHere, sendResponseEnd } from '../effects';
import { identityPrepare, loopHash, senderTag, transactionKey } from '../identity';
import { copyShort } from '../mem/copy';
import { blockAlloc, blockFree } from '../mem/pool';
import { recGen, recSlot } from '../mem/table';
import { blockChanged, changed } from '../mirror/changes';
import { XB_LAST } from '../mirror/transaction-record';
import { timerSet } from '../mem/wheel';
import {
  CD_BINDING,
  CD_GROUP,
  CD_PATH,
  CD_TARGET,
  CD_URI,
  candidateAt,
  candidateCount,
  candidateTrunk,
} from '../proxy/candidates';
import { editsForRequest } from '../proxy/forward';
import { sourcePrepare, sourceTarget } from '../proxy/source';
import {
  bodyLen,
  bodyPtr,
  cseqNumber,
  headersEnd,
  headersPtr,
  msgLen,
  msgPtr,
  parseMessage,
} from '../sip/message';
import { targetCopy, variantOf } from '../target';
import { bytes, crlf, cursor, writeAt } from '../text';
import { cancelBranches, startGroup } from './branch';
import { refuseBusy, replyRestore, replyTarget, respond, writeResponse } from './respond';
import {
  FKS_FINISHED,
  FKS_NEW,
  FK_BINDING,
  FK_DUE_RETRANSMIT,
  FK_DUE_TIMEOUT,
  FK_GROUP,
  FK_NEXT,
  FK_PATH,
  FK_STATE,
  FK_TARGET,
  FK_URI,
  TXF_CANCELLED,
  TXF_OPERATOR,
  TXF_STREAM,
  TXF_TRUNK,
  TXS_ACCEPTED,
  TXS_COMPLETED,
  TXS_CONFIRMED,
  TXS_PROCEEDING,
  TX_BEST,
  TX_BEST_LEN,
  TX_BEST_STATUS,
  TX_BINDING,
  TX_BLOCK,
  TX_BLOCK_LEN,
  TX_BODY,
  TX_BODY_LEN,
  TX_BRANCHES,
  TX_CALL_GEN,
  TX_CALL_SLOT,
  TX_DUE_END,
  TX_DUE_FAILED,
  TX_DUE_LAST,
  TX_FLAGS,
  TX_FROM_TAG,
  TX_HEADERS,
  TX_HEADERS_LEN,
  TX_INTERVAL,
  TX_LAST,
  TX_LAST_LEN,
  TX_LISTENER,
  TX_LOOP,
  TX_OPEN,
  TX_PLAIN,
  TX_SOURCE,
  TX_STATE,
  TX_STATUS,
  TX_TIMER,
  TX_WEBRTC,
  TX_WINNER,
  branchNew,
  transactionFree,
  transactionFreeBlocks,
  transactionNew,
} from './tables';

/** 64 * T1 in T1s: timers B, F, H, L. */
const TIMEOUT_T1S: u32 = 64;

/** How long a context that should end is kept for its open branches, at a time. */
const LINGER_MS: u64 = 1000;

export function timeoutMs(): u64 {
  return (initU32(I_T1_MS) * TIMEOUT_T1S) as u64;
}

/** A new INVITE, its candidates found: context, call, 100 Trying, and on its way (or to the media service first). */
export function inviteStart(): void {
  const tx = transactionNew(transactionKey());
  if (tx == 0) return refuseBusy();
  const call = callNew();
  if (call == 0) {
    transactionFree(tx);
    return refuseBusy();
  }
  if (!callWriteInvite(call) || !storeRequest(tx) || !storeBranches(tx)) {
    callFree(call);
    transactionFree(tx);
    return refuseBusy();
  }
  linkCall(tx, call);
  changed(call);
  changed(tx);
  latencySeen(call);
  const trying = sendBegin(replyTarget);
  sendFromHere(trying);
  writeResponse(100, 0, 0);
  sendResponseEnd(trying, 100);
  if (callIsAnchored(call) && hasSdp()) {
    if (!mediaForInvite(tx, call, variantsWanted(tx), load<u8>(rxFrame + F_TRANSPORT)))
      finishLocally(tx, 503);
  } else startGroup(tx);
  schedule(tx);
}

function linkCall(tx: usize, call: usize): void {
  sourcePrepare();
  targetCopy(call + K_A, sourceTarget);
  store<u64>(tx + TX_BINDING, load<u64>(sourceTarget, 24));
  store<u64>(call + K_BINDING_A, load<u64>(sourceTarget, 24));
  store<u32>(call + K_TX_SLOT, recSlot(tx));
  store<u32>(call + K_TX_GEN, recGen(tx));
  store<u32>(call + K_CSEQ_A, cseqNumber);
  store<u32>(tx + TX_CALL_SLOT, recSlot(call));
  store<u32>(tx + TX_CALL_GEN, recGen(call));
}

/** Keeps the request as it will be forwarded: edited, without Content-Length. */
function storeRequest(tx: usize): bool {
  let uris: u32 = 0;
  for (let i: u32 = 0; i < candidateCount; i++) {
    const c = candidateAt(i);
    uris += load<u32>(c + CD_URI, 4) + load<u32>(c + CD_PATH, 4);
  }
  editsForRequest();
  const block = blockAlloc(msgLen + editGrowth() + uris);
  if (block == 0) return false;
  const resume = cursor;
  writeAt(block);
  bytes(msgPtr, (headersPtr - msgPtr) as u32);
  store<u32>(tx + TX_BLOCK, block as u32);
  store<u32>(tx + TX_HEADERS, cursor as u32);
  editCopy(headersPtr, headersEnd);
  store<u32>(tx + TX_HEADERS_LEN, (cursor as u32) - load<u32>(tx + TX_HEADERS));
  crlf();
  store<u32>(tx + TX_BODY, cursor as u32);
  store<u32>(tx + TX_BODY_LEN, bodyLen);
  bytes(bodyPtr, bodyLen);
  store<u32>(tx + TX_BLOCK_LEN, (cursor - block) as u32);
  const flags = load<u8>(rxFrame + F_TRANSPORT) == TRANSPORT_UDP ? 0 : TXF_STREAM;
  store<u8>(tx + TX_FLAGS, flags | (candidateTrunk >= 0 ? TXF_TRUNK : 0));
  store<u16>(tx + TX_LISTENER, load<u16>(rxFrame + F_LISTENER));
  store<u32>(tx + TX_FROM_TAG, senderTag());
  store<u64>(tx + TX_LOOP, loopHash());
  targetCopy(tx + TX_SOURCE, replyTarget);
  // The URIs stand behind the body, where `storeBranches` goes on writing.
  storeAt = cursor;
  writeAt(resume);
  return true;
}

let storeAt: usize = 0;

function keep(at: usize, from: usize): void {
  const len = load<u32>(from, 4);
  store<u32>(at, storeAt as u32);
  store<u32>(at, len, 4);
  copyShort(storeAt, load<u32>(from), len);
  storeAt += len;
}

function storeBranches(tx: usize): bool {
  for (let i: u32 = 0; i < candidateCount; i++) {
    const c = candidateAt(i);
    const fork = branchNew(tx, i);
    if (fork == 0) return false;
    store<u32>(fork + FK_GROUP, load<u32>(c + CD_GROUP));
    targetCopy(fork + FK_TARGET, c + CD_TARGET);
    store<u64>(fork + FK_BINDING, load<u64>(c + CD_BINDING));
    keep(fork + FK_URI, c + CD_URI);
    keep(fork + FK_PATH, c + CD_PATH);
  }
  return true;
}

function variantsWanted(tx: usize): u32 {
  let mask: u32 = 0;
  for (let f: usize = load<u32>(tx + TX_BRANCHES); f != 0; f = load<u32>(f + FK_NEXT)) {
    mask |= variantOf(load<u8>(f + FK_TARGET));
  }
  return mask;
}

/** The media service has made the bodies for the branches (or refused the offer). */
export function inviteMediaReply(
  tx: usize,
  status: u32,
  plain: usize,
  plainLen: u32,
  webrtc: usize,
  webrtcLen: u32,
): void {
  if (load<u8>(tx + TX_STATE) != TXS_PROCEEDING) return;
  if (status != 200) {
    finishLocally(tx, status);
  } else if (!keepBody(tx + TX_PLAIN, plain, plainLen) || !keepBody(tx + TX_WEBRTC, webrtc, webrtcLen)) {
    finishLocally(tx, 503);
  } else {
    storedTake(tx);
    startGroup(tx);
  }
  changed(tx);
  schedule(tx);
}

function keepBody(at: usize, body: usize, len: u32): bool {
  if (len == 0) return true;
  const block = blockAlloc(len);
  if (block == 0) return false;
  memory.copy(block, body, len);
  store<u32>(at, block as u32);
  store<u32>(at, len, 4);
  return true;
}

/** The call of a context, or 0 when it has ended. */
export function callOf(tx: usize): usize {
  return callGet(load<u32>(tx + TX_CALL_SLOT), load<u32>(tx + TX_CALL_GEN));
}

/** Makes the stored request the current message, to answer it or to derive others from it. */
export function storedTake(tx: usize): void {
  parseMessage(load<u32>(tx + TX_BLOCK), load<u32>(tx + TX_BLOCK_LEN), false);
  editReset();
  identityPrepare();
  replyRestore(tx + TX_SOURCE);
}

/** A repeated INVITE: absorbed, with the last response again (17.2.1). */
export function inviteRepeated(tx: usize): void {
  count(C_RETRANSMITS_IN);
  const state = load<u8>(tx + TX_STATE);
  if (state != TXS_PROCEEDING && state != TXS_COMPLETED) return;
  if (load<u32>(tx + TX_LAST) != 0) sendLast(tx);
  else respond(100, 0, 0);
}

function sendLast(tx: usize): void {
  if (load<u32>(tx + TX_LAST) == 0) return;
  const frame = sendBegin(tx + TX_SOURCE);
  store<u16>(frame + F_LISTENER, load<u16>(tx + TX_LISTENER));
  bytes(load<u32>(tx + TX_LAST), load<u32>(tx + TX_LAST_LEN));
  sendResponseEnd(frame, load<u16>(tx + TX_STATUS) == 0 ? 180 : load<u16>(tx + TX_STATUS));
  count(C_RETRANSMITS_OUT);
}

/** Remembers the response in [from, cursor) as the last one. */
export function keepLast(tx: usize, from: usize): void {
  const len = (cursor - from) as u32;
  blockFree(load<u32>(tx + TX_LAST));
  const block = blockAlloc(len);
  store<u32>(tx + TX_LAST, block as u32);
  store<u32>(tx + TX_LAST_LEN, len);
  blockChanged(tx, XB_LAST);
  if (block != 0) copyShort(block, from, len);
}

/** CANCEL of the caller (RFC 3261 9.2, 16.10). */
export function cancelReceived(tx: usize): void {
  respond(200, 0, 0);
  if (load<u8>(tx + TX_STATE) != TXS_PROCEEDING || load<u32>(tx + TX_WINNER) != 0) return;
  inviteCancel(tx, TXF_CANCELLED);
}

/**
 * Ends an INVITE that is not answered yet: CANCEL to the branches, and 487 when nobody has to be waited for.
 * `by`: TXF_CANCELLED (the caller), with TXF_OPERATOR when it is an operator's wish.
 */
export function inviteCancel(tx: usize, by: u8): void {
  store<u8>(tx + TX_FLAGS, load<u8>(tx + TX_FLAGS) | by);
  storedTake(tx);
  const waiting = cancelBranches(tx, 0);
  if (waiting == 0) finishLocally(tx, 487);
  changed(tx);
  schedule(tx);
}

/** ACK for our final response (17.2.1); false when it is for a 2xx and has to be forwarded. */
export function ackReceived(tx: usize): bool {
  const state = load<u8>(tx + TX_STATE);
  if (state == TXS_COMPLETED) {
    store<u8>(tx + TX_STATE, TXS_CONFIRMED);
    store<u64>(tx + TX_DUE_LAST, 0);
    const stream = (load<u8>(tx + TX_FLAGS) & TXF_STREAM) != 0;
    store<u64>(tx + TX_DUE_END, stream ? nowMs : nowMs + (initU32(I_T4_MS) as u64));
    changed(tx);
    schedule(tx);
    return true;
  }
  return state == TXS_CONFIRMED;
}

/** All branches have failed: the best of what they said goes upstream (16.7 step 6). */
export function finishWithBest(tx: usize): void {
  const status = load<u16>(tx + TX_BEST_STATUS) as u32;
  const block: usize = load<u32>(tx + TX_BEST);
  const cancelled = (load<u8>(tx + TX_FLAGS) & TXF_CANCELLED) != 0;
  if (cancelled && status != 487) return finishLocally(tx, 487);
  if (block == 0 || status == 503) return finishLocally(tx, status == 503 ? 500 : status == 0 ? 480 : status);
  const frame = sendBegin(tx + TX_SOURCE);
  store<u16>(frame + F_LISTENER, load<u16>(tx + TX_LISTENER));
  const from = cursor;
  bytes(block, load<u32>(tx + TX_BEST_LEN));
  keepLast(tx, from);
  sendResponseEnd(frame, status);
  completed(tx, status);
}

/** Answers the INVITE with a final response of our own. */
export function finishLocally(tx: usize, status: u32): void {
  storedTake(tx);
  const frame = sendBegin(tx + TX_SOURCE);
  store<u16>(frame + F_LISTENER, load<u16>(tx + TX_LISTENER));
  const from = cursor;
  writeResponse(status, 0, 0);
  keepLast(tx, from);
  sendResponseEnd(frame, status);
  completed(tx, status);
}

function completed(tx: usize, status: u32): void {
  store<u8>(tx + TX_STATE, TXS_COMPLETED);
  changed(tx);
  store<u16>(tx + TX_STATUS, status);
  store<u64>(tx + TX_DUE_END, nowMs + timeoutMs()); // timer H
  if ((load<u8>(tx + TX_FLAGS) & TXF_STREAM) == 0) {
    store<u32>(tx + TX_INTERVAL, initU32(I_T1_MS)); // timer G
    store<u64>(tx + TX_DUE_LAST, nowMs + (initU32(I_T1_MS) as u64));
  }
  const call = callOf(tx);
  if (call != 0) callEnd(call, status, endedBy(tx));
}

function endedBy(tx: usize): u32 {
  const flags = load<u8>(tx + TX_FLAGS);
  if ((flags & TXF_OPERATOR) != 0) return ENDED_BY_OPERATOR;
  if ((flags & TXF_CANCELLED) != 0) return ENDED_BY_CALLER;
  return load<u32>(tx + TX_BEST) != 0 ? ENDED_BY_CALLEE : ENDED_BY_SWITCH;
}

/** A 2xx has been sent upstream (RFC 6026 7.1). What is not needed any more is given back at once. */
export function accepted(tx: usize, status: u32): void {
  if (load<u8>(tx + TX_STATE) == TXS_ACCEPTED) return;
  store<u8>(tx + TX_STATE, TXS_ACCEPTED);
  store<u16>(tx + TX_STATUS, status);
  store<u64>(tx + TX_DUE_END, nowMs + timeoutMs()); // timer L
  const first: usize = load<u32>(tx + TX_BRANCHES);
  if (load<u32>(first + FK_NEXT) == 0) transactionFreeBlocks(tx);
}

/** Sets the context's timer to the first thing that is due. */
export function schedule(tx: usize): void {
  let due = load<u64>(tx + TX_DUE_END);
  due = earlier(due, load<u64>(tx + TX_DUE_LAST));
  for (let f: usize = load<u32>(tx + TX_BRANCHES); f != 0; f = load<u32>(f + FK_NEXT)) {
    const state = load<u8>(f + FK_STATE);
    if (state == FKS_NEW || state == FKS_FINISHED) continue;
    due = earlier(due, load<u64>(f + FK_DUE_RETRANSMIT));
    due = earlier(due, load<u64>(f + FK_DUE_TIMEOUT));
  }
  if (due != 0) timerSet(tx + TX_TIMER, due);
}

function earlier(a: u64, b: u64): u64 {
  return a == 0 || (b != 0 && b < a) ? b : a;
}

/** Server side of the context's timer; false when the context has ended. */
export function inviteTimer(tx: usize): bool {
  const end = load<u64>(tx + TX_DUE_END);
  if (end != 0 && end <= nowMs) {
    const failed = load<u64>(tx + TX_DUE_FAILED);
    if (load<u32>(tx + TX_OPEN) == 0 && failed <= nowMs) {
      transactionFree(tx);
      return false;
    }
    // A branch is still to be heard of (its own timers end that), or may fail once more.
    store<u64>(tx + TX_DUE_END, max<u64>(failed, nowMs + LINGER_MS));
  }
  const last = load<u64>(tx + TX_DUE_LAST);
  if (last != 0 && last <= nowMs) {
    sendLast(tx);
    const interval = min(load<u32>(tx + TX_INTERVAL) * 2, initU32(I_T2_MS));
    store<u32>(tx + TX_INTERVAL, interval);
    store<u64>(tx + TX_DUE_LAST, nowMs + (interval as u64));
  }
  return true;
}
