/**
 * Copying and clearing short spans: 16 bytes at a time, without the call into the engine that `memory.copy` and
 * `memory.fill` are. Both may read and write up to COPY_SLACK bytes behind the span; spans do not overlap.
 */

/** Bytes behind a span that may be read and, at the destination, overwritten. */
export const COPY_SLACK: u32 = 16;

/** Above this the engine's own copy is faster. */
const SHORT_BYTES: u32 = 512;

/** 16 bytes at `from` to `to`. */
export function copy16(to: usize, from: usize): void {
  if (ASC_FEATURE_SIMD) v128.store(to, v128.load(from));
  else {
    store<u64>(to, load<u64>(from));
    store<u64>(to, load<u64>(from, 8), 8);
  }
}

/** Copies `len` bytes from `from` to `to`, and up to COPY_SLACK more. */
export function copyShort(to: usize, from: usize, len: u32): void {
  if (len > SHORT_BYTES) {
    memory.copy(to, from, len);
    return;
  }
  for (let i: u32 = 0; i < len; i += 16) copy16(to + i, from + i);
}

/** Clears `len` bytes, a multiple of 16. */
export function clear(at: usize, len: u32): void {
  for (let i: u32 = 0; i < len; i += 16) {
    if (ASC_FEATURE_SIMD) v128.store(at + i, i64x2.splat(0));
    else {
      store<u64>(at + i, 0);
      store<u64>(at + i, 0, 8);
    }
  }
}
