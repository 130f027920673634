/** Parameters: `;name=value` lists of headers and URIs (RFC 3261 7.3.1, 25.1 generic-param). */
import {
  equalsIgnoreCase,
  findByte,
  paramNameEnd,
  paramTextEnd,
  skipQuoted,
  skipSpace,
  tokenEnd,
  trimEnd,
  valueCharsEnd,
} from './scan';

/** Value of the last parameter found (quotes included); length 0 when it has none. */
export let pvPtr: usize = 0;
export let pvLen: u32 = 0;
/** Where its name begins, and the length of that. */
export let pnPtr: usize = 0;
export let pnLen: u32 = 0;

// The parameters of the value checked last, so that they are not read again.
const CHECKED_MAX: u32 = 16;
const CHECKED_BYTES: u32 = 16; // u32 name, its length, value, its length
const checked: usize = memory.data(256, 16); // CHECKED_MAX * CHECKED_BYTES
let checkedCount: u32 = 0;
/** Semicolon of the first parameter that is not among them, or where they end. */
let checkedRest: usize = 0;
let checkedEnd: usize = 0;
let nextChecked: u32 = 0;
let nextRest: usize = 0;

function keepChecked(semicolon: usize, name: usize, nameEnd: usize, value: usize, valueEnd: usize): void {
  if (checkedCount == CHECKED_MAX) {
    if (checkedRest == 0) checkedRest = semicolon;
    return;
  }
  const at = checked + checkedCount * CHECKED_BYTES;
  store<u32>(at, name as u32);
  store<u32>(at, (nameEnd - name) as u32, 4);
  store<u32>(at, value as u32, 8);
  store<u32>(at, (valueEnd - value) as u32, 12);
  checkedCount++;
}

/** Goes before the first parameter of the value checked last. */
export function checkedBegin(): void {
  nextChecked = 0;
  nextRest = checkedRest;
}

/** Reads its next parameter into pn* and pv*; false when there is none. */
export function checkedNext(): bool {
  if (nextChecked < checkedCount) {
    const at = checked + nextChecked * CHECKED_BYTES;
    pnPtr = load<u32>(at);
    pnLen = load<u32>(at, 4);
    pvPtr = load<u32>(at, 8);
    pvLen = load<u32>(at, 12);
    nextChecked++;
    return true;
  }
  if (nextRest == 0 || nextRest >= checkedEnd) return false;
  nextRest = nextParam(nextRest, checkedEnd);
  return true;
}

/** Finds a parameter of the value checked last. */
export function findChecked(namePtr: usize, nameLen: u32): bool {
  checkedBegin();
  while (checkedNext()) {
    if (pnLen == nameLen && equalsIgnoreCase(pnPtr, namePtr, nameLen)) return true;
  }
  return false;
}

/**
 * Checks the parameters of a header value that begin at `at`: `;` token [`=` value], white space allowed around each
 * part. Returns the comma behind them or `end`; 0 when they are malformed. Of values it asks only that they have no
 * separator that ends them: what comes from the field is freer than the grammar.
 */
export function checkParams(at: usize, end: usize): usize {
  checkedCount = 0;
  checkedRest = 0;
  let p = skipSpace(at, end);
  while (p < end && load<u8>(p) == 59) {
    const semicolon = p;
    const name = skipSpace(p + 1, end);
    const nameEnd = tokenEnd(name, end);
    if (nameEnd == name) return 0;
    p = skipSpace(nameEnd, end);
    if (p >= end || load<u8>(p) != 61) {
      keepChecked(semicolon, name, nameEnd, nameEnd, nameEnd);
      continue;
    }
    const value = skipSpace(p + 1, end);
    if (value < end && load<u8>(value) == 34) {
      p = skipQuoted(value, end);
      if (p == 0) return 0;
    } else p = valueCharsEnd(value, end);
    keepChecked(semicolon, name, nameEnd, value, p);
    p = skipSpace(p, end);
  }
  checkedEnd = p;
  return p >= end || load<u8>(p) == 44 ? p : 0;
}

/**
 * Reads the parameter whose semicolon is at `at`, into pn* and pv*; returns the next semicolon, or `end`.
 * For lists that were checked, or of which nothing is known: it reads anything.
 */
export function nextParam(at: usize, end: usize): usize {
  const name = skipSpace(at + 1, end);
  let p = paramNameEnd(name, end);
  const nameEnd = trimEnd(name, p);
  pnPtr = name;
  pnLen = (nameEnd - name) as u32;
  pvPtr = nameEnd;
  pvLen = 0;
  if (p < end && load<u8>(p) == 61) {
    pvPtr = skipSpace(p + 1, end);
    p = valueEnd(pvPtr, end);
    pvLen = (trimEnd(pvPtr, p) - pvPtr) as u32;
  }
  return p;
}

/** Finds a parameter in `len` bytes at `ptr` (beginning at or before the first semicolon). */
export function findParam(ptr: usize, len: u32, namePtr: usize, nameLen: u32): bool {
  const end = ptr + len;
  let at = findByte(ptr, end, 59);
  while (at < end) {
    at = nextParam(at, end);
    if (pnLen == nameLen && equalsIgnoreCase(pnPtr, namePtr, nameLen)) return true;
  }
  return false;
}

function valueEnd(from: usize, end: usize): usize {
  let at = paramTextEnd(from, end);
  while (at < end && load<u8>(at) == 34) {
    const after = skipQuoted(at, end);
    if (after == 0) return end;
    at = paramTextEnd(after, end);
  }
  return at;
}
