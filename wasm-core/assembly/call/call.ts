/**
 * Call records: what is known of a call beyond its messages. From the first INVITE to the end;
 * written at each processing point (invited, ringing, answered, modified, ended).
 */
import {
  C_CALLS_ACTIVE,
  C_CALLS_ANSWERED_TOTAL,
  C_CALLS_INVITED,
  C_CALLS_TOTAL,
  C_FINAL,
  CALL_STATE_ANSWERED,
  CALL_STATE_ENDED,
  CALL_STATE_INVITED,
  CALL_STATE_RINGING,
  CR_ANSWERED,
  CR_BREACHES,
  CR_CALLEE_TRANSPORT,
  CR_CALLER_TRANSPORT,
  CR_CAUSE,
  CR_CORE_LAST_US,
  CR_ENDED,
  CR_ENDED_BY,
  CR_FLAGS,
  CR_GENERATION,
  CR_MEDIA_LAST_US,
  CR_MEDIA_MAX_US,
  CR_QUEUE_LAST_US,
  CR_RINGING,
  CR_SETUP_US,
  CR_SLOT,
  CR_STARTED,
  CR_STATE,
  CR_STRINGS,
  CRF_ANCHORED,
  EF_CALL,
  EF_MEDIA,
  F_ARG0,
  F_ARG1,
  F_ARG2,
  F_ARG3,
  F_FLAGS,
  I_ANCHOR,
  I_CALL_DURATION_MAX_S,
  I_CALL_EVENTS,
  I_CALLS_MAX,
  LEG_CALLER,
  MEDIA_OP_CLOSE_CALL,
  MEDIA_OP_CLOSE_LEG,
  MRT_CALL,
} from '../abi';
import { initU32 } from '../config';
import { count, countAdd } from '../counters';
import { frameBegin, frameEnd, nowMs, nowUs } from '../effects';
import { callHash } from '../identity';
import { changed } from '../mirror/changes';
import { blockAlloc, blockFree } from '../mem/pool';
import { REC_FIELDS, recGen, recSlot, tableGet, tableGive, tableNew, tableTake } from '../mem/table';
import { timerCancel, timerInit, timerSet } from '../mem/wheel';
import { TARGET_BYTES } from '../target';
import { bytes, cursor, writeAt } from '../text';
import { TIMER_CALL } from '../timers';
import { arrivedUs } from './latency';
import { offersFree } from './offer';

export const K_STATE: u32 = REC_FIELDS; // u8 CALL_STATE_*
export const K_ENDED_BY: u32 = K_STATE + 1; // u8 ENDED_BY_*
export const K_CAUSE: u32 = K_STATE + 2; // u16
export const K_FLAGS: u32 = K_STATE + 4; // u16 CRF_*
export const K_LEG_B: u32 = K_STATE + 6; // u8: media leg of the callee
export const K_BYES: u32 = K_STATE + 7; // u8: bit 0/1: our BYE to caller/callee is unanswered
export const K_STARTED: u32 = K_STATE + 8; // f64 µs, and so on
export const K_RINGING: u32 = K_STARTED + 8;
export const K_ANSWERED: u32 = K_STARTED + 16;
export const K_ENDED: u32 = K_STARTED + 24;
export const K_TIMER: u32 = K_STARTED + 32; // timer node
export const K_A: u32 = K_TIMER + 24; // target: the caller
export const K_B: u32 = K_A + TARGET_BYTES; // target: the callee
export const K_TX_SLOT: u32 = K_B + TARGET_BYTES; // u32
export const K_TX_GEN: u32 = K_TX_SLOT + 4; // u32
export const K_CSEQ_A: u32 = K_TX_SLOT + 8; // u32: last CSeq of the caller
export const K_CSEQ_B: u32 = K_TX_SLOT + 12; // u32
/** Strings from the INVITE, each with a u16 length: Call-ID, from URI, to URI, trunk, From, Contact, routes to the caller. */
export const K_INVITE: u32 = K_TX_SLOT + 16; // u32 block
/** Strings from the answer: To, Contact, routes to the callee. */
export const K_ANSWER: u32 = K_TX_SLOT + 20; // u32 block
export const K_MEDIA_LAST: u32 = K_TX_SLOT + 24; // f32 µs
export const K_MEDIA_MAX: u32 = K_TX_SLOT + 28; // f32 µs
export const K_SETUP: u32 = K_TX_SLOT + 32; // f32 µs
export const K_BREACHES: u32 = K_TX_SLOT + 36; // u8 each: queue, core, media, setup
/** Bindings behind the legs: slot and generation of the caller's, then of the callee's (generation 0: none). */
export const K_BINDING_A: u32 = K_TX_SLOT + 40;
export const K_BINDING_B: u32 = K_TX_SLOT + 48;
export const K_BYE_AT: u32 = K_TX_SLOT + 56; // u64 ms: when our BYE was first sent
export const K_BYE_INTERVAL: u32 = K_BYE_AT + 8; // u32 ms
/** u64: hash of the Call-ID. */
export const K_CALL_HASH: u32 = K_BYE_INTERVAL + 8;
export const K_QUEUE_LAST: u32 = K_CALL_HASH + 8; // f32 µs
export const K_QUEUE_MAX: u32 = K_QUEUE_LAST + 4; // f32 µs
export const K_CORE_LAST: u32 = K_QUEUE_LAST + 8; // f32 µs
export const K_CORE_MAX: u32 = K_QUEUE_LAST + 12; // f32 µs
/** Of the caller's requests, and of the callee's: how far their CSeq is shifted (cseq.ts). */
export const K_SHIFT_A: u32 = K_CORE_MAX + 4;
export const K_SHIFT_B: u32 = K_SHIFT_A + 8;
/** u32 each: CSeq of a re-INVITE of the caller and of the callee that is under way, 0 = none; since when (u64 ms). */
export const K_REINVITE_A: u32 = K_SHIFT_B + 8;
export const K_REINVITE_B: u32 = K_REINVITE_A + 4;
export const K_REINVITE_AT: u32 = K_REINVITE_A + 8;
/** u32 each: our own offer to the caller, to the callee (offer.ts), 0 = none. Not mirrored. */
export const K_OFFER_A: u32 = K_REINVITE_AT + 8;
export const K_OFFER_B: u32 = K_OFFER_A + 4;
export const CALL_BYTES: u32 = K_OFFER_B + 4;

