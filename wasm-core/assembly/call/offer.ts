/**
 * Offers of the switch itself: when the transport of a leg is lost (its mediasoup worker, or the media process, has died), the
 * media service wants the leg to have a new one. The core sends it an INVITE as if it came from the other party: RFC 3261 14.1,
 * 17.1.1; the number of its CSeq: cseq.ts. While one is under way, the parties' own are answered 491 (14.2), and while one of
 * theirs is, ours waits.
 *
 * What is needed for the answers is in the call and in the branch: so a node that has taken over acknowledges them, too. The
 * offers themselves are not mirrored; the media service tells the new node what is still to be offered.
 */
import {
  CALL_STATE_ANSWERED,
  C_DROPPED,
  C_OFFERS_AGAIN,
  C_OFFERS_FAILED,
  C_OFFERS_OK,
  C_RETRANSMITS_OUT,
  EF_MEDIA,
  ENDED_BY_SWITCH,
  F_ARG0,
  F_ARG1,
  F_ARG2,
  F_ARG3,
  F_ARG4,
  F_FLAGS,
  F_LENGTH,
  FRAME_HEADER_BYTES,
  I_PENDING_MAX,
  I_T1_MS,
  I_T2_MS,
  I_TIMER_C_MS,
  LEG_CALLER,
  LOG_OFFER_FAILED,
  MEDIA_OP_OFFERED,
  METHOD_ACK,
  METHOD_INVITE,
  TRANSPORT_UDP,
} from '../abi';
import { initU32 } from '../config';
import { count } from '../counters';
import { frameBegin, frameEnd, logEvent, nowMs, sendRequestEnd, sendRequestHold } from '../effects';
import { brA, brB, brHash, brIndex } from '../identity';
import { blockAlloc, blockFree } from '../mem/pool';
import { REC_FIELDS, recGen, recSlot, tableGive, tableNew, tableTake } from '../mem/table';
import { timerCancel, timerInit, timerSet } from '../mem/wheel';
import { hasStandby } from '../mirror/active';
import { changed } from '../mirror/changes';
import { holdUntilChanges } from '../mirror/held';
import { writeBody, writeViaOf } from '../proxy/forward';
import { bodyLen, bodyPtr, callIdLen, callIdPtr, cseqNumber, statusCode } from '../sip/message';
import { G_FLOW } from '../target';
import { bytes, decimal, text } from '../text';
import { TIMER_OFFER } from '../timers';
import { timeoutMs } from '../transaction/invite';
import {
  K_CALL_HASH,
  K_LEG_B,
  K_OFFER_A,
  K_REINVITE_A,
  K_REINVITE_AT,
  K_REINVITE_B,
  callGet,
  callOfCookie,
  callState,
} from './call';
import { SHIFT_MAX, numberTake, shiftNow } from './cseq';
import { endAnswered } from './hangup';
import { ownBegin, ownDialog, ownPrepare, ownTarget, ownVia, writeContact } from './own-request';

const OF_TIMER: u32 = REC_FIELDS; // timer node
const OF_DUE: u32 = OF_TIMER + 24; // u64 ms: timer B, or C
const OF_CALL_SLOT: u32 = OF_DUE + 8; // u32
const OF_CALL_GEN: u32 = OF_DUE + 12; // u32
const OF_BLOCK: u32 = OF_DUE + 16; // u32: the SDP
const OF_LEN: u32 = OF_DUE + 20; // u32
const OF_ID: u32 = OF_DUE + 24; // u32: of the EV_OFFER
/** u32 block, length and id of the offer that comes after this one. */
const OF_NEXT: u32 = OF_DUE + 28;
const OF_CSEQ: u32 = OF_DUE + 40; // u32
const OF_INTERVAL: u32 = OF_DUE + 44; // u32 ms: timer A
const OF_FLOW: u32 = OF_DUE + 48; // u32: connection that it was sent on last
const OF_TRIES: u32 = OF_DUE + 52; // u32
const OF_SIDE: u32 = OF_DUE + 56; // u8: 0 the caller's, 1 the callee's
const OF_STATE: u32 = OF_DUE + 57; // u8
const OF_BYTES: u32 = OF_DUE + 60;

