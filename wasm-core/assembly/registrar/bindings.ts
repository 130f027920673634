/**
 * The location service: addresses of record and their bindings (RFC 3261 10, RFC 5626). A binding's slot and generation
 * name it for as long as it lives, through every refresh and every new connection of the same device.
 */
import {
  BR_ADDRESS,
  BR_EXPIRES,
  BR_FLAGS,
  BR_FLOW,
  BR_PORT,
  BR_Q,
  BR_REG_ID,
  BR_STRINGS,
  BR_TRANSPORT,
  C_AORS,
  C_BINDINGS,
  CURSOR_END,
  I_AORS_MAX,
  I_BINDINGS_MAX,
  I_SECRET,
  MRT_BINDING,
  TRANSPORT_UDP,
} from '../abi';
import { initPtr, initU32 } from '../config';
import { gauge } from '../counters';
import { siphash24 } from '../crypto/siphash';
import { nowMs, nowUs } from '../effects';
import { copy16 } from '../mem/copy';
import { indexHead, indexInsert, indexNew, indexRemove } from '../mem/index';
import { blockAlloc, blockFree } from '../mem/pool';
import {
  REC_FIELDS,
  tableAt,
  tableCount,
  tableGet,
  tableGive,
  tableNew,
  tableTake,
  tableTouched,
  tableUsed,
} from '../mem/table';
import { timerCancel, timerInit, timerSet } from '../mem/wheel';
import { changed } from '../mirror/changes';
import { G_ADDRESS, G_FLOW, G_PORT, TARGET_BYTES } from '../target';
import { bytes, cursor, writeAt } from '../text';
import { TIMER_BINDING } from '../timers';
import {
  blobAgent,
  blobAgentLen,
  blobInstance,
  blobInstanceLen,
  blobParams,
  blobParamsLen,
  blobPath,
  blobPathLen,
  blobUri,
  blobUriLen,
} from './contact';

// --- address of record ------------------------------------------------------------------------------
const A_HASH: u32 = REC_FIELDS; // u32
const A_LINK: u32 = A_HASH + 4; // u32
const A_FIRST: u32 = A_HASH + 8; // u32
const A_LEN: u32 = A_HASH + 12; // u32
const A_NAME: u32 = A_HASH + 16; // user part, unescaped
/** Longest user part. */
export const AOR_BYTES_MAX: u32 = 128;
const AOR_INLINE: u32 = 48; // longer names are in a block, whose address stands here then
const AOR_BYTES: u32 = A_NAME + AOR_INLINE;

// --- binding ------------------------------------------------------------------------------------------
export const B_TARGET: u32 = REC_FIELDS; // target
export const B_EXPIRES: u32 = B_TARGET + TARGET_BYTES; // u64 ms
export const B_TIMER: u32 = B_EXPIRES + 8; // timer node
export const B_CALL: u32 = B_TIMER + 24; // u64: hash of the REGISTER's Call-ID
export const B_CSEQ: u32 = B_CALL + 8; // u32
export const B_AOR: u32 = B_CALL + 12; // u32
export const B_NEXT: u32 = B_CALL + 16; // u32
export const B_FLOW_LINK: u32 = B_CALL + 20; // u32
export const B_FLOW: u32 = B_CALL + 24; // u32: flow that it is indexed by
/** u32: what is kept of the Contact (contact.ts). */
export const B_BLOB: u32 = B_CALL + 28;
/** u16, thousandths. */
export const B_Q: u32 = B_CALL + 32;
export const B_FLAGS: u32 = B_CALL + 34; // u16
export const B_REG_ID: u32 = B_CALL + 36; // u32
/** u32: of the key of the REGISTER's transaction. */
export const B_TRANSACTION: u32 = B_CALL + 40;
export const B_BYTES: u32 = B_CALL + 48;

/** Its connection is gone; it is kept for a while, for the device to come back. */
const BF_UNREACHABLE: u16 = 1;
/** How long. */
const UNREACHABLE_MS: u64 = 120_000;

