/**
 * Token buckets in a table of fixed size: one per key, refilled with time. A set of four places holds the keys that
 * fall into it; the one that was used least lately makes room, and begins again full, which errs on the side of letting in.
 */
import { nowMs } from '../effects';
import { alloc } from '../mem/arena';

const B_KEY: u32 = 0; // u64, 0 = free
const B_TOKENS: u32 = 8; // f32
const B_SEEN: u32 = 12; // u32: ms, modulo 2^32
const BUCKET_BYTES: u32 = 16;
const WAYS: u32 = 4;

/** A table of `2 ^ bits` buckets. */
export function bucketsNew(bits: u32): usize {
  const table = alloc(16 + (BUCKET_BYTES << bits));
  store<u32>(table, ((1 as u32) << bits) / WAYS - 1);
  return table;
}

/**
 * Takes one token of `key` (not 0). False when its bucket is empty. `perSecond` is the rate of the refill, `burst` the
 * size of the bucket.
 */
export function bucketTake(table: usize, key: u64, perSecond: u32, burst: u32): bool {
  const now = nowMs as u32;
  const set = table + 16 + ((key as u32) & load<u32>(table)) * (WAYS * BUCKET_BYTES);
  let place: usize = 0;
  let oldest: u32 = 0;
  for (let i: u32 = 0; i < WAYS; i++) {
    const at = set + i * BUCKET_BYTES;
    if (load<u64>(at + B_KEY) == key) {
      const passed = now - load<u32>(at + B_SEEN);
      const tokens = min(
        burst as f32,
        load<f32>(at + B_TOKENS) + ((passed as f32) * (perSecond as f32)) / 1000,
      );
      store<u32>(at + B_SEEN, now);
      store<f32>(at + B_TOKENS, tokens >= 1 ? tokens - 1 : tokens);
      return tokens >= 1;
    }
    const age = load<u64>(at + B_KEY) == 0 ? u32.MAX_VALUE : now - load<u32>(at + B_SEEN);
    if (place == 0 || age > oldest) {
      place = at;
      oldest = age;
    }
  }
  store<u64>(place + B_KEY, key);
  store<u32>(place + B_SEEN, now);
  store<f32>(place + B_TOKENS, (burst as f32) - 1);
  return true;
}
