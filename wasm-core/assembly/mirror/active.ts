/**
 * The sending side of the mirror: frames of changed records, and of all others once for a standby that has just connected. At most
 * WINDOW_BYTES are on their way unacknowledged; what changes meanwhile stays in the queue, where a record stands once.
 */
import {
  C_MIRROR_ACK_US,
  C_MIRROR_BYTES,
  C_MIRROR_FRAMES,
  C_MIRROR_LOST,
  C_MIRROR_RECORDS,
  C_MIRROR_SYNCED,
  C_MIRROR_UNACKED,
  EF_JOURNAL,
  EF_MIRROR,
  FRAME_HEADER_BYTES,
  F_ARG0,
  F_ARG2,
  F_ARG3,
  MRT_BINDING,
  MRT_CALL,
  MRT_END,
  MRT_TRANSACTION,
  MR_BODY,
  MR_BODY_VERSION,
  MR_LENGTH,
  MR_TYPE,
  MR_VERSION,
} from '../abi';
import { callTable } from '../call/call';
import { count, countAdd, gauge } from '../counters';
import { effectsLow, effectsReset, frameBegin, frameEnd, nowMs, nowUs } from '../effects';
import { keyedHash } from '../identity';
import { REC_TYPE, recGen, recIsLive, recSlot, tableSlot, tableTouched } from '../mem/table';
import { timerCancel, timerInit, timerSet } from '../mem/wheel';
import { bindingTable } from '../registrar/bindings';
import { cursor, writeAt } from '../text';
import { TIMER_MIRROR } from '../timers';
import { transactionTable } from '../transaction/tables';
import { bindingRecordRoom, bindingRecordWrite } from './binding-record';
import { callRecordRoom, callRecordWrite } from './call-record';
import {
  changesFirst,
  changesFor,
  changesQueued,
  changesTake,
  changesTaken,
  journalTake,
  journalWaits,
} from './changes';
import { heldAcknowledged, heldReleaseAll, heldWaits } from './held';
import { recordGone } from './record';
import { epoch } from './role';
import { transactionRecordRoom, transactionRecordWrite } from './transaction-record';

/**
 * A change waits for others to go with it until the second ms begins, unless so many wait, or an answer that is held. While a standby gets
 * everything, frames go each ms.
 */
const PAUSE_MS: u64 = 2;
const WALK_PAUSE_MS: u64 = 1;
const PAUSE_RECORDS: u32 = 64;
/** Most bytes of records in a frame, so that it fits a receive slot. */
const FRAME_BYTES_MAX: u32 = 64512;
/** Most records of one frame that have not changed, so that a standby that connects costs little at a time. */
const WALK_RECORDS: u32 = 32;
/** Most free slots that are passed in one frame. */
const WALK_SLOTS: u32 = 1024;
const WINDOW_BYTES: u32 = 1 << 20;
/** Frames on their way: as many as the ring below has room for. */
const WINDOW_FRAMES: u32 = 1024;
/** Frames of one step. */
const FRAMES_PER_STEP: u32 = 4;
const JOURNAL_PAUSE_MS: u64 = 20;
const JOURNAL_RECORDS: u32 = 256;

const W_BYTES: u32 = 0; // u32
const W_CHANGES: u32 = 4; // u32: changes taken with it
const W_SENT: u32 = 8; // f64 µs
const ring: usize = memory.data(16384, 8); // WINDOW_FRAMES * 16
const timer: usize = memory.data(24, 8);
const journalTimer: usize = memory.data(24, 8);

/** A standby is connected. */
export let hasStandby: bool = false;
let sequence: u64 = 0;
let acknowledged: u64 = 0;
let unackedBytes: u32 = 0;
/** Since when something waits, ms; 0: nothing does. */
let waitsMs: u64 = 0;
let journalMs: u64 = 0;
/** What the walk over all records comes to next: table 0 to 2, 3 = the end to be said, 4 = done. */
let walkTable: u32 = 4;
let walkSlot: u32 = 0;
let endSequence: u64 = 0;

export function mirrorInit(): void {
  hasStandby = false;
  sequence = acknowledged = endSequence = 0;
  unackedBytes = 0;
  waitsMs = 0;
  journalMs = 0;
  walkTable = 4;
  timerInit(timer, TIMER_MIRROR);
  timerInit(journalTimer, TIMER_MIRROR);
}

