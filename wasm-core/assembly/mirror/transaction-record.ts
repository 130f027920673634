/**
 * INVITE contexts on their way to the standby, their branches behind the fields. Blocks: the stored request, bodies made for phones
 * and for browsers, the last response sent, the best final response.
 */
import { recGen, tableAt, tablePut, REC_FIELDS } from '../mem/table';
import { timerDue, timerInit, timerPack } from '../mem/wheel';
import { bytes, cursor, writeAt } from '../text';
import { TIMER_TRANSACTION } from '../timers';
import { schedule } from '../transaction/invite';
import {
  FK_BYTES,
  FK_INDEX,
  FK_NEXT,
  FK_PATH,
  FK_TX,
  FK_URI,
  TX_BEST,
  TX_BEST_LEN,
  TX_BLOCK,
  TX_BLOCK_LEN,
  TX_BODY,
  TX_BRANCHES,
  TX_BYTES,
  TX_HEADERS,
  TX_LAST,
  TX_LAST_LEN,
  TX_LINK,
  TX_PLAIN,
  TX_PLAIN_LEN,
  TX_TIMER,
  TX_WEBRTC,
  TX_WEBRTC_LEN,
  branchNew,
  branchesFree,
  transactionFree,
  transactionIndex,
  transactionTable,
} from '../transaction/tables';
import { blocksSent, setBlocksSent } from './changes';
import {
  BLOCK_FAILED,
  fieldIsBlock,
  fieldSent,
  fieldsTake,
  recordBegin,
  recordBlock,
  recordEnd,
  take,
  takeBlock,
  takenBlock,
} from './record';

const XB_REQUEST: u32 = 0;
const XB_PLAIN: u32 = 1;
const XB_WEBRTC: u32 = 2;
export const XB_LAST: u32 = 3;
export const XB_BEST: u32 = 4;
const FORK_FIELDS: u32 = FK_BYTES - REC_FIELDS;

/** Bytes of the stored request, the URIs of the branches behind it included. */
function requestLength(tx: usize): u32 {
  const block = load<u32>(tx + TX_BLOCK);
  if (block == 0) return 0;
  let end = block + load<u32>(tx + TX_BLOCK_LEN);
  for (let f: usize = load<u32>(tx + TX_BRANCHES); f != 0; f = load<u32>(f + FK_NEXT)) {
    end = max(end, load<u32>(f + FK_URI) + load<u32>(f + FK_URI, 4));
    end = max(end, load<u32>(f + FK_PATH) + load<u32>(f + FK_PATH, 4));
  }
  return end - block;
}

function lengthIf(block: u32, len: u32): u32 {
  return block == 0 ? 0 : len;
}

/** Most bytes that the record may take. */
export function transactionRecordRoom(tx: usize): u32 {
  let room = TX_BYTES + 128 + requestLength(tx);
  room += lengthIf(load<u32>(tx + TX_PLAIN), load<u32>(tx + TX_PLAIN_LEN));
  room += lengthIf(load<u32>(tx + TX_WEBRTC), load<u32>(tx + TX_WEBRTC_LEN));
  room += lengthIf(load<u32>(tx + TX_LAST), load<u32>(tx + TX_LAST_LEN));
  room += lengthIf(load<u32>(tx + TX_BEST), load<u32>(tx + TX_BEST_LEN));
  for (let f: usize = load<u32>(tx + TX_BRANCHES); f != 0; f = load<u32>(f + FK_NEXT)) room += FORK_FIELDS;
  return room;
}

/** An address within the block as its distance from the block's start. */
function relative(at: usize, block: u32): void {
  store<u32>(at, block == 0 ? 0 : load<u32>(at) - block);
}

/** The other way round. */
function absolute(at: usize, block: u32): void {
  store<u32>(at, block == 0 ? 0 : load<u32>(at) + block);
}

/** Writes the record at the text cursor. */
export function transactionRecordWrite(tx: usize): void {
  const block = load<u32>(tx + TX_BLOCK);
  const copy = recordBegin(tx, TX_BYTES) - REC_FIELDS;
  timerPack(copy + TX_TIMER, timerDue(tx + TX_TIMER));
  relative(copy + TX_HEADERS, block);
  relative(copy + TX_BODY, block);
  store<u32>(copy + TX_LINK, 0);
  store<u32>(copy + TX_BRANCHES, 0);
  fieldIsBlock(copy + TX_BLOCK);
  fieldIsBlock(copy + TX_PLAIN);
  fieldIsBlock(copy + TX_WEBRTC);
  fieldIsBlock(copy + TX_LAST);
  fieldIsBlock(copy + TX_BEST);
  writeBranches(tx, block);
  const has = blocksSent(tx);
  let bits: u32 = 0;
  bits |= write(XB_REQUEST, block, requestLength(tx), has);
  bits |= write(XB_PLAIN, load<u32>(tx + TX_PLAIN), load<u32>(tx + TX_PLAIN_LEN), has);
  bits |= write(XB_WEBRTC, load<u32>(tx + TX_WEBRTC), load<u32>(tx + TX_WEBRTC_LEN), has);
  bits |= write(XB_LAST, load<u32>(tx + TX_LAST), load<u32>(tx + TX_LAST_LEN), has);
  bits |= write(XB_BEST, load<u32>(tx + TX_BEST), load<u32>(tx + TX_BEST_LEN), has);
  recordEnd();
  setBlocksSent(tx, bits);
}

