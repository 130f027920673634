/**
 * Tables of records of one size, with a free list and a generation per slot.
 *
 * A record starts with a 32-byte header; its own fields start at REC_FIELDS. Slot and generation together
 * name a record for good: after it is given back, the pair finds nothing. Slots that were never used are
 * not touched, so that a large table costs memory only as it fills.
 */
import { changed } from '../mirror/changes';
import { alloc } from './arena';
import { clear } from './copy';

/** Offset of the first field of a record's own. */
export const REC_FIELDS: u32 = 32;

// record header
const REC_GEN: u32 = 0; // u32, 1 and up
const REC_LIVE: u32 = 4; // u8: 1 taken, 0 free
/** u8: MRT_* of a mirrored table, else 0. */
export const REC_TYPE: u32 = 5;
/** u8 each: blocks that the standby has, as bits, and since which connection of it (mirror/changes.ts). */
export const REC_SENT: u32 = 6;
export const REC_SENT_TO: u32 = 7;
const REC_NEXT: u32 = 8; // u32: next free record
const REC_SLOT: u32 = 12; // u32
/** u32 each: next record whose change is to be sent to the standby, and to the journal; 0 = not in that list. */
export const REC_CHANGED: u32 = 16;
export const REC_JOURNAL: u32 = 20;

// table head
const T_BASE: u32 = 0;
const T_COUNT: u32 = 4;
const T_BYTES: u32 = 8;
const T_FREE: u32 = 12;
const T_TOUCHED: u32 = 16;
const T_USED: u32 = 20;
const T_FIRST_GEN: u32 = 24;
const T_TYPE: u32 = 28;
const T_HEAD_BYTES: u32 = 64;

/**
 * A table of `count` records of `recBytes` each, header included (rounded up to 16). `firstGen`: generation of a slot's first
 * record, 1 or more. `type`: MRT_* when its records are mirrored.
 */
export function tableNew(count: u32, recBytes: u32, firstGen: u32 = 1, type: u32 = 0): usize {
  const table = alloc(T_HEAD_BYTES);
  const bytes = (recBytes + 15) & ~15;
  store<u32>(table + T_COUNT, count);
  store<u32>(table + T_BYTES, bytes);
  store<u32>(table + T_FIRST_GEN, firstGen);
  store<u32>(table + T_TYPE, type);
  store<u32>(table + T_BASE, alloc((count as usize) * bytes) as u32);
  return table;
}

/** A free record, its own fields zeroed; 0 when the table is full. */
export function tableTake(table: usize): usize {
  let rec: usize = load<u32>(table + T_FREE);
  if (rec != 0) store<u32>(table + T_FREE, load<u32>(rec + REC_NEXT));
  else {
    const slot = load<u32>(table + T_TOUCHED);
    if (slot == load<u32>(table + T_COUNT)) return 0;
    rec = touch(table, slot);
  }
  return begin(table, rec);
}

/** A slot that was never used. */
function touch(table: usize, slot: u32): usize {
  store<u32>(table + T_TOUCHED, slot + 1);
  const rec: usize = load<u32>(table + T_BASE) + slot * load<u32>(table + T_BYTES);
  store<u32>(rec + REC_GEN, load<u32>(table + T_FIRST_GEN));
  store<u32>(rec + REC_SLOT, slot);
  store<u8>(rec + REC_TYPE, load<u32>(table + T_TYPE));
  return rec;
}

function begin(table: usize, rec: usize): usize {
  clear(rec + REC_FIELDS, load<u32>(table + T_BYTES) - REC_FIELDS);
  store<u8>(rec + REC_LIVE, 1);
  store<u8>(rec + REC_SENT, 0);
  store<u32>(table + T_USED, load<u32>(table + T_USED) + 1);
  return rec;
}

/**
 * The record of that slot and generation, made if there is none; what is in the slot must have been given back. For tables that
 * follow another core's: `tableTake` may be used only after `tableRebuild`. 0 when the table has no such slot.
 */
