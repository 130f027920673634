/** Hexadecimal text, lower case. */
import { hexDigit } from '../sip/uri';

/** Writes `len` bytes as 2 * `len` digits. */
export function hexEncode(dst: usize, src: usize, len: u32): void {
  for (let i: u32 = 0; i < len; i++) {
    const b = load<u8>(src + i) as u32;
    store<u8>(dst + i * 2, digit(b >> 4));
    store<u8>(dst + i * 2 + 1, digit(b & 15));
  }
}

function digit(n: u32): u32 {
  return n < 10 ? 48 + n : 87 + n;
}

/** Reads `len` bytes from 2 * `len` digits of either case; false when there is something else. */
export function hexDecode(dst: usize, src: usize, len: u32): bool {
  for (let i: u32 = 0; i < len; i++) {
    const high = hexDigit(load<u8>(src + i * 2));
    const low = hexDigit(load<u8>(src + i * 2 + 1));
    if (high < 0 || low < 0) return false;
    store<u8>(dst + i, (high << 4) | low);
  }
  return true;
}
