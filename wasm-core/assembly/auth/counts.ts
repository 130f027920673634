/**
 * Nonce counts (RFC 7616 3.4.5): the highest of each nonce in use, in a table of fixed size where a newer nonce
 * drives out an older one. What is not in the table (a node that has just started) is taken at its word: the nonce's
 * age bounds what a replay could do.
 */
import { I_AORS_MAX } from '../abi';
import { initU32 } from '../config';
import { alloc } from '../mem/arena';

const ENTRY_BYTES: u32 = 24; // u64 nonce, u64 request, u32 count
let table: usize = 0;
let mask: u32 = 0;

export function countsInit(): void {
  let n: u32 = 1024;
  while (n < initU32(I_AORS_MAX)) n <<= 1;
  table = alloc(n * ENTRY_BYTES);
  mask = n - 1;
}

/**
 * Whether `count` may be used with that nonce now: it is higher than before, or it is the same request again
 * (`request`: key of its transaction), as UDP repeats it.
 */
export function countAccepted(nonce: u64, count: u32, request: u64): bool {
  const entry = table + ((nonce as u32) & mask) * ENTRY_BYTES;
  if (load<u64>(entry) == nonce) {
    const last = load<u32>(entry, 16);
    if (count < last || (count == last && load<u64>(entry, 8) != request)) return false;
  }
  store<u64>(entry, nonce);
  store<u64>(entry, request, 8);
  store<u32>(entry, count, 16);
  return true;
}