export function tablePut(table: usize, slot: u32, gen: u32): usize {
  const rec = tableReach(table, slot);
  if (rec == 0) return 0;
  if (load<u8>(rec + REC_LIVE) != 0) return load<u32>(rec + REC_GEN) == gen ? rec : 0;
  store<u32>(rec + REC_GEN, gen);
  return begin(table, rec);
}

/** The slot and all before it count as used; 0 when the table is smaller. */
export function tableReach(table: usize, slot: u32): usize {
  if (slot >= load<u32>(table + T_COUNT)) return 0;
  while (load<u32>(table + T_TOUCHED) <= slot) touch(table, load<u32>(table + T_TOUCHED));
  return load<u32>(table + T_BASE) + slot * load<u32>(table + T_BYTES);
}

/** No record of that slot up to this generation will be made again. The slot must be free. */
export function tableSkip(table: usize, slot: u32, gen: u32): void {
  const rec = tableReach(table, slot);
  if (rec != 0 && load<u32>(rec + REC_GEN) <= gen) store<u32>(rec + REC_GEN, gen + 1);
}

/** Whether the record has not been given back. */
export function recIsLive(rec: usize): bool {
  return load<u8>(rec + REC_LIVE) != 0;
}

/** Whatever is in the slot, which must have been used. */
export function tableSlot(table: usize, slot: u32): usize {
  return load<u32>(table + T_BASE) + slot * load<u32>(table + T_BYTES);
}

/** Makes the list of free slots anew, the lowest first. */
export function tableRebuild(table: usize): void {
  store<u32>(table + T_FREE, 0);
  for (let slot = load<u32>(table + T_TOUCHED); slot-- > 0; ) {
    const rec = tableSlot(table, slot);
    if (load<u8>(rec + REC_LIVE) != 0) continue;
    store<u32>(rec + REC_NEXT, load<u32>(table + T_FREE));
    store<u32>(table + T_FREE, rec as u32);
  }
}

/** Gives a record back; its generation ends here. Traps when it is free already. */
export function tableGive(table: usize, rec: usize): void {
  if (load<u8>(rec + REC_LIVE) == 0) unreachable();
  store<u8>(rec + REC_LIVE, 0);
  changed(rec);
  store<u32>(rec + REC_GEN, load<u32>(rec + REC_GEN) + 1);
  store<u32>(rec + REC_NEXT, load<u32>(table + T_FREE));
  store<u32>(table + T_FREE, rec as u32);
  store<u32>(table + T_USED, load<u32>(table + T_USED) - 1);
}

/** Records taken. */
export function tableUsed(table: usize): u32 {
  return load<u32>(table + T_USED);
}

/** Slots that have ever been used: the range to walk. */
export function tableTouched(table: usize): u32 {
  return load<u32>(table + T_TOUCHED);
}

/** Records that fit. */
export function tableCount(table: usize): u32 {
  return load<u32>(table + T_COUNT);
}

export function recSlot(rec: usize): u32 {
  return load<u32>(rec + REC_SLOT);
}

export function recGen(rec: usize): u32 {
  return load<u32>(rec + REC_GEN);
}

/** The record in `slot` if it is taken, else 0. */
export function tableAt(table: usize, slot: u32): usize {
  if (slot >= load<u32>(table + T_TOUCHED)) return 0;
  const rec: usize = load<u32>(table + T_BASE) + slot * load<u32>(table + T_BYTES);
  return load<u8>(rec + REC_LIVE) != 0 ? rec : 0;
}

/** Whether there was a record of that slot and generation, which has been given back since. */
export function tableHadOnce(table: usize, slot: u32, gen: u32): bool {
  if (slot >= load<u32>(table + T_TOUCHED)) return false;
  const rec: usize = load<u32>(table + T_BASE) + slot * load<u32>(table + T_BYTES);
  return gen < load<u32>(rec + REC_GEN);
}

/** The record of that slot and generation, or 0 when it is no longer (or never was). */
export function tableGet(table: usize, slot: u32, gen: u32): usize {
  const rec = tableAt(table, slot);
  return rec != 0 && load<u32>(rec + REC_GEN) == gen ? rec : 0;
}