let aors: usize = 0;
let byName: usize = 0;
let bindings: usize = 0;
let byFlow: usize = 0;

export function registrarInit(): void {
  aors = tableNew(initU32(I_AORS_MAX), AOR_BYTES);
  byName = indexNew(initU32(I_AORS_MAX));
  bindings = tableNew(initU32(I_BINDINGS_MAX), B_BYTES, startGeneration(), MRT_BINDING);
  byFlow = indexNew(initU32(I_BINDINGS_MAX));
}

const started: usize = memory.data(16, 8);

/**
 * Cookies name bindings by slot and generation and outlive the core that wrote them: the next one must not take the binding of
 * somebody else for theirs. Cores that share the secret were not started in the same microsecond.
 */
function startGeneration(): u32 {
  store<f64>(started, nowUs);
  return ((siphash24(initPtr() + I_SECRET, started, 8) as u32) >>> 1) | 1;
}

/** FNV-1a. */
function hash(ptr: usize, len: u32): u32 {
  let h: u32 = 0x811c9dc5;
  for (let i: u32 = 0; i < len; i++) h = (h ^ (load<u8>(ptr + i) as u32)) * 0x01000193;
  return h;
}

/** User part. */
export function aorName(aor: usize): usize {
  return load<u32>(aor + A_LEN) <= AOR_INLINE ? aor + A_NAME : (load<u32>(aor + A_NAME) as usize);
}

export function aorNameLen(aor: usize): u32 {
  return load<u32>(aor + A_LEN);
}

/** The address of record with that (unescaped) user part, or 0 when it has no bindings. */
export function aorFind(userPtr: usize, userLen: u32): usize {
  const h = hash(userPtr, userLen);
  let aor = indexHead(byName, h);
  while (aor != 0) {
    if (load<u32>(aor + A_LEN) == userLen && memory.compare(aorName(aor), userPtr, userLen) == 0) return aor;
    aor = load<u32>(aor + A_LINK);
  }
  return 0;
}

/** Finds or makes it; 0 when the table is full. */
export function aorTake(userPtr: usize, userLen: u32): usize {
  const known = aorFind(userPtr, userLen);
  if (known != 0) return known;
  const aor = tableTake(aors);
  if (aor == 0) return 0;
  const h = hash(userPtr, userLen);
  store<u32>(aor + A_HASH, h);
  store<u32>(aor + A_LEN, userLen);
  if (userLen > AOR_INLINE) {
    const block = blockAlloc(userLen);
    if (block == 0) {
      tableGive(aors, aor);
      return 0;
    }
    store<u32>(aor + A_NAME, block as u32);
  }
  memory.copy(aorName(aor), userPtr, userLen);
  indexInsert(byName, h, aor, A_LINK);
  gauge(C_AORS, tableUsed(aors));
  return aor;
}

/** Gives an address of record back if it has no bindings. */
export function aorRelease(aor: usize): void {
  if (load<u32>(aor + A_FIRST) != 0) return;
  if (load<u32>(aor + A_LEN) > AOR_INLINE) blockFree(load<u32>(aor + A_NAME));
  indexRemove(byName, load<u32>(aor + A_HASH), aor, A_LINK);
  tableGive(aors, aor);
  gauge(C_AORS, tableUsed(aors));
}

/** All bindings: to walk with `bindingAfter`, the unreachable ones included. */
export function bindingHead(aor: usize): usize {
  return load<u32>(aor + A_FIRST);
}

export function bindingAfter(binding: usize): usize {
  return load<u32>(binding + B_NEXT);
}

function reachable(from: usize): usize {
  let b = from;
  while (b != 0 && ((load<u16>(b + B_FLAGS) & BF_UNREACHABLE) != 0 || load<u64>(b + B_EXPIRES) <= nowMs)) {
    b = load<u32>(b + B_NEXT);
  }
  return b;
}

/** The first binding that a request can be sent to, or 0. */
export function bindingFirst(aor: usize): usize {
  return reachable(load<u32>(aor + A_FIRST));
}