function write(n: u32, block: usize, len: u32, has: u32): u32 {
  recordBlock(n, block, len, has);
  return block != 0 ? 1 << n : 0;
}

function writeBranches(tx: usize, block: u32): void {
  const countAt = cursor;
  let n: u32 = 0;
  writeAt(cursor + 4);
  for (let f: usize = load<u32>(tx + TX_BRANCHES); f != 0; f = load<u32>(f + FK_NEXT)) {
    const copy = cursor - REC_FIELDS;
    bytes(f + REC_FIELDS, FORK_FIELDS);
    store<u32>(copy + FK_TX, 0);
    store<u32>(copy + FK_NEXT, 0);
    relative(copy + FK_URI, block);
    relative(copy + FK_PATH, block);
    n++;
  }
  store<u32>(countAt, n);
}

/** Takes the context in a slot away, if there is one. */
export function transactionRecordDrop(slot: u32): void {
  const tx = tableAt(transactionTable(), slot);
  if (tx != 0) transactionFree(tx);
}

/** Applies the record that has been begun to be read; false when that is impossible. */
export function transactionRecordApply(slot: u32, gen: u32): bool {
  const known = tableAt(transactionTable(), slot);
  const isNew = known == 0 || recGen(known) != gen;
  if (known != 0 && isNew) transactionFree(known);
  const tx = tablePut(transactionTable(), slot, gen);
  if (tx == 0) return false;
  branchesFree(tx);
  const link = load<u32>(tx + TX_LINK);
  const request = load<u32>(tx + TX_BLOCK);
  const plain = load<u32>(tx + TX_PLAIN);
  const webrtc = load<u32>(tx + TX_WEBRTC);
  const last = load<u32>(tx + TX_LAST);
  const best = load<u32>(tx + TX_BEST);
  fieldsTake(tx, TX_BYTES);
  timerInit(tx + TX_TIMER, TIMER_TRANSACTION);
  store<u32>(tx + TX_BRANCHES, 0);
  store<u32>(tx + TX_LINK, link);
  if (isNew) transactionIndex(tx);
  const branches = readBranches(tx);
  let good = keep(tx, XB_REQUEST, TX_BLOCK, request);
  good = keep(tx, XB_PLAIN, TX_PLAIN, plain) && good;
  good = keep(tx, XB_WEBRTC, TX_WEBRTC, webrtc) && good;
  good = keep(tx, XB_LAST, TX_LAST, last) && good;
  good = keep(tx, XB_BEST, TX_BEST, best) && good;
  const block = load<u32>(tx + TX_BLOCK);
  absolute(tx + TX_HEADERS, block);
  absolute(tx + TX_BODY, block);
  for (let f: usize = load<u32>(tx + TX_BRANCHES); f != 0; f = load<u32>(f + FK_NEXT)) {
    absolute(f + FK_URI, block);
    absolute(f + FK_PATH, block);
  }
  return branches && good;
}

function keep(tx: usize, n: u32, offset: u32, known: usize): bool {
  const how = takeBlock(n, known, fieldSent(offset));
  store<u32>(tx + offset, takenBlock as u32);
  return how != BLOCK_FAILED;
}

function readBranches(tx: usize): bool {
  const countAt = take(4);
  if (countAt == 0) return false;
  for (let n = load<u32>(countAt); n > 0; n--) {
    const from = take(FORK_FIELDS);
    if (from == 0) return false;
    const fork = branchNew(tx, load<u8>(from + FK_INDEX - REC_FIELDS));
    if (fork == 0) return false;
    memory.copy(fork + REC_FIELDS, from, FORK_FIELDS);
    store<u32>(fork + FK_TX, tx as u32);
    store<u32>(fork + FK_NEXT, 0);
  }
  return true;
}

/** The standby has become active. */
export function transactionRecordResume(tx: usize): void {
  schedule(tx);
}
