/** Numbers in user parts (RFC 3966 3, RFC 3261 19.1.6). */

/** Longest user part that is looked at as a number. */
export const NUMBER_BYTES_MAX: u32 = 128;

/** `-`, `.`, `(` and `)`, which only help the eye (RFC 3966 5.1.1). */
function isSeparator(c: u32): bool {
  return c == 45 || c == 46 || c == 40 || c == 41;
}

/** Digits, `+`, `*`, `#`, and the hexadecimal digits A to D of DTMF keypads. */
function isNumberChar(c: u32): bool {
  return c - 48 < 10 || c == 43 || c == 42 || c == 35 || (c | 32) - 97 < 4;
}

/**
 * Copies a user part without the parameters of a telephone number and without visual separators; what is no number, but
 * a name, is copied as it is. `dst` has room for `len` bytes. Returns the length.
 */
export function numberInto(dst: usize, ptr: usize, len: u32): u32 {
  let out = dst;
  let digits = false;
  for (let i: u32 = 0; i < len; i++) {
    const c = load<u8>(ptr + i) as u32;
    if (c == 59) break;
    if (isSeparator(c)) continue;
    if (!isNumberChar(c)) return copied(dst, ptr, len);
    if (c - 48 < 10) digits = true;
    store<u8>(out++, c);
  }
  return digits ? ((out - dst) as u32) : copied(dst, ptr, len);
}

function copied(dst: usize, ptr: usize, len: u32): u32 {
  memory.copy(dst, ptr, len);
  return len;
}
