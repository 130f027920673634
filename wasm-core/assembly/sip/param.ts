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

/**
 * Checks the parameters of a header value that begin at `at`: `;` token [`=` value], white space allowed around each
 * part. Returns the comma behind them or `end`; 0 when they are malformed. Of values it asks only that they have no
 * separator that ends them: what comes from the field is freer than the grammar.
 */
export function checkParams(at: usize, end: usize): usize {
  let p = skipSpace(at, end);
  while (p < end && load<u8>(p) == 59) {
    p = skipSpace(p + 1, end);
    const name = p;
    p = tokenEnd(p, end);
    if (p == name) return 0;
    p = skipSpace(p, end);
    if (p >= end || load<u8>(p) != 61) continue;
    p = skipSpace(p + 1, end);
    if (p < end && load<u8>(p) == 34) {
      p = skipQuoted(p, end);
      if (p == 0) return 0;
    } else p = valueCharsEnd(p, end);
    p = skipSpace(p, end);
  }
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