const OF_WAITING: u32 = 0;
const OF_CALLING: u32 = 1;
const OF_PROCEEDING: u32 = 2;

/** How often a waiting offer looks whether it can go, ms. */
const LOOK_MS: u64 = 100;
/** INVITEs that may be answered 491 or 500 until the offer is given up. */
const TRIES_MAX: u32 = 8;

let offers: usize = 0;

export function offersInit(): void {
  offers = tableNew(initU32(I_PENDING_MAX), OF_BYTES);
}

function offerAt(call: usize, side: u32): usize {
  return call + K_OFFER_A + side * 4;
}

function callOf(offer: usize): usize {
  return callGet(load<u32>(offer + OF_CALL_SLOT), load<u32>(offer + OF_CALL_GEN));
}

/** Media leg of a side. */
function legOf(call: usize, side: u32): u32 {
  return side == 0 ? LEG_CALLER : (load<u8>(call + K_LEG_B) as u32);
}

/** Whether one of our INVITEs in the call waits for its final answer. */
export function offerIsUnderWay(call: usize): bool {
  return isSent(call, 0) || isSent(call, 1);
}

function isSent(call: usize, side: u32): bool {
  const offer: usize = load<u32>(offerAt(call, side));
  return offer != 0 && load<u8>(offer + OF_STATE) != OF_WAITING;
}

/** Whether a party's INVITE waits for its ACK, or did so until nobody would repeat anything any more. */
function partyIsBusy(call: usize): bool {
  if ((load<u32>(call + K_REINVITE_A) | load<u32>(call + K_REINVITE_B)) == 0) return false;
  return nowMs < load<u64>(call + K_REINVITE_AT) + timeoutMs();
}

/** Tells the media service what became of an offer; with the body of the current message if that is its answer. */
function tell(id: u32, slot: u32, gen: u32, leg: u32, status: u32): void {
  const frame = frameBegin(EF_MEDIA);
  store<u8>(frame + F_FLAGS, MEDIA_OP_OFFERED);
  store<u32>(frame + F_ARG0, id);
  store<u32>(frame + F_ARG1, slot);
  store<u32>(frame + F_ARG2, gen);
  store<u32>(frame + F_ARG3, leg);
  store<u32>(frame + F_ARG4, status);
  if (status >= 200 && status < 300) bytes(bodyPtr, bodyLen);
  frameEnd();
}

/** EV_OFFER. */
export function offer(frame: usize): void {
  const slot = load<u32>(frame + F_ARG1);
  const gen = load<u32>(frame + F_ARG2);
  const leg = load<u32>(frame + F_ARG3);
  const status = accept(frame, callGet(slot, gen), leg);
  if (status != 0) tell(load<u32>(frame + F_ARG0), slot, gen, leg, status);
}

/** Keeps an offer, and sends it if it can go. 0, or why not. */
function accept(frame: usize, call: usize, leg: u32): u32 {
  if (call == 0 || callState(call) > CALL_STATE_ANSWERED) return 481;
  const side: u32 = leg == LEG_CALLER ? 0 : 1;
  const legB = load<u8>(call + K_LEG_B) as u32;
  if (side == 1 && legB != 0 && legB != leg) return 481;
  if (shiftNow(call, side == 1) >= SHIFT_MAX) return 481;
  let own: usize = load<u32>(offerAt(call, side));
  if (own != 0 && load<u32>(own + OF_ID) == load<u32>(frame + F_ARG0)) return 0; // told again
  const len = load<u32>(frame + F_LENGTH);
  const block = blockAlloc(len);
  if (block == 0) return 503;
  memory.copy(block, frame + FRAME_HEADER_BYTES, len);
  if (own == 0) {
    own = tableTake(offers);
    if (own == 0) {
      blockFree(block);
      return 503;
    }
    timerInit(own + OF_TIMER, TIMER_OFFER);
    store<u32>(own + OF_CALL_SLOT, recSlot(call));
    store<u32>(own + OF_CALL_GEN, recGen(call));
    store<u8>(own + OF_SIDE, side);
    store<u32>(offerAt(call, side), own as u32);
  }
  const at = own + (load<u8>(own + OF_STATE) == OF_WAITING ? OF_BLOCK : OF_NEXT);
  blockFree(load<u32>(at));
  store<u32>(at, block as u32);
  store<u32>(at, len, 4);
  store<u32>(at, load<u32>(frame + F_ARG0), 8);
  if (load<u8>(own + OF_STATE) == OF_WAITING) begin(call, own);
  return 0;
}