/** A standby has connected and knows nothing, or the one that was is gone. */
export function mirrorPeer(connected: bool): void {
  hasStandby = connected;
  changesFor(connected);
  acknowledged = sequence;
  unackedBytes = 0;
  endSequence = 0;
  walkTable = connected ? 0 : 4;
  walkSlot = 0;
  gauge(C_MIRROR_SYNCED, 0);
  gauge(C_MIRROR_UNACKED, 0);
  if (!connected) {
    timerCancel(timer);
    heldReleaseAll();
  }
}

/** EV_MIRROR_ACK. */
export function mirrorAcknowledged(seq: u64): void {
  if (!hasStandby || seq > sequence || seq <= acknowledged) return;
  let e: usize = 0;
  while (acknowledged < seq) {
    e = window(++acknowledged);
    unackedBytes -= load<u32>(e + W_BYTES);
  }
  gauge(C_MIRROR_UNACKED, (sequence - acknowledged) as u32);
  gauge(C_MIRROR_ACK_US, (nowUs - load<f64>(e + W_SENT)) as u32);
  if (endSequence != 0 && seq >= endSequence) {
    endSequence = 0;
    gauge(C_MIRROR_SYNCED, 1);
  }
  heldAcknowledged(load<u32>(e + W_CHANGES));
}

function window(seq: u64): usize {
  return ring + ((seq as u32) & (WINDOW_FRAMES - 1)) * 16;
}

/** What waits and may be sent now. At the end of each step. */
export function mirrorFlush(): void {
  if (journalWaits()) journalFlush();
  if (!hasStandby || !waits()) return;
  if (waitsMs == 0) waitsMs = nowMs;
  const dueMs = waitsMs + (walkTable < 4 ? WALK_PAUSE_MS : PAUSE_MS);
  if (nowMs < dueMs && changesQueued < PAUSE_RECORDS && !isUrgent()) return timerSet(timer, dueMs);
  for (let n: u32 = 0; n < FRAMES_PER_STEP && waits() && isOpen() && !effectsLow(); n++) sendFrame();
  waitsMs = waits() ? nowMs : 0;
  if (waitsMs != 0) timerSet(timer, nowMs + 1);
  else timerCancel(timer);
}

/** An answer waits for a change. With frames on their way already, it goes with the others. */
function isUrgent(): bool {
  return acknowledged == sequence && heldWaits();
}

/**
 * All records as frames for the core that takes the place of this one, which has trapped: as many as the effects have room for. No timer
 * runs, nothing is waited for. The first time, answers that were held go out, too. False: there are no more.
 */
export function mirrorDump(isFirst: bool): bool {
  effectsReset();
  if (isFirst) {
    mirrorPeer(false);
    mirrorPeer(true);
  }
  while (waits() && !effectsLow()) sendFrame();
  return waits();
}

function waits(): bool {
  return changesQueued > 0 || walkTable < 4;
}

function isOpen(): bool {
  return unackedBytes < WINDOW_BYTES && sequence - acknowledged < WINDOW_FRAMES;
}

function sendFrame(): void {
  const frame = frameBegin(EF_MIRROR);
  const start = cursor;
  let records: u32 = 0;
  while (changesQueued > 0 && records < PAUSE_RECORDS) {
    const rec = changesFirst();
    const room = recordRoom(rec);
    if (((cursor - start) as u32) + room > FRAME_BYTES_MAX) {
      if (cursor != start) break;
      changesTake();
      tooLarge(rec);
    } else {
      changesTake();
      writeRecord(rec);
    }
    records++;
  }
  records += walk(start);
  const len = (cursor - start) as u32;
  sequence++;
  store<u64>(frame + F_ARG0, sequence);
  store<u32>(frame + F_ARG2, epoch);
  store<u32>(frame + F_ARG3, keyedHash(start, len) as u32);
  frameEnd();
  const e = window(sequence);
  store<u32>(e + W_BYTES, len + FRAME_HEADER_BYTES);
  store<u32>(e + W_CHANGES, changesTaken);
  store<f64>(e + W_SENT, nowUs);
  unackedBytes += len + FRAME_HEADER_BYTES;
  count(C_MIRROR_FRAMES);
  countAdd(C_MIRROR_RECORDS, records);
  countAdd(C_MIRROR_BYTES, len + FRAME_HEADER_BYTES);
  gauge(C_MIRROR_UNACKED, (sequence - acknowledged) as u32);
}

