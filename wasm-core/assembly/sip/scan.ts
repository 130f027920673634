/**
 * Reading bytes: classes of characters, comparisons, numbers, and finding the end of a line.
 * Ranges are [at, end). What is found depends on them alone, but up to 16 bytes behind `end` may be read: there must be
 * memory. With SIMD 16 bytes are looked at at a time, without (`asc` without `--enable simd`) one.
 */

// Line ends, 64 bytes at a time: a bit for each byte from `breaksFrom` on that is CR or LF.
let breaks: u64 = 0;
let breaksFrom: usize = 0;
let breaksEnd: usize = 0;

/** Begins a search for line ends in [from, end): then `nextLineEnd` with addresses that do not fall. */
export function lineEndsBegin(from: usize, end: usize): void {
  breaksFrom = from;
  breaksEnd = end;
  if (ASC_FEATURE_SIMD) breaks = readBreaks(from, end);
}

/** Address of the next CR or LF in [at, end), or `end`. */
export function nextLineEnd(at: usize): usize {
  const end = breaksEnd;
  if (ASC_FEATURE_SIMD) {
    for (;;) {
      const passed = at - breaksFrom;
      const left = passed < 64 ? breaks >> (passed as u64) : 0;
      if (left != 0) return within(at + (ctz(left) as usize), end);
      breaksFrom += 64;
      if (breaksFrom >= end) return end;
      if (at < breaksFrom) at = breaksFrom;
      breaks = readBreaks(breaksFrom, end);
    }
  }
  let p = at;
  while (p < end && load<u8>(p) != 13 && load<u8>(p) != 10) p++;
  return p;
}

function readBreaks(from: usize, end: usize): u64 {
  let bits: u64 = breaksOf(from);
  if (from + 16 < end) bits |= breaksOf(from + 16) << 16;
  if (from + 32 < end) bits |= breaksOf(from + 32) << 32;
  if (from + 48 < end) bits |= breaksOf(from + 48) << 48;
  return bits;
}

function breaksOf(at: usize): u64 {
  const chunk = v128.load(at);
  return i8x16.bitmask(v128.or(i8x16.eq(chunk, i8x16.splat(13)), i8x16.eq(chunk, i8x16.splat(10)))) as u64;
}

/** Address of the next byte `c` in [at, end), or `end`. */
export function findByte(at: usize, end: usize, c: u8): usize {
  if (ASC_FEATURE_SIMD) {
    const hits = i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(c)));
    if (hits != 0) return within(at + (ctz(hits) as usize), end);
    return at + 16 < end ? findByteFar(at + 16, end, c) : end;
  }
  let p = at;
  while (p < end && load<u8>(p) != c) p++;
  return p;
}

// Most spans end within 16 bytes, and a function without a loop costs less: hence one for the rest of each search.
function findByteFar(at: usize, end: usize, c: u8): usize {
  for (let p = at; p < end; p += 16) {
    const hits = i8x16.bitmask(i8x16.eq(v128.load(p), i8x16.splat(c)));
    if (hits != 0) return within(p + (ctz(hits) as usize), end);
  }
  return end;
}

function within(p: usize, end: usize): usize {
  return p < end ? p : end;
}