export function bindingNext(binding: usize): usize {
  return reachable(load<u32>(binding + B_NEXT));
}

/** The binding of that identity, or 0 when it is no longer. */
export function bindingGet(slot: u32, gen: u32): usize {
  return tableGet(bindings, slot, gen);
}

/** A new binding at the end of the address of record's list, or 0 when the table is full. */
export function bindingAdd(aor: usize): usize {
  const b = tableTake(bindings);
  if (b == 0) return 0;
  timerInit(b + B_TIMER, TIMER_BINDING);
  bindingJoin(b, aor);
  return b;
}

/** Puts a binding at the end of the address of record's list; false, and the binding is none, when there is no address of record (0). */
export function bindingJoin(b: usize, aor: usize): bool {
  gauge(C_BINDINGS, tableUsed(bindings));
  store<u32>(b + B_AOR, aor as u32);
  store<u32>(b + B_NEXT, 0);
  if (aor == 0) {
    blockFree(load<u32>(b + B_BLOB));
    tableGive(bindings, b);
    gauge(C_BINDINGS, tableUsed(bindings));
    return false;
  }
  let at = aor + A_FIRST;
  while (load<u32>(at) != 0) at = (load<u32>(at) as usize) + B_NEXT;
  store<u32>(at, b as u32);
  return true;
}

export function bindingTable(): usize {
  return bindings;
}

/** It came from another core, and this one is active now. `isConnected`: its connection, if it has one, is not another node's. */
export function bindingResume(b: usize, isConnected: bool): void {
  if (load<u8>(b + B_TARGET) != TRANSPORT_UDP && !isConnected) return loseFlow(b);
  timerSet(b + B_TIMER, load<u64>(b + B_EXPIRES));
  if ((load<u16>(b + B_FLAGS) & BF_UNREACHABLE) == 0) index(b);
}

/** What was reached through a connection is unreachable until the device registers again. */
function loseFlow(b: usize): void {
  store<u16>(b + B_FLAGS, load<u16>(b + B_FLAGS) | BF_UNREACHABLE);
  const until = min<u64>(load<u64>(b + B_EXPIRES), nowMs + UNREACHABLE_MS);
  store<u64>(b + B_EXPIRES, until);
  timerSet(b + B_TIMER, until);
  changed(b);
}

/** How many more there can be. */
export function bindingsFree(): u32 {
  return tableCount(bindings) - tableUsed(bindings);
}

/** Sets until when a binding holds, and by which flow it is found. */
export function bindingRenew(b: usize, expiresMs: u64): void {
  unindex(b);
  index(b);
  store<u16>(b + B_FLAGS, load<u16>(b + B_FLAGS) & ~BF_UNREACHABLE);
  store<u64>(b + B_EXPIRES, expiresMs);
  timerSet(b + B_TIMER, expiresMs);
  changed(b);
}

/** Lets it be found by its flow. */
function index(b: usize): void {
  const flow = load<u32>(b + B_TARGET + G_FLOW);
  store<u32>(b + B_FLOW, flow);
  if (flow != 0) indexInsert(byFlow, flow * 0x9e3779b1, b, B_FLOW_LINK);
}

function unindex(b: usize): void {
  const flow = load<u32>(b + B_FLOW);
  if (flow != 0) indexRemove(byFlow, flow * 0x9e3779b1, b, B_FLOW_LINK);
  store<u32>(b + B_FLOW, 0);
}

/** Takes a binding away; its address of record stays until `aorRelease`. */
export function bindingRemove(b: usize): void {
  timerCancel(b + B_TIMER);
  unindex(b);
  let at = (load<u32>(b + B_AOR) as usize) + A_FIRST;
  while ((load<u32>(at) as usize) != b) at = (load<u32>(at) as usize) + B_NEXT;
  store<u32>(at, load<u32>(b + B_NEXT));
  blockFree(load<u32>(b + B_BLOB));
  tableGive(bindings, b);
  gauge(C_BINDINGS, tableUsed(bindings));
}

