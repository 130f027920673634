/**
 * INVITEs that were refused without a context, so that their repetitions are refused alike (RFC 3261 8.2.7): what was full may have
 * room by then, and who was nowhere may have registered, but the caller has heard the refusal and is gone, so nothing must ring.
 * A table of fixed size where a newer one drives out an older one.
 */
import { nowMs } from '../effects';
import { transactionKey } from '../identity';
import { alloc } from '../mem/arena';
import { timeoutMs } from './invite';

const ENTRIES: u32 = 4096;
const ENTRY_BYTES: u32 = 24; // u64 key, u64 until (ms), u32 status
let table: usize = 0;

export function refusedInit(): void {
  table = alloc(ENTRIES * ENTRY_BYTES);
}

function entryOf(key: u64): usize {
  return table + ((key as u32) & (ENTRIES - 1)) * ENTRY_BYTES;
}

/** The current message is an INVITE that is refused now. Its sender repeats it for 64 * T1 at most (timer B). */
export function refusedKeep(status: u32): void {
  const entry = entryOf(transactionKey());
  store<u64>(entry, transactionKey());
  store<u64>(entry, nowMs + timeoutMs(), 8);
  store<u32>(entry, status, 16);
}

/** What the current INVITE was refused with before; 0: it was not, or long ago. */
export function refusedBefore(): u32 {
  const entry = entryOf(transactionKey());
  return load<u64>(entry) == transactionKey() && nowMs < load<u64>(entry, 8) ? load<u32>(entry, 16) : 0;
}