/** White space that may stand between the parts of a header value: SP, HT, and CR and LF of folded lines. */
export function isSpace(c: u32): bool {
  return c <= 32 && (c == 32 || c == 9 || c == 13 || c == 10);
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
const CLASS_NAME: u32 = 16;
const CLASS_PLAIN: u32 = 32;
const CLASS_COUNT: u32 = 6;
const classes: usize = memory.data(256, 16);
const TOKEN_SIGNS: string = "-.!%*_+`'~";

/**
 * For SIMD, 32 bytes by class: what is outside of it. An ASCII character is outside when the bit of its row (upper half)
 * is set for its column (lower half): 16 bytes of rows by column, then 16 of bits by row. Rows 8 to 15 have no bit where
 * all characters above 127 are inside, and that of row 0 where none is: all of row 0, the control characters, is outside.
 */
const outside: usize = memory.data(192, 16); // CLASS_COUNT * 32

/** Fills the tables of classes; once, before anything is parsed. */
export function classesInit(): void {
  for (let c: u32 = 0; c < 256; c++) store<u8>(classes + c, classesOf(c));
  for (let i: u32 = 0; i < CLASS_COUNT; i++) {
    const set = outside + i * 32;
    for (let c: u32 = 0; c < 128; c++) {
      if ((load<u8>(classes + c) & (1 << i)) != 0) continue;
      store<u8>(set + (c & 15), (load<u8>(set + (c & 15)) as u32) | (1 << (c >> 4)));
    }
    const high: u32 = (load<u8>(classes + 128) & (1 << i)) != 0 ? 0 : 1;
    for (let row: u32 = 0; row < 16; row++) store<u8>(set + row, row < 8 ? ((1 << row) as u32) : high, 16);
  }
}

function classesOf(c: u32): u32 {
  const letter = isDigit(c) || (c | 32) - 97 < 26;
  const bracket = c == 60 || c == 62 || c == 34;
  const blank = c <= 32 || c == 127;
  let bits: u32 = 0;
  if (letter || isTokenSign(c)) bits |= CLASS_TOKEN;
  if (!isSpace(c) && !bracket && c != 59 && c != 44) bits |= CLASS_VALUE;
  if (!blank && !bracket) bits |= CLASS_URI;
  if (letter || c == 46 || c == 45 || c == 95) bits |= CLASS_HOST;
  if (c != 59 && c != 61) bits |= CLASS_NAME;
  if (c != 59 && c != 34) bits |= CLASS_PLAIN;
  return bits;
}

function isTokenSign(c: u32): bool {
  for (let i = 0; i < TOKEN_SIGNS.length; i++) if ((TOKEN_SIGNS.charCodeAt(i) as u32) == c) return true;
  return false;
}

/** First byte in [at, end) that is outside of the class with number `i`, or `end`. */
function classEnd(at: usize, end: usize, i: u32): usize {
  if (ASC_FEATURE_SIMD) {
    const inside = insideOf(at, i);
    if (inside != 0xffff) return within(at + (ctz(~inside) as usize), end);
    return at + 16 < end ? classEndFar(at + 16, end, i) : end;
  }
  const bit: u32 = 1 << i;
  let p = at;
  while (p < end && ((load<u8>(classes + load<u8>(p)) as u32) & bit) != 0) p++;
  return p;
}

function classEndFar(at: usize, end: usize, i: u32): usize {
  for (let p = at; p < end; p += 16) {
    const inside = insideOf(p, i);
    if (inside != 0xffff) return within(p + (ctz(~inside) as usize), end);
  }
  return end;
}

/** A bit for each of the 16 bytes at `at` that is inside of the class. */
function insideOf(at: usize, i: u32): u32 {
  const chunk = v128.load(at);
  const column = i8x16.swizzle(v128.load(outside + i * 32), v128.and(chunk, i8x16.splat(15)));
  const row = i8x16.swizzle(v128.load(outside + i * 32, 16), i8x16.shr_u(chunk, 4));
  return i8x16.bitmask(i8x16.eq(v128.and(column, row), i8x16.splat(0)));
}

/** End of the token characters (RFC 3261 25.1) from `at` on. */
export function tokenEnd(at: usize, end: usize): usize {
  return classEnd(at, end, 0);
}

/** End of what an unquoted parameter value can hold: all but ; , quotes, angle brackets and white space. */
export function valueCharsEnd(at: usize, end: usize): usize {
  return classEnd(at, end, 1);
}

/** End of what can stand in a URI: all but quotes, angle brackets, white space and control characters. */
export function uriCharsEnd(at: usize, end: usize): usize {
  return classEnd(at, end, 2);
}

/** End of letters, digits, and . - _ (which some hosts have in spite of the grammar). */
export function hostCharsEnd(at: usize, end: usize): usize {
  return classEnd(at, end, 3);
}

/** The next semicolon or equals sign, or `end`. */
export function paramNameEnd(at: usize, end: usize): usize {
  return classEnd(at, end, 4);
}

/** The next semicolon or quote, or `end`. */
export function paramTextEnd(at: usize, end: usize): usize {
  return classEnd(at, end, 5);
}

/** Token characters (RFC 3261 25.1). */
export function isToken(c: u32): bool {
  return (load<u8>(classes + c) & CLASS_TOKEN) != 0;
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

/** Whether both are the same but for the case of letters. Up to 16 bytes behind them are read. */
export function equalsIgnoreCase(a: usize, b: usize, len: u32): bool {
  if (ASC_FEATURE_SIMD) {
    for (let i: u32 = 0; i < len; i += 16) {
      const left = v128.load(a + i);
      const difference = v128.xor(left, v128.load(b + i));
      const letters = i8x16.lt_u(i8x16.sub(v128.or(left, i8x16.splat(32)), i8x16.splat(97)), i8x16.splat(26));
      // The same, or letters that differ in the bit of their case.
      const same = v128.or(
        i8x16.eq(difference, i8x16.splat(0)),
        v128.and(i8x16.eq(difference, i8x16.splat(32)), letters),
      );
      const rest = len - i;
      const wanted: u32 = rest < 16 ? (1 << rest) - 1 : 0xffff;
      if ((i8x16.bitmask(same) & wanted) != wanted) return false;
    }
    return true;
  }
  // Eight bytes at a time, the last eight overlapping.
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

/** Whether both are the same. Up to 16 bytes behind them are read. */
export function sameBytes(a: usize, b: usize, len: u32): bool {
  for (let i: u32 = 0; i < len; i += 8) {
    const difference = load<u64>(a + i) ^ load<u64>(b + i);
    const rest = len - i;
    if ((rest < 8 ? difference << (((8 - rest) << 3) as u64) : difference) != 0) return false;
  }
  return true;
}

/** `at` moved over white space. */
export function skipSpace(at: usize, end: usize): usize {
  // Mostly there is one space or none.
  if (at < end && load<u8>(at) <= 32) {
    if (load<u8>(at) == 32 && load<u8>(at + 1) > 32) return at + 1;
    return skipSpaces(at, end);
  }
  return at;
}

function skipSpaces(at: usize, end: usize): usize {
  let p = at;
  while (p < end && isSpace(load<u8>(p))) p++;
  return p;
}

/** `end` moved back over white space. */
export function trimEnd(at: usize, end: usize): usize {
  return end > at && load<u8>(end - 1) <= 32 ? trimSpaces(at, end) : end;
}

function trimSpaces(at: usize, end: usize): usize {
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
