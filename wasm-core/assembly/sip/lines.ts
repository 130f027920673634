/**
 * The header lines of the current message: where each begins and ends, which header it is, and where its value stands.
 * One pass stores offsets in a fixed table; lines of the same header are chained in their order.
 */
import { H_COUNT, H_OTHER, headerId } from './header';
import { clear } from '../mem/copy';
import { findByte, nextLineEnd, skipSpace, tokenEnd, trimEnd } from './scan';

/** Header lines of one message; a message with more is refused. */
export const HEADERS_MAX: u32 = 256;

/** Lines in the table. */
export let hdrCount: u32 = 0;
/** The last `readLines` met a line that is none, or no blank line. */
export let linesBad: bool = false;
/** The last `readLines` met more than HEADERS_MAX. */
export let linesTooMany: bool = false;

const HEADER_BYTES: u32 = 24; // u32 line, end, value, value length, id, next of the same id + 1
const headers: usize = memory.data(6144, 16); // HEADERS_MAX * HEADER_BYTES
const firsts: usize = memory.data(128, 16); // u16 by id: first + 1
const lasts: usize = memory.data(128, 16); // u16 by id: last + 1, where there is a first

/** H_* of line `i`. */
export function hdrId(i: u32): u32 {
  return load<u32>(headers + i * HEADER_BYTES, 16);
}

/** Start of the name. */
export function hdrLine(i: u32): usize {
  return load<u32>(headers + i * HEADER_BYTES);
}

/** After the line's CRLF, folded lines included. */
export function hdrLineEnd(i: u32): usize {
  return load<u32>(headers + i * HEADER_BYTES, 4);
}

/** Value, without white space around it. */
export function hdrVal(i: u32): usize {
  return load<u32>(headers + i * HEADER_BYTES, 8);
}

/** Bytes of the value; line ends of folding are part of it. */
export function hdrValLen(i: u32): u32 {
  return load<u32>(headers + i * HEADER_BYTES, 12);
}

/** First header line of that id, -1 when there is none. */
export function hdrFirst(id: u32): i32 {
  return (load<u16>(firsts + (id << 1)) as i32) - 1;
}

/** Next header line of the same id, -1 when there is none. */
export function hdrNext(i: u32): i32 {
  return (load<u32>(headers + i * HEADER_BYTES, 20) as i32) - 1;
}

/** Empties the table. */
export function clearLines(): void {
  hdrCount = 0;
  linesBad = linesTooMany = false;
  clear(firsts, ((H_COUNT << 1) + 15) & ~15);
}

/** CR or LF. */
export function isLineBreak(c: u32): bool {
  return c == 13 || c == 10;
}

/** After the CRLF at `at`. A bare LF or CR ends a line too (RFC 2543 3). */
export function skipLineBreak(at: usize, end: usize): usize {
  if (at + 1 < end && load<u16>(at) == 0x0a0d) return at + 2;
  return at < end ? at + 1 : end;
}

/** SP or HT at `at`: it goes on the line before (RFC 3261 7.3.1). */
function isFold(at: usize, end: usize): bool {
  return at < end && (load<u8>(at) == 32 || load<u8>(at) == 9);
}

/** Stores the lines from `from` on, where a search for line ends has arrived; returns the blank line, or `end` when there is none. */
export function readLines(from: usize, end: usize): usize {
  let p = from;
  while (p < end) {
    const first = nextLineEnd(p);
    if (first == p) return p;
    const colon = findByte(p, first, 58);
    let stop = first;
    let next = first + 2;
    if (load<u16>(first) != 0x0a0d || next > end) next = skipLineBreak(first, end);
    if (load<u8>(next) <= 32) {
      while (isFold(next, end)) {
        stop = nextLineEnd(next);
        next = skipLineBreak(stop, end);
      }
    }
    if (colon < first) addLine(p, colon, stop, next);
    else linesBad = true;
    p = next;
  }
  linesBad = true;
  return p;
}

/** Name without the white space that may stand before the colon. */
function trimName(line: usize, colon: usize): usize {
  let p = colon;
  while (p > line && (load<u8>(p - 1) == 32 || load<u8>(p - 1) == 9)) p--;
  return p;
}

function addLine(line: usize, colon: usize, stop: usize, next: usize): void {
  let nameEnd = colon;
  if (load<u8>(colon - 1) <= 32) nameEnd = trimName(line, colon);
  const id = headerId(line, (nameEnd - line) as u32);
  if (id == H_OTHER && !isName(line, nameEnd)) {
    linesBad = true;
    return;
  }
  if (hdrCount == HEADERS_MAX) {
    linesTooMany = true;
    return;
  }
  const value = skipSpace(colon + 1, stop);
  const h = headers + hdrCount * HEADER_BYTES;
  store<u32>(h, line as u32);
  store<u32>(h, next as u32, 4);
  store<u32>(h, value as u32, 8);
  store<u32>(h, (trimEnd(value, stop) - value) as u32, 12);
  store<u32>(h, id, 16);
  store<u32>(h, 0, 20);
  hdrCount++;
  chain(id);
}

/** A header name that is not in the table: a token. */
function isName(at: usize, end: usize): bool {
  return end > at && tokenEnd(at, end) == end;
}

/** Appends the last line to those of its id. */
function chain(id: u32): void {
  const first = firsts + (id << 1);
  const last = lasts + (id << 1);
  if (load<u16>(first) == 0) store<u16>(first, hdrCount);
  else store<u32>(headers + ((load<u16>(last) as u32) - 1) * HEADER_BYTES, hdrCount, 20);
  store<u16>(last, hdrCount);
}
