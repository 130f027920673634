/** Requests that the switch sends in a call itself: to one side, as if they came from the other (RFC 3261 12.2.1.1). */
import { sendBegin } from '../effects';
import { BRANCH_OWN, identityFor } from '../identity';
import { recGen, recSlot } from '../mem/table';
import { writeVia } from '../proxy/forward';
import { B_TARGET, bindingGet } from '../registrar/bindings';
import { targetCopy } from '../target';
import { bytes, crlf, text } from '../text';
import {
  K_A,
  K_ANSWER,
  K_B,
  K_BINDING_A,
  K_BINDING_B,
  K_INVITE,
  S_CALLEE_CONTACT,
  S_CALLEE_ROUTES,
  S_CALLER_CONTACT,
  S_CALLER_ROUTES,
  S_CALL_ID,
  S_FROM,
  S_FROM_URI,
  S_TO,
  S_TO_URI,
  callString,
} from './call';

/** Where the last request of ours goes. */
export const ownTarget: usize = memory.data(32, 16);
/** Answers to our own requests go nowhere further. A branch must not change when a connection does. */
const NOWHERE: usize = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

function writeString(block: usize, n: u32): void {
  const s = callString(block, n);
  bytes(s + 2, load<u16>(s));
}

function stringLength(block: usize, n: u32): u32 {
  return load<u16>(callString(block, n));
}

function inviteOf(call: usize): usize {
  return load<u32>(call + K_INVITE);
}

function answerOf(call: usize): usize {
  return load<u32>(call + K_ANSWER);
}

/** Sets `ownTarget` to where a side is now: its binding's present connection, else the target of the record. */
function findLeg(call: usize, leg: u32): void {
  const known = call + (leg == 0 ? K_BINDING_A : K_BINDING_B);
  const binding: usize = load<u32>(known, 4) == 0 ? 0 : bindingGet(load<u32>(known), load<u32>(known, 4));
  const fallback = call + ((leg == 0 ? K_A : K_B) as usize);
  targetCopy(ownTarget, binding != 0 ? binding + B_TARGET : fallback);
}

/** Finds the side (0 the caller, 1 the callee) for `ownBegin`; false when it can't be written to. */
export function ownPrepare(call: usize, leg: u32): bool {
  if (answerOf(call) == 0) return false;
  findLeg(call, leg);
  const id = callString(inviteOf(call), S_CALL_ID);
  identityFor(id + 2, load<u16>(id));
  return true;
}

/** Opens a request to the side that was prepared: up to Call-ID. CSeq and what else there is follow. */
export function ownBegin(call: usize, leg: u32, method: string): usize {
  const frame = sendBegin(ownTarget);
  text(method);
  text(' ');
  writeContact(call, leg);
  text(' SIP/2.0\r\n');
  return frame;
}

/** Our Via; `hash` tells the requests of a call to a side apart. */
export function ownVia(call: usize, leg: u32, hash: u64): void {
  writeVia(ownTarget, BRANCH_OWN, NOWHERE, recSlot(call), recGen(call), leg, hash);
}

/** Route, From, To and Call-ID. */
export function ownDialog(call: usize, leg: u32): void {
  const invite = inviteOf(call);
  const answer = answerOf(call);
  const routesBlock = leg == 0 ? invite : answer;
  const routes = leg == 0 ? S_CALLER_ROUTES : S_CALLEE_ROUTES;
  if (stringLength(routesBlock, routes) > 0) {
    text('Route: ');
    writeString(routesBlock, routes);
    crlf();
  }
  text('From: ');
  if (leg == 0) writeString(answer, S_TO);
  else writeString(invite, S_FROM);
  text('\r\nTo: ');
  if (leg == 0) writeString(invite, S_FROM);
  else writeString(answer, S_TO);
  text('\r\nCall-ID: ');
  writeString(invite, S_CALL_ID);
  crlf();
}

/** Contact of a side; where it gave none, the URI that it was called by. */
export function writeContact(call: usize, leg: u32): void {
  const block = leg == 0 ? inviteOf(call) : answerOf(call);
  const contact = leg == 0 ? S_CALLER_CONTACT : S_CALLEE_CONTACT;
  if (stringLength(block, contact) > 0) writeString(block, contact);
  else writeString(inviteOf(call), leg == 0 ? S_FROM_URI : S_TO_URI);
}