/** Strings of K_INVITE. */
export const S_CALL_ID: u32 = 0;
export const S_FROM_URI: u32 = 1;
export const S_TO_URI: u32 = 2;
export const S_TRUNK: u32 = 3;
export const S_FROM: u32 = 4;
export const S_CALLER_CONTACT: u32 = 5;
export const S_CALLER_ROUTES: u32 = 6;
/** Strings of K_ANSWER. */
export const S_TO: u32 = 0;
export const S_CALLEE_CONTACT: u32 = 1;
export const S_CALLEE_ROUTES: u32 = 2;

let calls: usize = 0;

export function callsInit(): void {
  calls = tableNew(initU32(I_CALLS_MAX), CALL_BYTES, 1, MRT_CALL);
}

export function callTable(): usize {
  return calls;
}

export function callGet(slot: u32, gen: u32): usize {
  return tableGet(calls, slot, gen);
}

/**
 * The call of a cookie in the current message, or 0. Slots and generations begin again when a node does, while cookies
 * stay valid: so the Call-ID must be the call's, too.
 */
export function callOfCookie(slot: u32, gen: u32): usize {
  const call = tableGet(calls, slot, gen);
  return call != 0 && load<u64>(call + K_CALL_HASH) == callHash ? call : 0;
}

export function callOfTimer(node: usize): usize {
  return node - K_TIMER;
}

/** A new call in state Invited, or 0 when the table is full. */
export function callNew(): usize {
  const call = tableTake(calls);
  if (call == 0) return 0;
  timerInit(call + K_TIMER, TIMER_CALL);
  store<f64>(call + K_STARTED, arrivedUs());
  store<u64>(call + K_CALL_HASH, callHash);
  store<u16>(call + K_FLAGS, initU32(I_ANCHOR) != 0 ? CRF_ANCHORED : 0);
  store<u8>(call + K_STATE, CALL_STATE_INVITED);
  count(C_CALLS_TOTAL);
  count(C_CALLS_ACTIVE);
  count(C_CALLS_INVITED);
  return call;
}

/** Gauge of a state; the states count from Invited. */
export function stateGauge(state: u32): u32 {
  return C_CALLS_INVITED + state - CALL_STATE_INVITED;
}

export function callState(call: usize): u32 {
  return load<u8>(call + K_STATE);
}

/** Moves a call to another state and tells the host if it asked to be told. */
export function callSetState(call: usize, state: u32): void {
  countAdd(stateGauge(callState(call)), -1);
  count(stateGauge(state));
  store<u8>(call + K_STATE, state);
  changed(call);
  callTell(call, state);
}

export function callTell(call: usize, state: u32): void {
  if ((initU32(I_CALL_EVENTS) & (1 << state)) == 0) return;
  const frame = frameBegin(EF_CALL);
  store<u32>(frame + F_ARG0, state);
  store<u32>(frame + F_ARG1, recSlot(call));
  store<u32>(frame + F_ARG2, recGen(call));
  callWrite(call, state);
  frameEnd();
}