/** A binding has expired. */
export function bindingTimer(node: usize): void {
  const b = node - B_TIMER;
  const aor: usize = load<u32>(b + B_AOR);
  bindingRemove(b);
  aorRelease(aor);
}

/** A connection has closed: what was reached through it is unreachable until the device registers again. */
export function flowClosed(flow: u32): void {
  if (flow == 0) return;
  for (let b = indexHead(byFlow, flow * 0x9e3779b1); b != 0; b = load<u32>(b + B_FLOW_LINK)) {
    if (load<u32>(b + B_FLOW) == flow) loseFlow(b);
  }
}

// --- strings ------------------------------------------------------------------------------------------

export function bindingUriPtr(b: usize): usize {
  return blobUri(load<u32>(b + B_BLOB));
}

export function bindingUriLen(b: usize): u32 {
  return blobUriLen(load<u32>(b + B_BLOB));
}

/** Parameters of the Contact as they came, without q and expires. */
export function bindingParamsPtr(b: usize): usize {
  return blobParams(load<u32>(b + B_BLOB));
}

export function bindingParamsLen(b: usize): u32 {
  return blobParamsLen(load<u32>(b + B_BLOB));
}

/** Path (RFC 3327) as a Route value. */
export function bindingPathPtr(b: usize): usize {
  return blobPath(load<u32>(b + B_BLOB));
}

export function bindingPathLen(b: usize): u32 {
  return blobPathLen(load<u32>(b + B_BLOB));
}

// --- query --------------------------------------------------------------------------------------------

/** Where the next page begins, and the records of the last one. */
export let writeBindingsNext: u32 = CURSOR_END;
export let writeBindingsCount: u32 = 0;
const PAGE_BYTES: usize = 200_000;

/** Writes records (BR_* of abi.ts, each led by its u32 length) at `dst`; returns the bytes. */
export function writeBindings(dst: usize, from: u32, limit: u32): u32 {
  const resume = cursor;
  writeAt(dst);
  const touched = tableTouched(bindings);
  let slot = from;
  let n: u32 = 0;
  for (; slot < touched && n < limit && cursor - dst < PAGE_BYTES; slot++) {
    const b = tableAt(bindings, slot);
    if (b == 0) continue;
    writeBinding(b);
    n++;
  }
  const len = (cursor - dst) as u32;
  writeAt(resume);
  writeBindingsNext = slot < touched ? slot : CURSOR_END;
  writeBindingsCount = n;
  return len;
}

function writeString(ptr: usize, len: u32): void {
  store<u16>(cursor, len);
  writeAt(cursor + 2);
  bytes(ptr, len);
}

function writeBinding(b: usize): void {
  const lengthAt = cursor;
  const at = cursor + 4;
  const target = b + B_TARGET;
  store<f64>(at + BR_EXPIRES, (load<u64>(b + B_EXPIRES) as f64) * 1000);
  store<u8>(at + BR_TRANSPORT, load<u8>(target));
  store<u8>(at + BR_FLAGS, load<u16>(b + B_FLAGS));
  store<u16>(at + BR_Q, load<u16>(b + B_Q));
  store<u16>(at + BR_PORT, load<u16>(target + G_PORT));
  store<u16>(at + BR_REG_ID, min<u32>(load<u32>(b + B_REG_ID), 0xffff));
  store<u32>(at + BR_FLOW, load<u32>(target + G_FLOW));
  copy16(at + BR_ADDRESS, target + G_ADDRESS);
  writeAt(at + BR_STRINGS);
  const aor: usize = load<u32>(b + B_AOR);
  writeString(aorName(aor), load<u32>(aor + A_LEN));
  writeString(bindingUriPtr(b), bindingUriLen(b));
  const blob: usize = load<u32>(b + B_BLOB);
  writeString(blobInstance(blob), blobInstanceLen(blob));
  writeString(blobPath(blob), blobPathLen(blob));
  writeString(blobAgent(blob), blobAgentLen(blob));
  store<u32>(lengthAt, (cursor - at) as u32);
}
