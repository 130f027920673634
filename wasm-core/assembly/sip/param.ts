/** Parameters: `;name=value` lists of headers and URIs. */
import { equalsIgnoreCase, isSpace, skipQuoted, trimEnd } from './scan';

/** Value of the last parameter found (quotes included); length 0 when it has none. */
export let pvPtr: usize = 0;
export let pvLen: u32 = 0;
/** Where its name begins. */
export let pnPtr: usize = 0;

/** Finds a parameter in `len` bytes at `ptr` (beginning at or before the first semicolon). */
export function findParam(ptr: usize, len: u32, namePtr: usize, nameLen: u32): bool {
  const end = ptr + len;
  let at = ptr;
  while (at < end && load<u8>(at) != 59) at++;
  while (at < end) {
    at++; // the semicolon
    while (at < end && isSpace(load<u8>(at))) at++;
    const name = at;
    while (at < end && load<u8>(at) != 59 && load<u8>(at) != 61) at++;
    const nameEnd = trimEnd(name, at);
    let value = at;
    if (at < end && load<u8>(at) == 61) {
      value = at + 1;
      while (value < end && isSpace(load<u8>(value))) value++;
      at = valueEnd(value, end);
    }
    if (nameEnd - name == nameLen && equalsIgnoreCase(name, namePtr, nameLen)) {
      pnPtr = name;
      pvPtr = value;
      pvLen = (trimEnd(value, at) - value) as u32;
      return true;
    }
  }
  return false;
}

function valueEnd(from: usize, end: usize): usize {
  let at = from;
  while (at < end && load<u8>(at) != 59) {
    if (load<u8>(at) == 34) {
      const after = skipQuoted(at, end);
      if (after == 0) return end;
      at = after;
    } else at++;
  }
  return at;
}