/** Writes the record as in abi.ts CR_* at the text cursor. */
export function callWrite(call: usize, state: u32): void {
  const at = cursor;
  store<f64>(at + CR_STARTED, load<f64>(call + K_STARTED));
  store<f64>(at + CR_RINGING, load<f64>(call + K_RINGING));
  store<f64>(at + CR_ANSWERED, load<f64>(call + K_ANSWERED));
  store<f64>(at + CR_ENDED, load<f64>(call + K_ENDED));
  store<u32>(at + CR_SLOT, recSlot(call));
  store<u32>(at + CR_GENERATION, recGen(call));
  store<u8>(at + CR_STATE, state);
  store<u8>(at + CR_ENDED_BY, load<u8>(call + K_ENDED_BY));
  store<u8>(at + CR_CALLER_TRANSPORT, load<u8>(call + K_A));
  store<u8>(at + CR_CALLEE_TRANSPORT, load<u8>(call + K_B));
  store<u16>(at + CR_CAUSE, load<u16>(call + K_CAUSE));
  store<u16>(at + CR_FLAGS, load<u16>(call + K_FLAGS));
  store<u32>(at + CR_BREACHES, load<u32>(call + K_BREACHES));
  store<f32>(at + CR_MEDIA_LAST_US, load<f32>(call + K_MEDIA_LAST));
  store<f32>(at + CR_MEDIA_MAX_US, load<f32>(call + K_MEDIA_MAX));
  store<f32>(at + CR_SETUP_US, load<f32>(call + K_SETUP));
  store<u64>(at + CR_QUEUE_LAST_US, load<u64>(call + K_QUEUE_LAST));
  store<u64>(at + CR_CORE_LAST_US, load<u64>(call + K_CORE_LAST));
  writeAt(at + CR_STRINGS);
  for (let s = S_CALL_ID; s <= S_TRUNK; s++) {
    const p = callString(load<u32>(call + K_INVITE), s);
    bytes(p, (load<u16>(p) as u32) + 2);
  }
}

/** Address of the `n`th string of a block: u16 length, then bytes. */
export function callString(block: usize, n: u32): usize {
  let at = block;
  for (let i: u32 = 0; i < n; i++) at += (load<u16>(at) as usize) + 2;
  return at;
}

/** Appends a string with its length at the text cursor. */
export function putString(ptr: usize, len: u32): void {
  store<u16>(cursor, len);
  writeAt(cursor + 2);
  bytes(ptr, len);
}

/** Ringing: the first provisional response beyond 100. */
export function callRinging(call: usize): void {
  if (callState(call) != CALL_STATE_INVITED) return;
  store<f64>(call + K_RINGING, nowUs);
  callSetState(call, CALL_STATE_RINGING);
}

export function callAnswered(call: usize, status: u32): void {
  store<f64>(call + K_ANSWERED, nowUs);
  store<u16>(call + K_CAUSE, status);
  count(C_CALLS_ANSWERED_TOTAL);
  callSetState(call, CALL_STATE_ANSWERED);
  const seconds = initU32(I_CALL_DURATION_MAX_S);
  if (seconds != 0) timerSet(call + K_TIMER, nowMs + (seconds as u64) * 1000);
}

export function callIsAnchored(call: usize): bool {
  return (load<u16>(call + K_FLAGS) & CRF_ANCHORED) != 0;
}

function tellMedia(call: usize, op: u32, leg: u32): void {
  const frame = frameBegin(EF_MEDIA);
  store<u8>(frame + F_FLAGS, op);
  store<u32>(frame + F_ARG1, recSlot(call));
  store<u32>(frame + F_ARG2, recGen(call));
  store<u32>(frame + F_ARG3, leg);
  frameEnd();
}

/** A branch of the call will not be answered: its media can go. */
export function callCloseLeg(call: usize, leg: u32): void {
  if (callIsAnchored(call) && leg != LEG_CALLER) tellMedia(call, MEDIA_OP_CLOSE_LEG, leg);
}

/** Marks the end (cause: final SIP status) and lets the media go; the record stays until `callFree`. */
export function callStop(call: usize, cause: u32, endedBy: u32): void {
  if (load<f64>(call + K_ENDED) != 0) return;
  store<f64>(call + K_ENDED, nowUs);
  store<u8>(call + K_ENDED_BY, endedBy);
  if (load<u16>(call + K_CAUSE) == 0) store<u16>(call + K_CAUSE, cause);
  changed(call);
  const final = load<u16>(call + K_CAUSE) as u32;
  if (final >= 200 && final < 700) count(C_FINAL + final - 200);
  if (callIsAnchored(call)) tellMedia(call, MEDIA_OP_CLOSE_CALL, 0);
  callTell(call, CALL_STATE_ENDED);
}

/** Gives the record back. */
export function callFree(call: usize): void {
  timerCancel(call + K_TIMER);
  offersFree(call);
  countAdd(stateGauge(callState(call)), -1);
  countAdd(C_CALLS_ACTIVE, -1);
  blockFree(load<u32>(call + K_INVITE));
  blockFree(load<u32>(call + K_ANSWER));
  tableGive(calls, call);
}

/** `callStop` and `callFree`. */
export function callEnd(call: usize, cause: u32, endedBy: u32): void {
  callStop(call, cause, endedBy);
  callFree(call);
}

/** A block for strings of a call, with the text cursor set to it; 0 when none is free. */
export function stringsBegin(room: u32): usize {
  const block = blockAlloc(room);
  if (block != 0) writeAt(block);
  return block;
}
