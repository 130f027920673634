/**
 * Which records have changed since they were last sent: a queue for the standby and one for the journal, both threaded through the
 * records' headers. So they need no room, can't be full, and a record that changes again before it was sent is sent once.
 */
import { C_MIRROR_DIRTY, I_JOURNAL, MRT_BINDING } from '../abi';
import { initU32 } from '../config';
import { gauge } from '../counters';
import { REC_CHANGED, REC_JOURNAL, REC_SENT, REC_SENT_TO, REC_TYPE } from '../mem/table';

/** In the link of the last record of a queue. */
const END: u32 = 1;

let first: usize = 0;
let last: usize = 0;
/** Records in the queue for the standby. */
export let changesQueued: u32 = 0;
/** How many records were ever put into it, and taken out: a change is under way to the standby when `changesTaken` reaches what `changesMade` was. */
export let changesMade: u32 = 0;
export let changesTaken: u32 = 0;
let journalFirst: usize = 0;
let journalLast: usize = 0;
let isJournaled: bool = false;
/** A standby is connected. */
let isMirrored: bool = false;
/** Names its connection, 1 to 255. */
let connection: u32 = 0;

export function changesInit(): void {
  first = last = journalFirst = journalLast = 0;
  changesQueued = changesMade = changesTaken = connection = 0;
  isMirrored = isJournaled = false;
}

/** Journals from now on, if the configuration says so. */
export function journalBegin(): void {
  isJournaled = initU32(I_JOURNAL) != 0;
}

/** A standby has connected, and has nothing; or it is gone. */
export function changesFor(standby: bool): void {
  while (changesTake() != 0);
  isMirrored = standby;
  if (standby) connection = (connection % 255) + 1;
}

/** The record is not as it was, or has been given back. */
export function changed(rec: usize): void {
  const type = load<u8>(rec + REC_TYPE);
  if (type == 0) return;
  if (isMirrored && load<u32>(rec + REC_CHANGED) == 0) {
    store<u32>(rec + REC_CHANGED, END);
    if (first == 0) first = rec;
    else store<u32>(last + REC_CHANGED, rec as u32);
    last = rec;
    changesMade++;
    gauge(C_MIRROR_DIRTY, ++changesQueued);
  }
  if (isJournaled && type == MRT_BINDING && load<u32>(rec + REC_JOURNAL) == 0) {
    store<u32>(rec + REC_JOURNAL, END);
    if (journalFirst == 0) journalFirst = rec;
    else store<u32>(journalLast + REC_JOURNAL, rec as u32);
    journalLast = rec;
  }
}

/** The record that has waited longest, not taken out; 0 when none waits. */
export function changesFirst(): usize {
  return first;
}

/** Takes out the record that has waited longest; 0 when none waits. */
export function changesTake(): usize {
  const rec = first;
  if (rec == 0) return 0;
  const next: usize = load<u32>(rec + REC_CHANGED);
  first = next == END ? 0 : next;
  store<u32>(rec + REC_CHANGED, 0);
  changesTaken++;
  gauge(C_MIRROR_DIRTY, --changesQueued);
  return rec;
}

/** The same for the journal. */
export function journalTake(): usize {
  const rec = journalFirst;
  if (rec == 0) return 0;
  const next: usize = load<u32>(rec + REC_JOURNAL);
  journalFirst = next == END ? 0 : next;
  store<u32>(rec + REC_JOURNAL, 0);
  return rec;
}

/** Whether something waits for the journal. */
export function journalWaits(): bool {
  return journalFirst != 0;
}

/** Blocks of a record that the standby has, as bits. */
export function blocksSent(rec: usize): u32 {
  return (load<u8>(rec + REC_SENT_TO) as u32) == connection ? (load<u8>(rec + REC_SENT) as u32) : 0;
}

export function setBlocksSent(rec: usize, bits: u32): void {
  store<u8>(rec + REC_SENT, bits);
  store<u8>(rec + REC_SENT_TO, connection);
}

/** Block `n` of a record is another one now, or has another text. */
export function blockChanged(rec: usize, n: u32): void {
  store<u8>(rec + REC_SENT, (load<u8>(rec + REC_SENT) as u32) & ~(1 << n));
}
