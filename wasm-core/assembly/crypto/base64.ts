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

function value(c: u32): i32 {
  if (c >= 65 && c <= 90) return (c - 65) as i32;
  if (c >= 97 && c <= 122) return (c - 71) as i32;
  if (c >= 48 && c <= 57) return (c + 4) as i32;
  return c == 45 ? 62 : c == 95 ? 63 : -1;
}

/**
 * Decodes `len` characters to `dst`; returns the bytes, or -1 when it is not base64url. Bits that belong to no byte
 * must be 0, so that each value has one text only.
 */
export function b64urlDecode(dst: usize, src: usize, len: u32): i32 {
  if ((len & 3) == 1) return -1;
  let out = dst;
  let bits: u32 = 0;
  let have: u32 = 0;
  for (let i: u32 = 0; i < len; i++) {
    const v = value(load<u8>(src + i));
    if (v < 0) return -1;
    bits = (bits << 6) | (v as u32);
    have += 6;
    if (have >= 8) {
      have -= 8;
      store<u8>(out++, bits >> have);
    }
  }
  if ((bits & ((1 << have) - 1)) != 0) return -1;
  return (out - dst) as i32;
}