function recordRoom(rec: usize): u32 {
  if (!recIsLive(rec)) return MR_BODY + 8;
  const type = load<u8>(rec + REC_TYPE) as u32;
  if (type == MRT_CALL) return callRecordRoom(rec);
  return type == MRT_TRANSACTION ? transactionRecordRoom(rec) : bindingRecordRoom(rec);
}

function writeRecord(rec: usize): void {
  const type = load<u8>(rec + REC_TYPE) as u32;
  if (!recIsLive(rec)) return recordGone(type, recSlot(rec), recGen(rec) - 1);
  if (type == MRT_CALL) callRecordWrite(rec);
  else if (type == MRT_TRANSACTION) transactionRecordWrite(rec);
  else bindingRecordWrite(rec, false);
}

/** The standby must not keep what the record was before. */
function tooLarge(rec: usize): void {
  recordGone(load<u8>(rec + REC_TYPE), recSlot(rec), recGen(rec));
  count(C_MIRROR_LOST);
}

function tableOf(i: u32): usize {
  return i == 0 ? bindingTable() : i == 1 ? callTable() : transactionTable();
}

function _typeOf(i: u32): u32 {
  return i == 0 ? MRT_BINDING : i == 1 ? MRT_CALL : MRT_TRANSACTION;
}

/** Goes on through all tables; returns how many records it wrote. */
function walk(start: usize): u32 {
  let records: u32 = 0;
  for (let slots: u32 = 0; walkTable < 3 && records < WALK_RECORDS && slots < WALK_SLOTS; slots++) {
    const table = tableOf(walkTable);
    if (walkSlot >= tableTouched(table)) {
      walkTable++;
      walkSlot = 0;
      continue;
    }
    const rec = tableSlot(table, walkSlot);
    const room = recordRoom(rec);
    const isLarge = room > FRAME_BYTES_MAX;
    if (((cursor - start) as u32) + (isLarge ? MR_BODY + 8 : room) > FRAME_BYTES_MAX) return records;
    if (isLarge) tooLarge(rec);
    else writeRecord(rec);
    if (recIsLive(rec)) records++;
    walkSlot++;
  }
  if (walkTable == 3 && ((cursor - start) as u32) + 64 < FRAME_BYTES_MAX) {
    writeEnd();
    walkTable = 4;
    endSequence = sequence + 1;
  }
  return records;
}

function writeEnd(): void {
  const at = cursor;
  store<u64>(at, 0);
  store<u64>(at, 0, 8);
  store<u8>(at + MR_TYPE, MRT_END);
  store<u8>(at + MR_VERSION, MR_BODY_VERSION);
  store<u32>(at + MR_LENGTH, MR_BODY + 16);
  store<u32>(at + MR_BODY, tableTouched(callTable()));
  store<u32>(at + MR_BODY, tableTouched(transactionTable()), 4);
  store<u32>(at + MR_BODY, tableTouched(bindingTable()), 8);
  store<u32>(at + MR_BODY, 0, 12);
  writeAt(at + MR_BODY + 16);
}

/** Changed bindings for the store. */
function journalFlush(): void {
  if (nowMs < journalMs || effectsLow()) return timerSet(journalTimer, max<u64>(journalMs, nowMs + 1));
  frameBegin(EF_JOURNAL);
  const start = cursor;
  for (let n: u32 = 0; n < JOURNAL_RECORDS && ((cursor - start) as u32) + 8192 < FRAME_BYTES_MAX; n++) {
    const b = journalTake();
    if (b == 0) break;
    if (recIsLive(b)) bindingRecordWrite(b, true);
    else recordGone(MRT_BINDING, recSlot(b), recGen(b) - 1);
  }
  frameEnd();
  journalMs = nowMs + JOURNAL_PAUSE_MS;
  if (journalWaits()) timerSet(journalTimer, journalMs);
}
