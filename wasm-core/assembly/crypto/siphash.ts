/**
 * SipHash (Aumasson, Bernstein 2012): a keyed hash for short inputs. SipHash-2-4 is for what has to withstand forgery
 * (cookies, nonces); SipHash-1-3, half the work, for keys of tables, where it only has to withstand collisions made on
 * purpose (as in the tables of Rust and Python). Up to 8 bytes behind the input are read.
 */

/** 64-bit tag of `len` bytes at `ptr` under the 16-byte key at `key`. */
export function siphash24(key: usize, ptr: usize, len: u32): u64 {
  return siphash(key, ptr, len, 2, 4);
}

/** 64-bit hash of `len` bytes at `ptr` under the 16-byte key at `key`. */
export function siphash13(key: usize, ptr: usize, len: u32): u64 {
  return siphash(key, ptr, len, 1, 3);
}

/** `each` rounds for each word and for the last, partial one; then `final`. The state stays in local variables. */
function siphash(key: usize, ptr: usize, len: u32, each: u32, final: u32): u64 {
  const k0 = load<u64>(key);
  const k1 = load<u64>(key, 8);
  let v0: u64 = k0 ^ 0x736f6d6570736575;
  let v1: u64 = k1 ^ 0x646f72616e646f6d;
  let v2: u64 = k0 ^ 0x6c7967656e657261;
  let v3: u64 = k1 ^ 0x7465646279746573;
  const whole = ptr + (len & ~7);
  for (let p = ptr; p <= whole; p += 8) {
    const m = p < whole ? load<u64>(p) : lastWord(ptr, len);
    v3 ^= m;
    let rounds = each;
    do {
      v0 += v1;
      v1 = rotl<u64>(v1, 13) ^ v0;
      v0 = rotl<u64>(v0, 32);
      v2 += v3;
      v3 = rotl<u64>(v3, 16) ^ v2;
      v0 += v3;
      v3 = rotl<u64>(v3, 21) ^ v0;
      v2 += v1;
      v1 = rotl<u64>(v1, 17) ^ v2;
      v2 = rotl<u64>(v2, 32);
    } while (--rounds != 0);
    v0 ^= m;
  }
  v2 ^= 0xff;
  let rounds = final;
  do {
    v0 += v1;
    v1 = rotl<u64>(v1, 13) ^ v0;
    v0 = rotl<u64>(v0, 32);
    v2 += v3;
    v3 = rotl<u64>(v3, 16) ^ v2;
    v0 += v3;
    v3 = rotl<u64>(v3, 21) ^ v0;
    v2 += v1;
    v1 = rotl<u64>(v1, 17) ^ v2;
    v2 = rotl<u64>(v2, 32);
  } while (--rounds != 0);
  return v0 ^ v1 ^ v2 ^ v3;
}

/** The bytes behind the last whole word, and the length in the highest byte. */
function lastWord(ptr: usize, len: u32): u64 {
  const rest = (len & 7) << 3;
  const mask = ((1 as u64) << (rest as u64)) - 1;
  return (load<u64>(ptr + (len & ~7)) & mask) | ((len as u64) << 56);
}
