/** Reading bytes: classes of characters, comparisons, numbers, and finding the end of a line. */

/** Address of the next CR or LF in [at, end), or `end`. SIMD: 16 bytes at a time. */
export function findLineEnd(at: usize, end: usize): usize {
  let p = at;
  const cr = i8x16.splat(13);
  const lf = i8x16.splat(10);
  while (p + 16 <= end) {
    const chunk = v128.load(p);
    const hits = i8x16.bitmask(v128.or(i8x16.eq(chunk, cr), i8x16.eq(chunk, lf)));
    if (hits != 0) return p + (ctz(hits) as usize);
    p += 16;
  }
  return findLineEndScalar(p, end);
}

/** The same, one byte at a time. */
export function findLineEndScalar(at: usize, end: usize): usize {
  let p = at;
  while (p < end && load<u8>(p) != 13 && load<u8>(p) != 10) p++;
  return p;
}

export function isSpace(c: u32): bool {
  return c == 32 || c == 9 || c == 13 || c == 10;
}

export function isDigit(c: u32): bool {
  return c - 48 < 10;
}

export function lower(c: u32): u32 {
  return c - 65 < 26 ? c | 32 : c;
}

/** token characters (RFC 3261 25.1). */
export function isToken(c: u32): bool {
  if (c - 48 < 10 || (c | 32) - 97 < 26) return true;
  switch (c) {
    case 45:
    case 46:
    case 33:
    case 37:
    case 42:
    case 95:
    case 43:
    case 96:
    case 39:
    case 126:
      return true;
    default:
      return false;
  }
}

/** Whether both are the same but for the case of letters. */
export function equalsIgnoreCase(a: usize, b: usize, len: u32): bool {
  for (let i: u32 = 0; i < len; i++) {
    if (lower(load<u8>(a + i)) != lower(load<u8>(b + i))) return false;
  }
  return true;
}

export function skipSpace(at: usize, end: usize): usize {
  let p = at;
  while (p < end && isSpace(load<u8>(p))) p++;
  return p;
}

/** `end` moved back over white space. */
export function trimEnd(at: usize, end: usize): usize {
  let p = end;
  while (p > at && isSpace(load<u8>(p - 1))) p--;
  return p;
}

/** After a quoted string that begins at `at`; 0 when it does not end before `end`. */
export function skipQuoted(at: usize, end: usize): usize {
  let p = at + 1;
  while (p < end) {
    const c = load<u8>(p);
    if (c == 34) return p + 1;
    p += c == 92 ? 2 : 1;
  }
  return 0;
}

/** Value of the last `readNumber`. */
export let numberValue: u32 = 0;

/** Reads a decimal number that fills [at, end); false when it is none, or above 2^32 - 1. */
export function readNumber(at: usize, end: usize): bool {
  if (at >= end) return false;
  let n: u64 = 0;
  for (let p = at; p < end; p++) {
    const c = load<u8>(p) as u32;
    if (!isDigit(c)) return false;
    n = n * 10 + ((c - 48) as u64);
    if (n > 0xffffffff) return false;
  }
  numberValue = n as u32;
  return true;
}
