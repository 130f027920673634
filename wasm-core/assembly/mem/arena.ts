/**
 * Memory is handed out once, while the core is initialised, and never given back: after that, nothing allocates.
 */

let top: usize = 0;

/** Forgets everything handed out. For `init()` only. */
export function arenaReset(): void {
  top = (__heap_base + 63) & ~63;
}

/** `bytes` of zeroed memory, aligned to a cache line. Grows the linear memory; traps when the engine has no more. */
export function alloc(bytes: usize): usize {
  const at = top;
  top = (at + bytes + 63) & ~63;
  const pages = ((top + 0xffff) >>> 16) as i32;
  const missing = pages - memory.size();
  if (missing > 0 && memory.grow(missing) < 0) unreachable();
  return at;
}
