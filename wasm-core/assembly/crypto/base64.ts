/** base64url without padding (RFC 4648 5). */
const ALPHABET: usize = memory.data<u8>([
  65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 97,
  98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119,
  120, 121, 122, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 45, 95,
]);

/** Writes `len` bytes as text at `dst`; returns its length. */
export function b64urlEncode(dst: usize, src: usize, len: u32): u32 {
  let out = dst;
  let i: u32 = 0;
  for (; i + 3 <= len; i += 3) {
    const n =
      ((load<u8>(src + i) as u32) << 16) |
      ((load<u8>(src + i + 1) as u32) << 8) |
      (load<u8>(src + i + 2) as u32);
    store<u8>(out, load<u8>(ALPHABET + (n >> 18)));
    store<u8>(out, load<u8>(ALPHABET + ((n >> 12) & 63)), 1);
    store<u8>(out, load<u8>(ALPHABET + ((n >> 6) & 63)), 2);
    store<u8>(out, load<u8>(ALPHABET + (n & 63)), 3);
    out += 4;
  }
  const rest = len - i;
  if (rest == 1) {
    const n = (load<u8>(src + i) as u32) << 4;
    store<u8>(out, load<u8>(ALPHABET + (n >> 6)));
    store<u8>(out, load<u8>(ALPHABET + (n & 63)), 1);
    out += 2;
  } else if (rest == 2) {
    const n = ((load<u8>(src + i) as u32) << 10) | ((load<u8>(src + i + 1) as u32) << 2);
    store<u8>(out, load<u8>(ALPHABET + (n >> 12)));
    store<u8>(out, load<u8>(ALPHABET + ((n >> 6) & 63)), 1);
    store<u8>(out, load<u8>(ALPHABET + (n & 63)), 2);
    out += 3;
  }
  return (out - dst) as u32;
}

const BAD: u8 = 0xff;
const values: usize = memory.data(256, 16); // 6 bits by character, or BAD

/** Fills the table; once, before anything is decoded. */
export function base64Init(): void {
  memory.fill(values, BAD, 256);
  for (let i: u32 = 0; i < 64; i++) store<u8>(values + load<u8>(ALPHABET + i), i);
}

function value(at: usize): u32 {
  return load<u8>(values + load<u8>(at));
}

/**
 * Decodes `len` characters to `dst`, which needs one byte more than they hold; returns the bytes, or -1 when it is not
 * base64url. Bits that belong to no byte must be 0, so that each value has one text only.
 */
export function b64urlDecode(dst: usize, src: usize, len: u32): i32 {
  const rest = len & 3;
  if (rest == 1) return -1;
  const whole = src + (len - rest);
  let out = dst;
  let bad: u32 = 0;
  for (let p = src; p < whole; p += 4) {
    const a = value(p);
    const b = value(p + 1);
    const c = value(p + 2);
    const d = value(p + 3);
    bad |= a | b | c | d;
    store<u32>(out, bswap<u32>((a << 26) | (b << 20) | (c << 14) | (d << 8)));
    out += 3;
  }
  if (rest != 0) {
    const a = value(whole);
    const b = value(whole + 1);
    const c: u32 = rest == 3 ? value(whole + 2) : 0;
    bad |= a | b | c;
    if (((rest == 3 ? c & 3 : b & 15) as u32) != 0) return -1;
    store<u8>(out, (a << 2) | (b >> 4));
    if (rest == 3) store<u8>(out, (b << 4) | (c >> 2), 1);
    out += rest - 1;
  }
  return bad > 63 ? -1 : ((out - dst) as i32);
}
