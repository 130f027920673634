/** SHA-256 (FIPS 180-4). */
const K: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]);
const state: usize = memory.data(32, 16);
const w: usize = memory.data(256, 16);
const last: usize = memory.data(128, 16);

function block(ptr: usize): void {
  for (let i: u32 = 0; i < 64; i += 4) store<u32>(w + i, bswap<u32>(load<u32>(ptr + i)));
  for (let i: u32 = 64; i < 256; i += 4) {
    const x = load<u32>(w + i - 60);
    const y = load<u32>(w + i - 8);
    const s0 = rotr<u32>(x, 7) ^ rotr<u32>(x, 18) ^ (x >>> 3);
    const s1 = rotr<u32>(y, 17) ^ rotr<u32>(y, 19) ^ (y >>> 10);
    store<u32>(w + i, load<u32>(w + i - 64) + s0 + load<u32>(w + i - 28) + s1);
  }
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);
  for (let i: u32 = 0; i < 256; i += 4) {
    const s1 = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25);
    const t1 = h + s1 + (g ^ (e & (f ^ g))) + load<u32>(K + i) + load<u32>(w + i);
    const s0 = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22);
    const t2 = s0 + ((a & b) | (c & (a | b)));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  store<u32>(state, load<u32>(state) + a);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
  store<u32>(state, load<u32>(state, 20) + f, 20);
  store<u32>(state, load<u32>(state, 24) + g, 24);
  store<u32>(state, load<u32>(state, 28) + h, 28);
}

const START: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

/** Bytes that wait in `last` for a whole block, and bytes so far. */
let waiting: u32 = 0;
let total: u64 = 0;

/** Begins a hash in pieces. There is one at a time, and `sha256` ends it. */
export function sha256Init(): void {
  memory.copy(state, START, 32);
  waiting = 0;
  total = 0;
}

/** Adds `len` bytes at `ptr`. */
export function sha256Update(ptr: usize, len: u32): void {
  let at = ptr;
  const end = ptr + len;
  total += len as u64;
  if (waiting > 0) {
    const taken: u32 = min<u32>(64 - waiting, len);
    memory.copy(last + waiting, at, taken);
    waiting += taken;
    at += taken;
    if (waiting < 64) return;
    block(last);
    waiting = 0;
  }
  for (; at + 64 <= end; at += 64) block(at);
  waiting = (end - at) as u32;
  memory.copy(last, at, waiting);
}

/** 32 bytes at `dst`: the hash of what was added since `sha256Init`. */
export function sha256Final(dst: usize): void {
  const size: u32 = waiting < 56 ? 64 : 128;
  memory.fill(last + waiting, 0, size - waiting);
  store<u8>(last + waiting, 0x80);
  store<u64>(last + size - 8, bswap<u64>(total << 3));
  block(last);
  if (size == 128) block(last + 64);
  for (let i: u32 = 0; i < 32; i += 4) store<u32>(dst + i, bswap<u32>(load<u32>(state + i)));
}

/** 32 bytes at `dst`: the hash of `len` bytes at `ptr`. */
export function sha256(dst: usize, ptr: usize, len: u32): void {
  sha256Init();
  sha256Update(ptr, len);
  sha256Final(dst);
}
