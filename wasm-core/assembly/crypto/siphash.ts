/** SipHash-2-4 (Aumasson, Bernstein 2012): a keyed hash for short inputs. */
let v0: u64 = 0;
let v1: u64 = 0;
let v2: u64 = 0;
let v3: u64 = 0;

function round(): void {
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
}

/** 64-bit tag of `len` bytes at `ptr` under the 16-byte key at `key`. */
export function siphash24(key: usize, ptr: usize, len: u32): u64 {
  const k0 = load<u64>(key);
  const k1 = load<u64>(key, 8);
  v0 = k0 ^ 0x736f6d6570736575;
  v1 = k1 ^ 0x646f72616e646f6d;
  v2 = k0 ^ 0x6c7967656e657261;
  v3 = k1 ^ 0x7465646279746573;
  const end = ptr + (len & ~7);
  let at = ptr;
  for (; at < end; at += 8) {
    const m = load<u64>(at);
    v3 ^= m;
    round();
    round();
    v0 ^= m;
  }
  let b: u64 = (len as u64) << 56;
  for (let i: u32 = 0; i < (len & 7); i++) b |= (load<u8>(at + i) as u64) << ((i << 3) as u64);
  v3 ^= b;
  round();
  round();
  v0 ^= b;
  v2 ^= 0xff;
  round();
  round();
  round();
  round();
  return v0 ^ v1 ^ v2 ^ v3;
}
