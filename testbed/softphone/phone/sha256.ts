/**
 * SHA-256 (FIPS 180-4), synchronous: sip.js asks for a digest response synchronously, and `crypto.subtle` is
 * asynchronous and missing on pages served without TLS.
 */

/** The first 32 bits of the fractional parts of the `power`-th roots of the first `count` primes (FIPS 180-4 4.2.2, 5.3.3). */
function rootsOfPrimes(count: number, power: number): number[] {
  const roots: number[] = [];
  for (let n = 2; roots.length < count; n++) {
    if (isPrime(n)) roots.push(((n ** power % 1) * 2 ** 32) >>> 0);
  }
  return roots;
}

function isPrime(n: number): boolean {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
}

const ROUND_CONSTANTS = Uint32Array.from(rootsOfPrimes(64, 1 / 3));
const INITIAL_STATE = rootsOfPrimes(8, 1 / 2);

const rotate = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

/** The message with its padding: a one bit, zeros, and the length in bits as 64 bits (5.1.1). */
function padded(bytes: Uint8Array): DataView {
  const view = new DataView(new ArrayBuffer(((bytes.length + 72) >>> 6) << 6));
  new Uint8Array(view.buffer).set(bytes);
  view.setUint8(bytes.length, 0x80);
  view.setUint32(view.byteLength - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(view.byteLength - 4, bytes.length << 3);
  return view;
}

/** One 64-byte block into the state (6.2.2). */
function compress(state: Uint32Array, view: DataView, offset: number, w: Uint32Array): void {
  for (let t = 0; t < 16; t++) w[t] = view.getUint32(offset + 4 * t);
  for (let t = 16; t < 64; t++) {
    const a = w[t - 15]!;
    const b = w[t - 2]!;
    const s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
    const s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
    w[t] = w[t - 16]! + s0 + w[t - 7]! + s1;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let t = 0; t < 64; t++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND_CONSTANTS[t]! + w[t]!) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    state[i] = state[i]! + word;
  });
}

/** SHA-256 of the UTF-8 form of `text`, as 64 lowercase hexadecimal digits. */
export function sha256Hex(text: string): string {
  const view = padded(new TextEncoder().encode(text));
  const state = Uint32Array.from(INITIAL_STATE);
  const schedule = new Uint32Array(64);
  for (let offset = 0; offset < view.byteLength; offset += 64) compress(state, view, offset, schedule);
  return [...state].map((word) => word.toString(16).padStart(8, '0')).join('');
}
