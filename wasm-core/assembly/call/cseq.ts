/**
 * CSeq of a dialog in which the switch itself has sent INVITEs (`offer.ts`). Such an INVITE takes the next number of the party in
 * whose name it goes, so the party's later requests go on with their numbers increased by as many, the *shift*, and answers to
 * them come back with it taken off. The shift that a request was given travels in the branch of our Via.
 */
import { editClose, editOpen } from '../edit';
import { H_CSEQ, H_RACK } from '../sip/header';
import { cseqNumber, hdrFirst, hdrVal, hdrValLen } from '../sip/message';
import { isDigit, isSpace, numberValue, readNumber } from '../sip/scan';
import { decimal } from '../text';
import { K_CSEQ_A, K_CSEQ_B, K_SHIFT_A, K_SHIFT_B } from './call';

// of K_SHIFT_A and K_SHIFT_B
const SH_NOW: u32 = 0; // u16: INVITEs of ours in that party's name
const SH_BEFORE: u32 = 2; // u16: the shift of the party's requests up to SH_LAST
const SH_LAST: u32 = 4; // u32: the party's last number when the shift grew

/** INVITEs of ours in one party's name in a call at most. */
export const SHIFT_MAX: u32 = 60000;

function shiftAt(call: usize, fromCaller: bool): usize {
  return call + (fromCaller ? K_SHIFT_A : K_SHIFT_B);
}

function lastOf(call: usize, fromCaller: bool): u32 {
  return load<u32>(call + (fromCaller ? K_CSEQ_A : K_CSEQ_B));
}

/** Whether the switch has sent an INVITE of its own in the call. */
export function hasShift(call: usize): bool {
  return (load<u16>(call + K_SHIFT_A) | load<u16>(call + K_SHIFT_B)) != 0;
}

/** INVITEs of ours so far in that party's name. */
export function shiftNow(call: usize, fromCaller: bool): u32 {
  return load<u16>(shiftAt(call, fromCaller));
}

/** What is added to that number of a party on its way to the other one. */
export function shiftOf(call: usize, fromCaller: bool, number: u32): u32 {
  const at = shiftAt(call, fromCaller);
  return number > load<u32>(at + SH_LAST) ? load<u16>(at + SH_NOW) : load<u16>(at + SH_BEFORE);
}

/** The next number in a party's name, as the other party is to see it. */
export function numberNext(call: usize, fromCaller: bool): u32 {
  return lastOf(call, fromCaller) + shiftNow(call, fromCaller) + 1;
}

/** Takes the next number in a party's name for good. */
export function numberTake(call: usize, fromCaller: bool): u32 {
  const at = shiftAt(call, fromCaller);
  const number = numberNext(call, fromCaller);
  const shift = load<u16>(at + SH_NOW) as u32;
  const last = lastOf(call, fromCaller);
  if (shift == 0 || load<u32>(at + SH_LAST) != last) {
    store<u16>(at + SH_BEFORE, shift);
    store<u32>(at + SH_LAST, last);
  }
  store<u16>(at + SH_NOW, shift + 1);
  return number;
}

/** Puts the digits from `from` on as `number` (an edit). */
function replaceNumber(from: usize, end: usize, number: u32): void {
  let to = from;
  while (to < end && isDigit(load<u8>(to))) to++;
  editOpen(from, to);
  decimal(number);
  editClose();
}

/** Changes the number in the current message's CSeq (an edit). */
export function editNumber(number: u32): void {
  const i = hdrFirst(H_CSEQ);
  replaceNumber(hdrVal(i), hdrVal(i) + hdrValLen(i), number);
}

/** Gives a party's request, the current message, its shift (edits). Returns the shift. */
export function shiftRequest(call: usize, fromCaller: bool): u32 {
  if (shiftNow(call, fromCaller) == 0) return 0;
  const shift = shiftOf(call, fromCaller, cseqNumber);
  if (shift != 0) editNumber(cseqNumber + shift);
  const i = hdrFirst(H_RACK);
  if (i >= 0) shiftRAck(call, fromCaller, hdrVal(i), hdrVal(i) + hdrValLen(i));
  return shift;
}

/** RAck names the INVITE by its number (RFC 3262 7.2): response number, CSeq number, method. */
function shiftRAck(call: usize, fromCaller: bool, from: usize, end: usize): void {
  let at = from;
  while (at < end && isDigit(load<u8>(at))) at++;
  while (at < end && isSpace(load<u8>(at))) at++;
  let to = at;
  while (to < end && isDigit(load<u8>(to))) to++;
  if (!readNumber(at, to)) return;
  const number = numberValue;
  replaceNumber(at, end, number + shiftOf(call, fromCaller, number));
}
