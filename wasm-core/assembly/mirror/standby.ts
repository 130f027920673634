/**
 * The receiving side of the mirror: applies frames in their order and acknowledges them. Nothing else happens in a standby: no timer
 * is set, nothing is sent.
 */
import {
  C_MIRROR_BYTES,
  C_MIRROR_FRAMES,
  C_MIRROR_LOST,
  C_MIRROR_RECORDS,
  C_MIRROR_SYNCED,
  C_MIRROR_WHOLE,
  EF_MIRROR_ACK,
  EF_MIRROR_FAIL,
  FRAME_HEADER_BYTES,
  F_ARG0,
  F_ARG2,
  F_ARG3,
  F_FLAGS,
  F_LENGTH,
  MIRROR_FAIL_CHECKSUM,
  MIRROR_FAIL_EPOCH,
  MIRROR_FAIL_RECORD,
  MIRROR_FAIL_SEQUENCE,
  MIRROR_LOCAL,
  MRF_GONE,
  MRT_BINDING,
  MRT_CALL,
  MRT_END,
  MRT_TRANSACTION,
  MR_BODY,
  MR_BODY_VERSION,
  MR_FLAGS,
  MR_GENERATION,
  MR_LENGTH,
  MR_SLOT,
  MR_TYPE,
  MR_VERSION,
} from '../abi';
import { callTable } from '../call/call';
import { count, countAdd, gauge } from '../counters';
import { frameBegin, frameEnd } from '../effects';
import { keyedHash } from '../identity';
import { recGen, tableAt, tableHadOnce, tableSkip, tableTouched } from '../mem/table';
import { bindingTable } from '../registrar/bindings';
import { transactionTable } from '../transaction/tables';
import { bindingRecordApply, bindingRecordDrop } from './binding-record';
import { callRecordApply, callRecordDrop } from './call-record';
import { recordRead } from './record';
import { epoch, epochSeen } from './role';
import { transactionRecordApply, transactionRecordDrop } from './transaction-record';

/** The frame that has to come next; 0: the first of a connection, which may have any number. */
let next: u64 = 0;
let toAcknowledge: u64 = 0;
let failed: bool = false;
/** Something of an active core has come. */
export let standbyHeard: bool = false;
/** All that an active core had was here once, and was followed since. */
let isWhole: bool = false;

export function standbyInit(): void {
  standbyHeard = isWhole = false;
  begin();
}

function begin(): void {
  next = toAcknowledge = 0;
  failed = false;
}

/** A connection to the active node has begun: all will be sent again. */
export function standbyPeer(): void {
  begin();
  gauge(C_MIRROR_SYNCED, 0);
}

/** EV_MIRROR. */
export function mirrorApply(frame: usize): void {
  if (failed) return;
  const start = frame + FRAME_HEADER_BYTES;
  const len = load<u32>(frame + F_LENGTH);
  if ((load<u8>(frame + F_FLAGS) & MIRROR_LOCAL) != 0) {
    if (!isWhole) loadAll(start, start + len);
    return;
  }
  const seq = load<u64>(frame + F_ARG0);
  if (load<u32>(frame + F_ARG2) < epoch) return fail(MIRROR_FAIL_EPOCH);
  if (next != 0 && seq != next) return fail(MIRROR_FAIL_SEQUENCE);
  if (load<u32>(frame + F_ARG3) != (keyedHash(start, len) as u32)) return fail(MIRROR_FAIL_CHECKSUM);
  epochSeen(load<u32>(frame + F_ARG2));
  if (!applyAll(start, start + len)) return fail(MIRROR_FAIL_RECORD);
  standbyHeard = true;
  next = seq + 1;
  toAcknowledge = seq;
  count(C_MIRROR_FRAMES);
  countAdd(C_MIRROR_BYTES, len + FRAME_HEADER_BYTES);
}

