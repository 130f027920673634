/**
 * Requests within a dialog: forwarded from the message and its cookie alone (DESIGN 2). The call's record,
 * where there is one, is kept up to date: CSeq, targets, media, the end.
 */
import {
  CALL_STATE_ANSWERED,
  CALL_STATE_ENDING,
  C_DROPPED,
  ENDED_BY_CALLEE,
  ENDED_BY_CALLER,
  I_ANCHOR,
  LEG_CALLER,
  METHOD_ACK,
  METHOD_BYE,
  METHOD_INVITE,
  METHOD_UPDATE,
} from '../abi';
import {
  K_A,
  K_B,
  K_CSEQ_A,
  K_CSEQ_B,
  K_LEG_B,
  K_REINVITE_A,
  K_REINVITE_AT,
  K_REINVITE_B,
  callOfCookie,
  callIsAnchored,
  callState,
} from '../call/call';
import { shiftRequest } from '../call/cseq';
import { endByParty } from '../call/hangup';
import { latencySeen } from '../call/latency';
import { hasSdp, mediaDone, mediaForMessage } from '../call/media';
import { offerIsUnderWay } from '../call/offer';
import { initU32 } from '../config';
import { count, nowMs, sendBegin, sendRequestEnd } from '../effects';
import {
  BRANCH_STATELESS,
  NO_CALL,
  cookieLeg,
  dcFromTag,
  dcGen,
  dcLegB,
  dcSlot,
  statelessHash,
  senderTag,
} from '../identity';
import { changed } from '../mirror/changes';
import { H_CONTACT } from '../sip/header';
import { cseqNumber, hdrFirst, methodId, methodLen, methodPtr, uriLen, uriPtr } from '../sip/message';
import { parseIp, parseUri, uHostLen, uHostPtr, uPort } from '../sip/uri';
import { G_ADDRESS, G_PORT, targetCopy, variantOf } from '../target';
import { bytes, text } from '../text';
import { refuse, refuseBusy, replyTarget } from '../transaction/respond';
import { editsForRequest, writeRest, writeVia } from './forward';
import { routeNextLen, routeNextPtr } from './route';
import { senderTarget } from './source';

const target: usize = memory.data(32, 16);
const refreshed: usize = memory.data(32, 16);

/** Forwards the current request; its cookie has just been read (dc*). */
export function forwardInDialog(): void {
  const fromCaller = senderTag() == dcFromTag;
  const call = callOfLeg();
  if (call != 0 && !mediaDone) latencySeen(call);
  const over = call == 0 ? dcSlot != NO_CALL && initU32(I_ANCHOR) != 0 : callState(call) >= CALL_STATE_ENDING;
  if (over && hasSdp() && methodId != METHOD_ACK) return refuse(481); // its media has ended
  if (!findTarget(call, fromCaller)) {
    // The other side's binding is gone: nobody is there any more.
    if (methodId == METHOD_BYE && call != 0) endByParty(call, fromCaller ? ENDED_BY_CALLER : ENDED_BY_CALLEE);
    return methodId == METHOD_ACK ? count(C_DROPPED) : refuse(480);
  }
  if (call != 0 && !mediaDone && reinvite(call, fromCaller)) return refuse(491);
  const leg = fromCaller ? LEG_CALLER : dcLegB;
  const other = fromCaller ? dcLegB : LEG_CALLER;
  if (call != 0 && !mediaDone && callIsAnchored(call) && hasSdp()) {
    const transport = load<u8>(fromCaller ? call + K_A : call + K_B) as u32;
    if (!mediaForMessage(call, leg, transport, other, variantOf(load<u8>(target)))) refuseBusy();
    return;
  }
  editsForRequest();
  const shift = call != 0 ? shiftRequest(call, fromCaller) : 0;
  const hash = statelessHash();
  const frame = sendBegin(target);
  bytes(methodPtr, methodLen);
  text(' ');
  bytes(uriPtr, uriLen);
  text(' SIP/2.0\r\n');
  writeVia(target, BRANCH_STATELESS, replyTarget, dcSlot, dcGen, other | (shift << 8), hash);
  writeRest();
  sendRequestEnd(frame, methodId);
  if (call != 0) follow(call, fromCaller);
}

/**
 * Follows an INVITE of a party until its ACK, as ours has to wait for it. True when a request has to wait for one of ours instead
 * (RFC 3261 14.2, RFC 3311 5.2).
 */
function reinvite(call: usize, fromCaller: bool): bool {
  const at = call + (fromCaller ? K_REINVITE_A : K_REINVITE_B);
  if (methodId == METHOD_ACK) {
    if (load<u32>(at) != cseqNumber || cseqNumber == 0) return false;
    store<u32>(at, 0);
    changed(call);
    return false;
  }
  if (methodId != METHOD_INVITE) return methodId == METHOD_UPDATE && hasSdp() && offerIsUnderWay(call);
  if (offerIsUnderWay(call)) return true;
  store<u32>(at, cseqNumber);
  store<u64>(call + K_REINVITE_AT, nowMs);
  return false;
}

/** The call that the cookie just read belongs to; 0 in the dialog of a device that answered later than another one. */
function callOfLeg(): usize {
  const call = callOfCookie(dcSlot, dcGen);
  const leg = call == 0 ? 0 : (load<u8>(call + K_LEG_B) as u32);
  return leg != 0 && leg != dcLegB ? 0 : call;
}

/** Next hop: a Route beyond us, else the leg as the call's record knows it, else as its cookie does. */
function findTarget(call: usize, fromCaller: bool): bool {
  const leg: u32 = fromCaller ? 1 : 0;
  if (!cookieLeg(leg, target)) return false;
  const answered = call != 0 && (!fromCaller || callState(call) >= CALL_STATE_ANSWERED);
  if (answered && load<u8>(target) == 0) targetCopy(target, fromCaller ? call + K_B : call + K_A);
  if (routeNextLen > 0 && load<u8>(target) == 0 && parseUri(routeNextPtr, routeNextLen)) {
    if (parseIp(uHostPtr, uHostLen, target + G_ADDRESS)) {
      store<u16>(target + G_PORT, uPort == 0 ? 5060 : uPort);
    }
  }
  return true;
}

/** What a forwarded request changes in its call. */
function follow(call: usize, fromCaller: bool): void {
  const last = call + (fromCaller ? K_CSEQ_A : K_CSEQ_B);
  if (cseqNumber > load<u32>(last)) {
    store<u32>(last, cseqNumber);
    changed(call);
  }
  if (methodId == METHOD_BYE && callState(call) >= CALL_STATE_ANSWERED) {
    endByParty(call, fromCaller ? ENDED_BY_CALLER : ENDED_BY_CALLEE);
    return;
  }
  // Target refresh (RFC 3261 12.2.2): only to where the request really came from.
  if ((methodId == METHOD_INVITE || methodId == METHOD_UPDATE) && hdrFirst(H_CONTACT) >= 0) {
    senderTarget(refreshed, false);
    if (load<u8>(refreshed) != 0) return;
    targetCopy(fromCaller ? call + K_A : call + K_B, refreshed);
    changed(call);
  }
}