function free(own: usize): void {
  timerCancel(own + OF_TIMER);
  blockFree(load<u32>(own + OF_BLOCK));
  blockFree(load<u32>(own + OF_NEXT));
  tableGive(offers, own);
}

/** The call is given back. */
export function offersFree(call: usize): void {
  for (let side: u32 = 0; side < 2; side++) {
    const own: usize = load<u32>(offerAt(call, side));
    if (own == 0) continue;
    store<u32>(offerAt(call, side), 0);
    free(own);
  }
}

/** The offer is done; another one that came meanwhile takes its place. */
function done(call: usize, own: usize): void {
  const next: usize = load<u32>(own + OF_NEXT);
  if (next == 0) {
    store<u32>(offerAt(call, load<u8>(own + OF_SIDE)), 0);
    return free(own);
  }
  blockFree(load<u32>(own + OF_BLOCK));
  memory.copy(own + OF_BLOCK, own + OF_NEXT, 12);
  store<u32>(own + OF_NEXT, 0);
  store<u32>(own + OF_TRIES, 0);
  wait(own, 0);
}

function wait(own: usize, ms: u64): void {
  store<u8>(own + OF_STATE, OF_WAITING);
  timerSet(own + OF_TIMER, nowMs + ms);
}

/** Sends a waiting offer, or looks again later. */
function begin(call: usize, own: usize): void {
  if (callState(call) < CALL_STATE_ANSWERED || partyIsBusy(call)) return wait(own, LOOK_MS);
  const side = load<u8>(own + OF_SIDE) as u32;
  if (!ownPrepare(call, side)) return wait(own, LOOK_MS);
  store<u32>(own + OF_CSEQ, numberTake(call, side == 1));
  store<u8>(own + OF_STATE, OF_CALLING);
  store<u64>(own + OF_DUE, nowMs + timeoutMs());
  store<u32>(own + OF_INTERVAL, initU32(I_T1_MS));
  changed(call);
  send(call, own, hasStandby);
  timerSet(own + OF_TIMER, nowMs + (initU32(I_T1_MS) as u64));
}

/** Sends or repeats the INVITE; its side is prepared. `holds`: only when the standby knows of its number. */
function send(call: usize, own: usize, holds: bool): void {
  const side = load<u8>(own + OF_SIDE) as u32;
  const number = load<u32>(own + OF_CSEQ);
  store<u32>(own + OF_FLOW, load<u32>(ownTarget + G_FLOW));
  const frame = ownBegin(call, side, 'INVITE');
  ownVia(call, side, ((number as u64) << 32) | load<u32>(own + OF_ID));
  ownDialog(call, side);
  text('CSeq: ');
  decimal(number);
  text(' INVITE\r\nMax-Forwards: 70\r\nContact: <');
  writeContact(call, 1 - side);
  text('>\r\nContent-Type: application/sdp\r\n');
  writeBody(load<u32>(own + OF_BLOCK), load<u32>(own + OF_LEN));
  if (!holds) sendRequestEnd(frame, METHOD_INVITE);
  else if (sendRequestHold(frame, METHOD_INVITE)) holdUntilChanges();
}

/** Its timer is due. */
export function offerTimer(node: usize): void {
  const own = node - OF_TIMER;
  const call = callOf(own);
  if (call == 0) return free(own);
  if (callState(call) > CALL_STATE_ANSWERED) {
    store<u32>(offerAt(call, load<u8>(own + OF_SIDE)), 0);
    return free(own);
  }
  if (load<u8>(own + OF_STATE) == OF_WAITING) return begin(call, own);
  if (nowMs >= load<u64>(own + OF_DUE)) return late(call, own);
  repeat(call, own);
}

