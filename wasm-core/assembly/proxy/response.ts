/**
 * Responses (RFC 3261 16.7): the branch of the topmost Via, which is ours and signed, says where they belong
 * and where they go. One that does not prove to be ours is dropped, so that nothing is ever sent where a
 * stranger wants it.
 */
import {
  CALL_STATE_ENDING,
  C_DROPPED,
  C_RESPONSES_IN,
  F_TRANSPORT,
  I_ANCHOR,
  LEG_CALLER,
  METHOD_CANCEL,
  METHOD_INVITE,
} from '../abi';
import { K_A, K_B, K_LEG_B, callOfCookie, callIsAnchored, callState } from '../call/call';
import { byeAnswered, orphanEnd } from '../call/hangup';
import { editNumber } from '../call/cseq';
import { initU32 } from '../config';
import { latencySeen } from '../call/latency';
import { hasSdp, mediaDone, mediaForMessage } from '../call/media';
import { offerAnswered } from '../call/offer';
import { editCut } from '../edit';
import { count, rxFrame, sendBegin, sendResponseEnd } from '../effects';
import {
  BRANCH_OWN,
  BRANCH_STATELESS,
  BRANCH_TRANSACTION,
  brA,
  brB,
  brBack,
  brIndex,
  brKind,
  brShift,
  readBranch,
} from '../identity';
import { tableHadOnce } from '../mem/table';
import { H_CONTENT_LENGTH } from '../sip/header';
import {
  cseqMethodId,
  cseqNumber,
  headersPtr,
  msgPtr,
  statusCode,
  viaBranchLen,
  viaBranchPtr,
  viaCutEnd,
  viaCutPtr,
} from '../sip/message';
import { variantOf } from '../target';
import { bytes } from '../text';
import { branchMediaFailed, branchResponse } from '../transaction/branch';
import { writeResponse } from '../transaction/respond';
import { branchAt, transactionOfCookie, transactionTable } from '../transaction/tables';
import { cutAll, writeRest } from './forward';

export function handleResponse(): void {
  if (!mediaDone) count(C_RESPONSES_IN + (statusCode / 100) * 8 + load<u8>(rxFrame + F_TRANSPORT));
  if (!readBranch(viaBranchPtr, viaBranchLen)) return count(C_DROPPED);
  editCut(viaCutPtr, viaCutEnd);
  if (brKind == BRANCH_OWN) {
    if (cseqMethodId == METHOD_INVITE) offerAnswered();
    else byeAnswered(brA, brB, brIndex);
    return;
  }
  if (brKind == BRANCH_TRANSACTION) {
    const tx = transactionOfCookie(brA, brB);
    const fork: usize = tx == 0 ? 0 : branchAt(tx, brIndex);
    if (fork != 0) return branchResponse(tx, fork);
    // A context that has ended has answered the caller (RFC 6026 8.9). One that died with its node has not: from the cookie
    // alone, if nothing has to be rewritten; 100 is of one hop.
    // That to a CANCEL is for us alone (RFC 3261 16.10), and so is 100.
    const isOurs = cseqMethodId == METHOD_CANCEL || statusCode == 100;
    const stray = tableHadOnce(transactionTable(), brA, brB);
    if (isOurs || stray) return count(C_DROPPED);
    return needsItsCall() ? endLost() : forwardResponse(brBack);
  }
  if (brKind == BRANCH_STATELESS) forwardInDialogResponse();
}

/** Whether a response can't be forwarded without its call: its body would have to be another. */
function needsItsCall(): bool {
  return initU32(I_ANCHOR) != 0 && hasSdp() && !mediaDone;
}

/** A response whose call died with its node. If it is an answer, nobody waits for the other side: both hear that it is over. */
function endLost(): void {
  if (cseqMethodId != METHOD_INVITE || statusCode < 200 || statusCode >= 300) return count(C_DROPPED);
  const frame = sendBegin(brBack);
  writeResponse(500, 0, 0);
  sendResponseEnd(frame, 500);
  orphanEnd(0);
}

function forwardInDialogResponse(): void {
  const call = callOfCookie(brA, brB);
  if (call != 0 && !mediaDone) latencySeen(call);
  if (call != 0 && !mediaDone && callIsAnchored(call) && hasSdp()) {
    if (callState(call) >= CALL_STATE_ENDING) return count(C_DROPPED); // its media has ended
    const fromCaller = brIndex == LEG_CALLER;
    const legB = load<u8>(call + K_LEG_B) as u32;
    const transport = load<u8>(call + (fromCaller ? K_A : K_B)) as u32;
    const variant = variantOf(load<u8>(call + (fromCaller ? K_B : K_A)));
    if (!mediaForMessage(call, brIndex, transport, fromCaller ? legB : LEG_CALLER, variant)) count(C_DROPPED);
    return;
  }
  if (brShift != 0) editNumber(cseqNumber - brShift);
  forwardResponse(brBack);
}

/** Sends the current response on to `target`, without our Via. */
export function forwardResponse(target: usize): void {
  const frame = sendBegin(target);
  writeForwarded();
  sendResponseEnd(frame, statusCode);
}

/** Writes the current response without our Via, and with the new body where there is one. */
export function writeForwarded(): void {
  cutAll(H_CONTENT_LENGTH);
  bytes(msgPtr, (headersPtr - msgPtr) as u32);
  writeRest();
}

/** The media service refused the body of the current response. */
export function responseMediaFailed(status: u32): void {
  if (!readBranch(viaBranchPtr, viaBranchLen)) return;
  editCut(viaCutPtr, viaCutEnd);
  if (brKind != BRANCH_TRANSACTION) return count(C_DROPPED);
  const tx = transactionOfCookie(brA, brB);
  const fork: usize = tx == 0 ? 0 : branchAt(tx, brIndex);
  if (fork != 0) branchMediaFailed(tx, fork, status);
}