function fail(reason: u32): void {
  failed = true;
  const frame = frameBegin(EF_MIRROR_FAIL);
  store<u32>(frame + F_ARG0, reason);
  frameEnd();
}

function applyAll(start: usize, end: usize): bool {
  for (let at = start; at + MR_BODY <= end; ) {
    const len = load<u32>(at + MR_LENGTH);
    if (len < MR_BODY || (len & 7) != 0 || at + len > end) return false;
    if (!apply(at)) return false;
    countAdd(C_MIRROR_RECORDS, 1);
    at += len;
  }
  return true;
}

/** Records of a store: below what an active core has sent. One that can't be used, of another version or for a larger table, is left out. */
function loadAll(start: usize, end: usize): void {
  for (let at = start; at + MR_BODY <= end; ) {
    const len = load<u32>(at + MR_LENGTH);
    if (len < MR_BODY || (len & 7) != 0 || at + len > end) return;
    if (
      load<u8>(at + MR_TYPE) == MRT_BINDING &&
      !isHere(load<u32>(at + MR_SLOT), load<u32>(at + MR_GENERATION))
    )
      count(apply(at) ? C_MIRROR_RECORDS : C_MIRROR_LOST);
    at += len;
  }
}

/** Whether a binding's slot holds, or has held, this one or a later one. */
function isHere(slot: u32, gen: u32): bool {
  const known = tableAt(bindingTable(), slot);
  return known != 0 ? recGen(known) >= gen : tableHadOnce(bindingTable(), slot, gen);
}

function apply(record: usize): bool {
  if (load<u8>(record + MR_VERSION) != MR_BODY_VERSION) return false;
  const type = load<u8>(record + MR_TYPE) as u32;
  const slot = load<u32>(record + MR_SLOT);
  const gen = load<u32>(record + MR_GENERATION);
  if (type == MRT_END) return load<u32>(record + MR_LENGTH) >= MR_BODY + 12 && applyEnd(record + MR_BODY);
  if ((load<u16>(record + MR_FLAGS) & MRF_GONE) != 0) return applyGone(type, slot, gen);
  if (!recordRead(record)) return false;
  if (type == MRT_CALL) return callRecordApply(slot, gen);
  if (type == MRT_TRANSACTION) return transactionRecordApply(slot, gen);
  return type == MRT_BINDING && bindingRecordApply(slot, gen);
}

function applyGone(type: u32, slot: u32, gen: u32): bool {
  drop(type, slot);
  if (type == MRT_CALL) tableSkip(callTable(), slot, gen);
  else if (type == MRT_TRANSACTION) tableSkip(transactionTable(), slot, gen);
  else if (type == MRT_BINDING) tableSkip(bindingTable(), slot, gen);
  else return false;
  return true;
}

function drop(type: u32, slot: u32): void {
  if (type == MRT_CALL) callRecordDrop(slot);
  else if (type == MRT_TRANSACTION) transactionRecordDrop(slot);
  else if (type == MRT_BINDING) bindingRecordDrop(slot);
}

/** What lies beyond the active node's records is of one before it. */
function applyEnd(touched: usize): bool {
  for (let s = load<u32>(touched); s < tableTouched(callTable()); s++) callRecordDrop(s);
  for (let s = load<u32>(touched, 4); s < tableTouched(transactionTable()); s++) transactionRecordDrop(s);
  for (let s = load<u32>(touched, 8); s < tableTouched(bindingTable()); s++) bindingRecordDrop(s);
  isWhole = true;
  gauge(C_MIRROR_WHOLE, 1);
  gauge(C_MIRROR_SYNCED, 1);
  return true;
}

/** Acknowledges what this step has applied. At the end of each step. */
export function standbyFlush(): void {
  if (toAcknowledge == 0) return;
  const frame = frameBegin(EF_MIRROR_ACK);
  store<u64>(frame + F_ARG0, toAcknowledge);
  store<u32>(frame + F_ARG2, epoch);
  frameEnd();
  toAcknowledge = 0;
}