/** Timer A; over a connection only when the leg has another one since. */
function repeat(call: usize, own: usize): void {
  const isUdp = ownPrepare(call, load<u8>(own + OF_SIDE)) && load<u8>(ownTarget) == TRANSPORT_UDP;
  let interval = load<u32>(own + OF_INTERVAL) * 2;
  if (!isUdp) interval = min(interval, initU32(I_T2_MS));
  if (isUdp || load<u32>(ownTarget + G_FLOW) != load<u32>(own + OF_FLOW)) {
    count(C_RETRANSMITS_OUT);
    send(call, own, false);
  }
  store<u32>(own + OF_INTERVAL, interval);
  timerSet(own + OF_TIMER, min(nowMs + (interval as u64), load<u64>(own + OF_DUE)));
}

/** Nobody has answered at all: the leg is gone (12.2.1.2). Or it takes for ever: that is the leg's own business. */
function late(call: usize, own: usize): void {
  const isGone = load<u8>(own + OF_STATE) == OF_CALLING;
  failed(call, own, 408);
  if (isGone) endAnswered(call, ENDED_BY_SWITCH);
}

function failed(call: usize, own: usize, status: u32): void {
  count(C_OFFERS_FAILED);
  tell(load<u32>(own + OF_ID), recSlot(call), recGen(call), legOf(call, load<u8>(own + OF_SIDE)), status);
  done(call, own);
}

/** The current message answers one of our INVITEs; its branch has just been read. */
export function offerAnswered(): void {
  const call = callOfCookie(brA, brB);
  if (call == 0) return count(C_DROPPED);
  const side = brIndex;
  const own: usize = load<u32>(offerAt(call, side));
  const isCurrent =
    own != 0 && load<u8>(own + OF_STATE) != OF_WAITING && load<u32>(own + OF_CSEQ) == cseqNumber;
  if (statusCode < 200) {
    if (isCurrent) provisional(own);
    return;
  }
  sendAck(call, side);
  if (statusCode < 300) {
    // Also for a node that has taken over, and again with each repetition: the media service knows by the id what it has seen.
    tell(brHash as u32, recSlot(call), recGen(call), legOf(call, side), statusCode);
    if (!isCurrent) return;
    count(C_OFFERS_OK);
    done(call, own);
  } else if (isCurrent) refused(call, own);
}

function provisional(own: usize): void {
  if (load<u8>(own + OF_STATE) == OF_PROCEEDING) return;
  store<u8>(own + OF_STATE, OF_PROCEEDING);
  store<u64>(own + OF_DUE, nowMs + (initU32(I_TIMER_C_MS) as u64));
  timerSet(own + OF_TIMER, load<u64>(own + OF_DUE));
}

function refused(call: usize, own: usize): void {
  const status = statusCode;
  // The leg has an INVITE under way itself, or has not finished another one (14.2).
  const isBusy = status == 491 || status == 500;
  const tries = load<u32>(own + OF_TRIES) + 1;
  if (isBusy && tries < TRIES_MAX) {
    count(C_OFFERS_AGAIN);
    store<u32>(own + OF_TRIES, tries);
    return wait(own, glareMs(call, load<u8>(own + OF_SIDE), tries));
  }
  logEvent(LOG_OFFER_FAILED, status, callIdPtr, callIdLen);
  failed(call, own, status);
  if ((status == 408 || status == 481) && callState(call) == CALL_STATE_ANSWERED)
    endAnswered(call, ENDED_BY_SWITCH);
}

/**
 * Pause after 491, in steps of 10 ms (14.1): 2.1 to 4 s for who has made the Call-ID, the caller, in whose name we speak to the
 * callee; up to 2 s for the other. The core has no randomness, but calls have different hashes.
 */
function glareMs(call: usize, side: u32, tries: u32): u64 {
  const dice = ((load<u64>(call + K_CALL_HASH) + tries) * 0x9e3779b97f4a7c15) >>> 32;
  return side == 1 ? 2100 + (dice % 191) * 10 : 10 + (dice % 200) * 10;
}

/** ACK for the final answer that is the current message: of a 2xx (13.2.2.4), or of the same hop (17.1.1.3). */
function sendAck(call: usize, side: u32): void {
  if (!ownPrepare(call, side)) return;
  const frame = ownBegin(call, side, 'ACK');
  if (statusCode < 300) ownVia(call, side, brHash | 0x80000000);
  else writeViaOf(ownTarget);
  ownDialog(call, side);
  text('CSeq: ');
  decimal(cseqNumber);
  text(' ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n');
  sendRequestEnd(frame, METHOD_ACK);
}
