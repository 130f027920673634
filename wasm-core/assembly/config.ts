/**
 * The init block: what the host writes once, before `init()` (offsets: I_* in abi.ts).
 */
import { INIT_BYTES } from './abi';

const block: usize = memory.data(INIT_BYTES, 16);

/** Address of the init block. */
export function initPtr(): usize {
  return block;
}

/** The u32 at `offset` (I_*) of the init block. */
export function initU32(offset: u32): u32 {
  return load<u32>(block + offset);
}
