/**
 * Reading bytes: classes of characters, comparisons, numbers, and finding the end of a line.
 * Ranges are [at, end); nothing outside of them is read.
 */

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

/** The same, one byte at a time: what `findLineEnd` is tested against. */
export function findLineEndScalar(at: usize, end: usize): usize {
  let p = at;
  while (p < end && load<u8>(p) != 13 && load<u8>(p) != 10) p++;
  return p;
}

/** Address of the next colon, CR or LF in [at, end), or `end`. SIMD: 16 bytes at a time. */
export function findColon(at: usize, end: usize): usize {
  let p = at;
  const colon = i8x16.splat(58);
  const cr = i8x16.splat(13);
  const lf = i8x16.splat(10);
  while (p + 16 <= end) {
    const chunk = v128.load(p);
    const breaks = v128.or(i8x16.eq(chunk, cr), i8x16.eq(chunk, lf));
    const hits = i8x16.bitmask(v128.or(breaks, i8x16.eq(chunk, colon)));
    if (hits != 0) return p + (ctz(hits) as usize);
    p += 16;
  }
  return findColonScalar(p, end);
}

/** The same, one byte at a time: what `findColon` is tested against. */
export function findColonScalar(at: usize, end: usize): usize {
  let p = at;
  while (p < end && load<u8>(p) != 58 && load<u8>(p) != 13 && load<u8>(p) != 10) p++;
  return p;
}

/** White space that may stand between the parts of a header value: SP, HT, and CR and LF of folded lines. */
export function isSpace(c: u32): bool {
  return c == 32 || c == 9 || c == 13 || c == 10;
}

export function isDigit(c: u32): bool {
  return c - 48 < 10;
}

export function lower(c: u32): u32 {
  return c - 65 < 26 ? c | 32 : c;
}

// Classes of characters, bits of a table by byte, because a look-up per byte is what most of parsing costs.
const CLASS_TOKEN: u32 = 1;
const CLASS_VALUE: u32 = 2;
const CLASS_URI: u32 = 4;
const CLASS_HOST: u32 = 8;
const classes: usize = memory.data(256, 16);
const TOKEN_SIGNS: string = "-.!%*_+`'~";

/** Fills the table of classes; once, before anything is parsed. */
export function classesInit(): void {
  for (let c: u32 = 0; c < 256; c++) {
    const letter = isDigit(c) || (c | 32) - 97 < 26;
    const blank = c <= 32 || c == 127;
    const bracket = c == 60 || c == 62 || c == 34;
    let bits: u32 = 0;
    if (letter || isTokenSign(c)) bits |= CLASS_TOKEN;
    if (!isSpace(c) && !bracket && c != 59 && c != 44) bits |= CLASS_VALUE;
    if (!blank && !bracket) bits |= CLASS_URI;
    if (letter || c == 46 || c == 45 || c == 95) bits |= CLASS_HOST;
    store<u8>(classes + c, bits);
  }
}

function isTokenSign(c: u32): bool {
  for (let i = 0; i < TOKEN_SIGNS.length; i++) if ((TOKEN_SIGNS.charCodeAt(i) as u32) == c) return true;
  return false;
}

/** Token characters (RFC 3261 25.1). */
export function isToken(c: u32): bool {
  return (load<u8>(classes + c) & CLASS_TOKEN) != 0;
}

/** What an unquoted parameter value can hold: all but ; , quotes, angle brackets and white space. */
export function isValueChar(c: u32): bool {
  return (load<u8>(classes + c) & CLASS_VALUE) != 0;
}

/** What can stand in a URI: all but quotes, angle brackets, white space and control characters. */
export function isUriChar(c: u32): bool {
  return (load<u8>(classes + c) & CLASS_URI) != 0;
}

/** Letters, digits, and . - _ (which some hosts have in spite of the grammar). */
export function isHostChar(c: u32): bool {
  return (load<u8>(classes + c) & CLASS_HOST) != 0;
}

/** Eight bytes, the upper case letters among them made lower case. */
function lower8(x: u64): u64 {
  const low7 = x & 0x7f7f7f7f7f7f7f7f;
  const fromA = low7 + 0x3f3f3f3f3f3f3f3f; // bit 7 set from 'A' on
  const aboveZ = low7 + 0x2525252525252525; // bit 7 set above 'Z'
  const upper = (fromA ^ aboveZ) & ~x & 0x8080808080808080;
  return x | (upper >> 2);
}

/** The first and the last four bytes of four to seven. */
function ends(at: usize, len: u32): u64 {
  return (load<u32>(at) as u64) | ((load<u32>(at + len - 4) as u64) << 32);
}

/** Whether both are the same but for the case of letters. Eight bytes at a time, the last eight overlapping. */
export function equalsIgnoreCase(a: usize, b: usize, len: u32): bool {
  if (len < 4) return equalsIgnoreCaseScalar(a, b, len);
  if (len < 8) return lower8(ends(a, len)) == lower8(ends(b, len));
  const last = len - 8;
  for (let i: u32 = 0; i < last; i += 8) {
    if (lower8(load<u64>(a + i)) != lower8(load<u64>(b + i))) return false;
  }
  return lower8(load<u64>(a + last)) == lower8(load<u64>(b + last));
}

/** The same, one byte at a time: what `equalsIgnoreCase` is tested against. */
export function equalsIgnoreCaseScalar(a: usize, b: usize, len: u32): bool {
  for (let i: u32 = 0; i < len; i++) {
    if (lower(load<u8>(a + i)) != lower(load<u8>(b + i))) return false;
  }
  return true;
}

/** `at` moved over white space. */
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
