/**
 * Records as they travel (MR_* in abi.ts): a header, the fields of the record as they lie in its table, and those of its blocks that
 * the standby does not have. Fields that are addresses mean nothing elsewhere and are made anew there. New fields come at the
 * end: who knows fewer ignores the rest, who knows more finds zeros. Any other change of a table's fields needs a new MR_BODY_VERSION.
 */
import {
  MRF_GONE,
  MR_BODY,
  MR_BODY_VERSION,
  MR_FLAGS,
  MR_GENERATION,
  MR_LENGTH,
  MR_SLOT,
  MR_TYPE,
  MR_VERSION,
} from '../abi';
import { blockAlloc, blockFree } from '../mem/pool';
import { REC_FIELDS, REC_TYPE, recGen, recSlot } from '../mem/table';
import { bytes, cursor, writeAt } from '../text';

/** Bytes of a header and the length of the fields. */
export const RECORD_HEAD: u32 = MR_BODY + 4;

let open: usize = 0;
let sent: u32 = 0;

/** Opens a record at the text cursor and writes its fields, `end` being the offset behind the last. Returns where they lie. */
export function recordBegin(rec: usize, end: u32): usize {
  open = cursor;
  sent = 0;
  store<u8>(open + MR_TYPE, load<u8>(rec + REC_TYPE));
  store<u8>(open + MR_VERSION, MR_BODY_VERSION);
  store<u32>(open + MR_SLOT, recSlot(rec));
  store<u32>(open + MR_GENERATION, recGen(rec));
  store<u32>(open + MR_BODY, end - REC_FIELDS);
  writeAt(open + RECORD_HEAD);
  bytes(rec + REC_FIELDS, end - REC_FIELDS);
  return open + RECORD_HEAD;
}

/** Appends block `n` of the record, if there is one and the standby does not have it (`has`: bits). */
export function recordBlock(n: u32, block: usize, len: u32, has: u32): void {
  if (block == 0) return;
  const bit: u32 = 1 << n;
  if ((has & bit) == 0) {
    sent |= bit;
    store<u32>(cursor, len);
    writeAt(cursor + 4);
    memory.copy(cursor, block, len);
    writeAt(cursor + len);
  }
}

/** Closes the record. */
export function recordEnd(): void {
  store<u16>(open + MR_FLAGS, sent << 8);
  pad();
}

/** Says that a record is no longer. */
export function recordGone(type: u32, slot: u32, gen: u32): void {
  open = cursor;
  store<u8>(open + MR_TYPE, type);
  store<u8>(open + MR_VERSION, MR_BODY_VERSION);
  store<u16>(open + MR_FLAGS, MRF_GONE);
  store<u32>(open + MR_SLOT, slot);
  store<u32>(open + MR_GENERATION, gen);
  writeAt(open + MR_BODY);
  pad();
}

function pad(): void {
  store<u64>(cursor, 0);
  const len = ((cursor - open + 7) & ~7) as u32;
  store<u32>(open + MR_LENGTH, len);
  writeAt(open + len);
}

// --- reading ------------------------------------------------------------------------------------------

let at: usize = 0;
let limit: usize = 0;
let given: u32 = 0;
/** Where the fields of the record that is being read lie, and their bytes. */
export let fieldsPtr: usize = 0;
export let fieldsLen: u32 = 0;

/** Begins to read a record; false when it is not well-formed. */
export function recordRead(record: usize): bool {
  limit = record + load<u32>(record + MR_LENGTH);
  given = (load<u16>(record + MR_FLAGS) as u32) >> 8;
  fieldsLen = load<u32>(record + MR_BODY);
  fieldsPtr = record + RECORD_HEAD;
  at = fieldsPtr + fieldsLen;
  return (
    load<u32>(record + MR_LENGTH) >= RECORD_HEAD && fieldsLen <= load<u32>(record + MR_LENGTH) - RECORD_HEAD
  );
}

/** In the record being written: of a field that is an address, only whether it is one. */
export function fieldIsBlock(at: usize): void {
  if (load<u32>(at) != 0) store<u32>(at, 1);
}

/** A field of the record being read that is an address: 0 there means that there is no block. */
export function fieldSent(offset: u32): u32 {
  const i = offset - REC_FIELDS;
  return i + 4 <= fieldsLen ? load<u32>(fieldsPtr + i) : 0;
}

/** Takes over the fields up to the offset `end`. */
export function fieldsTake(rec: usize, end: u32): void {
  const len = min<u32>(end - REC_FIELDS, fieldsLen);
  memory.copy(rec + REC_FIELDS, fieldsPtr, len);
  if (len < end - REC_FIELDS) memory.fill(rec + REC_FIELDS + len, 0, end - REC_FIELDS - len);
}

/** `len` bytes that follow, or 0 when there are not as many. */
export function take(len: u32): usize {
  if (at + len > limit) return 0;
  at += len;
  return at - len;
}

/** The address of a string led by its u16 length that follows, or 0. */
export function takeString(): usize {
  const p = take(2);
  return p == 0 || take(load<u16>(p)) == 0 ? 0 : p;
}

/** What became of a block. */
export const BLOCK_KEPT: u32 = 0;
export const BLOCK_NEW: u32 = 1;
export const BLOCK_FAILED: u32 = 2;

/** The block that `takeBlock` leaves. */
export let takenBlock: usize = 0;

/**
 * Block `n`: the one that follows, or the one that we have (`known`), or none if the sender has none (`wanted` 0). BLOCK_FAILED when
 * it should be there and is not, or no block is free.
 */
export function takeBlock(n: u32, known: usize, wanted: u32): u32 {
  takenBlock = known;
  if ((given & (1 << n)) == 0) {
    if (wanted != 0) return known != 0 ? BLOCK_KEPT : BLOCK_FAILED;
    blockFree(known);
    takenBlock = 0;
    return BLOCK_KEPT;
  }
  const lengthAt = take(4);
  if (lengthAt == 0) return BLOCK_FAILED;
  const len = load<u32>(lengthAt);
  const from = take(len);
  if (from == 0) return BLOCK_FAILED;
  blockFree(known);
  takenBlock = blockAlloc(len);
  if (takenBlock == 0) return BLOCK_FAILED;
  memory.copy(takenBlock, from, len);
  return BLOCK_NEW;
}
