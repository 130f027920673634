/** MD5 (RFC 1321), which digest authentication still needs for older phones (RFC 7616 3.2). */
import { copyShort } from '../mem/copy';

const K: usize = memory.data<u32>([
  0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501, 0x698098d8,
  0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340,
  0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87,
  0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
  0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039,
  0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92,
  0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
  0xeb86d391,
]);
const last: usize = memory.data(128, 16);

let a0: u32 = 0;
let b0: u32 = 0;
let c0: u32 = 0;
let d0: u32 = 0;

/** One of the 64 operations: `i` is its number, `g` (modulo 16) the word that it takes. */
function step(a: u32, b: u32, f: u32, i: u32, ptr: usize, g: u32, shift: u32): u32 {
  return b + rotl<u32>(a + f + load<u32>(K + (i << 2)) + load<u32>(ptr + ((g & 15) << 2)), shift);
}

function block(ptr: usize): void {
  let a = a0;
  let b = b0;
  let c = c0;
  let d = d0;
  for (let i: u32 = 0; i < 16; i += 4) {
    a = step(a, b, d ^ (b & (c ^ d)), i, ptr, i, 7);
    d = step(d, a, c ^ (a & (b ^ c)), i + 1, ptr, i + 1, 12);
    c = step(c, d, b ^ (d & (a ^ b)), i + 2, ptr, i + 2, 17);
    b = step(b, c, a ^ (c & (d ^ a)), i + 3, ptr, i + 3, 22);
  }
  for (let i: u32 = 16; i < 32; i += 4) {
    a = step(a, b, c ^ (d & (b ^ c)), i, ptr, 5 * i + 1, 5);
    d = step(d, a, b ^ (c & (a ^ b)), i + 1, ptr, 5 * (i + 1) + 1, 9);
    c = step(c, d, a ^ (b & (d ^ a)), i + 2, ptr, 5 * (i + 2) + 1, 14);
    b = step(b, c, d ^ (a & (c ^ d)), i + 3, ptr, 5 * (i + 3) + 1, 20);
  }
  for (let i: u32 = 32; i < 48; i += 4) {
    a = step(a, b, b ^ c ^ d, i, ptr, 3 * i + 5, 4);
    d = step(d, a, a ^ b ^ c, i + 1, ptr, 3 * (i + 1) + 5, 11);
    c = step(c, d, d ^ a ^ b, i + 2, ptr, 3 * (i + 2) + 5, 16);
    b = step(b, c, c ^ d ^ a, i + 3, ptr, 3 * (i + 3) + 5, 23);
  }
  for (let i: u32 = 48; i < 64; i += 4) {
    a = step(a, b, c ^ (b | ~d), i, ptr, 7 * i, 6);
    d = step(d, a, b ^ (a | ~c), i + 1, ptr, 7 * (i + 1), 10);
    c = step(c, d, a ^ (d | ~b), i + 2, ptr, 7 * (i + 2), 15);
    b = step(b, c, d ^ (c | ~a), i + 3, ptr, 7 * (i + 3), 21);
  }
  a0 += a;
  b0 += b;
  c0 += c;
  d0 += d;
}

/** 16 bytes at `dst`. */
export function md5(dst: usize, ptr: usize, len: u32): void {
  a0 = 0x67452301;
  b0 = 0xefcdab89;
  c0 = 0x98badcfe;
  d0 = 0x10325476;
  let at = ptr;
  const whole = ptr + (len & ~63);
  for (; at < whole; at += 64) block(at);
  const rest = len & 63;
  copyShort(last, at, rest);
  memory.fill(last + rest, 0, 128 - rest);
  store<u8>(last + rest, 0x80);
  const tail: u32 = rest < 56 ? 64 : 128;
  store<u64>(last + tail - 8, (len as u64) << 3);
  block(last);
  if (tail == 128) block(last + 64);
  store<u32>(dst, a0);
  store<u32>(dst, b0, 4);
  store<u32>(dst, c0, 8);
  store<u32>(dst, d0, 12);
}
