/**
 * Nonce counts (RFC 7616 3.4.5): the highest of each nonce in use, in a table of fixed size: four places where a nonce can stand, of which
 * the one that was used longest ago is given to a new nonce. What is not in the table (a node that has just started) is taken at its
 * word: the nonce's age bounds what a replay could do.
 */
import { I_AORS_MAX } from '../abi';
import { initU32 } from '../config';
import { nowMs } from '../effects';
import { alloc } from '../mem/arena';

const N_NONCE: u32 = 0; // u64
const N_REQUEST: u32 = 8; // u64
const N_COUNT: u32 = 16; // u32
const N_USED: u32 = 20; // u32: s
const ENTRY_BYTES: u32 = 24;
/** Places where one nonce can stand. */
const WAYS: u32 = 4;
let table: usize = 0;
let mask: u32 = 0;

export function countsInit(): void {
  let n: u32 = 1024;
  while (n < initU32(I_AORS_MAX)) n <<= 1;
  table = alloc(n * ENTRY_BYTES);
  mask = (n - 1) & ~(WAYS - 1);
}

/** Where that nonce stands, or else may stand. */
function placeOf(nonce: u64): usize {
  const first = table + ((nonce as u32) & mask) * ENTRY_BYTES;
  let place = first;
  for (let i: u32 = 0; i < WAYS; i++) {
    const entry = first + i * ENTRY_BYTES;
    if (load<u64>(entry + N_NONCE) == nonce) return entry;
    if (load<u32>(entry + N_USED) < load<u32>(place + N_USED)) place = entry;
  }
  return place;
}

/**
 * Whether `count` may be used with that nonce now: it is higher than before, or it is the same request again
 * (`request`: key of its transaction), as UDP repeats it.
 */
export function countAccepted(nonce: u64, count: u32, request: u64): bool {
  const entry = placeOf(nonce);
  if (load<u64>(entry + N_NONCE) == nonce) {
    const last = load<u32>(entry + N_COUNT);
    if (count < last || (count == last && load<u64>(entry + N_REQUEST) != request)) return false;
  }
  store<u64>(entry + N_NONCE, nonce);
  store<u64>(entry + N_REQUEST, request);
  store<u32>(entry + N_COUNT, count);
  store<u32>(entry + N_USED, (nowMs / 1000) as u32);
  return true;
}
