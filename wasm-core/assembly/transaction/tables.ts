/**
 * INVITE contexts (RFC 3261 16.6 "response context", 17.2.1, 17.1.1): one server transaction and its
 * client branches. Fields and bounds; what happens with them is in invite.ts and branch.ts.
 */
import { C_BRANCHES, C_TRANSACTIONS, I_BRANCHES_MAX, I_TRANSACTIONS_MAX, MRT_TRANSACTION } from '../abi';
import { initU32 } from '../config';
import { gauge } from '../counters';
import { callHash } from '../identity';
import { indexHead, indexInsert, indexNew, indexRemove } from '../mem/index';
import { blockFree } from '../mem/pool';
import { REC_FIELDS, tableGet, tableGive, tableNew, tableTake, tableUsed } from '../mem/table';
import { timerCancel, timerInit } from '../mem/wheel';
import { TIMER_TRANSACTION } from '../timers';

// --- server transaction ---------------------------------------------------------------------------
export const TX_KEY: u32 = REC_FIELDS; // u64
export const TX_TIMER: u32 = TX_KEY + 8; // timer node
export const TX_STATE: u32 = TX_TIMER + 24; // u8 TXS_*
export const TX_FLAGS: u32 = TX_STATE + 1; // u8 TXF_*
export const TX_STATUS: u32 = TX_STATE + 2; // u16: final status sent upstream
export const TX_LINK: u32 = TX_STATE + 4; // u32: index chain
export const TX_CALL_SLOT: u32 = TX_LINK + 4; // u32
export const TX_CALL_GEN: u32 = TX_CALL_SLOT + 4; // u32
/** Stored request: request line, headers without Content-Length, blank line, body, URIs of the branches. */
export const TX_BLOCK: u32 = TX_CALL_GEN + 4; // u32
export const TX_BLOCK_LEN: u32 = TX_BLOCK + 4; // u32: up to the end of the body
export const TX_HEADERS: u32 = TX_BLOCK + 8; // u32
export const TX_HEADERS_LEN: u32 = TX_BLOCK + 12; // u32
export const TX_BODY: u32 = TX_BLOCK + 16; // u32
export const TX_BODY_LEN: u32 = TX_BLOCK + 20; // u32
/** Bodies made by the media service for plain and webrtc branches: blocks and lengths. */
export const TX_PLAIN: u32 = TX_BLOCK + 24;
export const TX_PLAIN_LEN: u32 = TX_BLOCK + 28;
export const TX_WEBRTC: u32 = TX_BLOCK + 32;
export const TX_WEBRTC_LEN: u32 = TX_BLOCK + 36;
export const TX_BRANCHES: u32 = TX_BLOCK + 40; // u32: first branch
export const TX_OPEN: u32 = TX_BLOCK + 44; // u32: branches sent and not finished
export const TX_GROUP: u32 = TX_BLOCK + 48; // u32: group being tried
/** Last response sent upstream: repeated for a repeated INVITE, and by timer G. */
export const TX_LAST: u32 = TX_BLOCK + 52;
export const TX_LAST_LEN: u32 = TX_BLOCK + 56;
/** Best final response so far, without our Via. Block 0 with a status: made by the switch. */
export const TX_BEST: u32 = TX_BLOCK + 60;
export const TX_BEST_LEN: u32 = TX_BLOCK + 64;
export const TX_BEST_STATUS: u32 = TX_BLOCK + 68; // u16
export const TX_LISTENER: u32 = TX_BEST_STATUS + 2; // u16
export const TX_FROM_TAG: u32 = TX_LISTENER + 2; // u32
export const TX_SOURCE: u32 = TX_FROM_TAG + 4; // target: where answers go
export const TX_INTERVAL: u32 = TX_SOURCE + 24; // u32 ms: timer G
export const TX_WINNER: u32 = TX_INTERVAL + 4; // u32: 1 + branch that answered
export const TX_BINDING: u32 = TX_WINNER + 4; // u32 slot, u32 generation: the caller's binding
export const TX_DUE_LAST: u32 = (TX_BINDING + 8 + 7) & ~7; // u64 ms: timer G
export const TX_DUE_END: u32 = TX_DUE_LAST + 8; // u64 ms: timers H, I, L
export const TX_LOOP: u32 = TX_DUE_END + 8; // u64
/** u64 ms: timer D of the branch that failed last: until then, its failure may come again and is acknowledged. */
export const TX_DUE_FAILED: u32 = TX_LOOP + 8;
/** u64: hash of the Call-ID. */
const TX_CALL_HASH: u32 = TX_DUE_FAILED + 8;
export const TX_BYTES: u32 = TX_CALL_HASH + 8;

export const TXS_PROCEEDING: u32 = 1;
export const TXS_ACCEPTED: u32 = 2; // RFC 6026
export const TXS_COMPLETED: u32 = 3;
export const TXS_CONFIRMED: u32 = 4;

export const TXF_CANCELLED: u8 = 1; // the caller has sent CANCEL, or an operator hung up
export const TXF_STREAM: u8 = 2; // reliable transport upstream: no timer G, I = 0
export const TXF_OPERATOR: u8 = 8; // ended by an operator
export const TXF_TRUNK: u8 = 4; // branches are gateways of a trunk: fail over on 408 and 5xx only

// --- branch ---------------------------------------------------------------------------------------
export const FK_TX: u32 = REC_FIELDS; // u32
export const FK_NEXT: u32 = FK_TX + 4; // u32
export const FK_INDEX: u32 = FK_TX + 8; // u8
export const FK_STATE: u32 = FK_TX + 9; // u8 FKS_*
export const FK_STATUS: u32 = FK_TX + 10; // u16: final status
export const FK_GROUP: u32 = FK_TX + 12; // u32
export const FK_DUE_RETRANSMIT: u32 = FK_TX + 16; // u64 ms: timer A, or E of a CANCEL
export const FK_DUE_TIMEOUT: u32 = FK_TX + 24; // u64 ms: timer B or C
export const FK_INTERVAL: u32 = FK_TX + 32; // u32 ms
export const FK_CANCEL: u32 = FK_TX + 36; // u32: 1 = send CANCEL as soon as a provisional response comes
export const FK_TARGET: u32 = FK_TX + 40; // target
export const FK_BINDING: u32 = FK_TX + 64; // u32 slot, u32 generation (0: none)
export const FK_URI: u32 = FK_TX + 72; // u32 address in TX_BLOCK, u32 length
export const FK_PATH: u32 = FK_TX + 80; // the same, for the Route to the binding (RFC 3327)
export const FK_BYTES: u32 = FK_TX + 88;

export const FKS_NEW: u32 = 0;
export const FKS_CALLING: u32 = 1;
export const FKS_PROCEEDING: u32 = 2;
export const FKS_CANCELLING: u32 = 3;
export const FKS_FINISHED: u32 = 4;

let transactions: usize = 0;
let byKey: usize = 0;
let branches: usize = 0;

export function transactionsInit(): void {
  transactions = tableNew(initU32(I_TRANSACTIONS_MAX), TX_BYTES, 1, MRT_TRANSACTION);
  byKey = indexNew(initU32(I_TRANSACTIONS_MAX));
  branches = tableNew(initU32(I_BRANCHES_MAX), FK_BYTES);
}

export function transactionTable(): usize {
  return transactions;
}

/** The context with that key, or 0. */
export function transactionFind(key: u64): usize {
  let tx = indexHead(byKey, key as u32);
  while (tx != 0 && load<u64>(tx + TX_KEY) != key) tx = load<u32>(tx + TX_LINK);
  return tx;
}

/** The context of a cookie in the current message, or 0 (see `callOfCookie`). */
export function transactionOfCookie(slot: u32, gen: u32): usize {
  const tx = tableGet(transactions, slot, gen);
  return tx != 0 && load<u64>(tx + TX_CALL_HASH) == callHash ? tx : 0;
}

/** A new context in Proceeding, or 0 when the table is full. */
export function transactionNew(key: u64): usize {
  const tx = tableTake(transactions);
  if (tx == 0) return 0;
  store<u64>(tx + TX_KEY, key);
  store<u64>(tx + TX_CALL_HASH, callHash);
  store<u8>(tx + TX_STATE, TXS_PROCEEDING);
  timerInit(tx + TX_TIMER, TIMER_TRANSACTION);
  indexInsert(byKey, key as u32, tx, TX_LINK);
  gauge(C_TRANSACTIONS, tableUsed(transactions));
  return tx;
}

/** Adds a branch at the end of the context's list, or returns 0 when the table is full. */
export function branchNew(tx: usize, index: u32): usize {
  const fork = tableTake(branches);
  if (fork == 0) return 0;
  store<u32>(fork + FK_TX, tx as u32);
  store<u8>(fork + FK_INDEX, index);
  let at = tx + TX_BRANCHES;
  while (load<u32>(at) != 0) at = (load<u32>(at) as usize) + FK_NEXT;
  store<u32>(at, fork as u32);
  gauge(C_BRANCHES, tableUsed(branches));
  return fork;
}

/** The branch with that index, or 0. */
export function branchAt(tx: usize, index: u32): usize {
  let fork: usize = load<u32>(tx + TX_BRANCHES);
  while (fork != 0 && load<u8>(fork + FK_INDEX) != index) fork = load<u32>(fork + FK_NEXT);
  return fork;
}

function release(at: usize): void {
  blockFree(load<u32>(at));
  store<u32>(at, 0);
}

/** Gives back what is only needed before the answer. */
export function transactionFreeBlocks(tx: usize): void {
  release(tx + TX_BLOCK);
  release(tx + TX_PLAIN);
  release(tx + TX_WEBRTC);
  release(tx + TX_LAST);
  release(tx + TX_BEST);
}

/** Makes a context that was put into its slot (`tablePut`) findable. */
export function transactionIndex(tx: usize): void {
  indexInsert(byKey, load<u64>(tx + TX_KEY) as u32, tx, TX_LINK);
  gauge(C_TRANSACTIONS, tableUsed(transactions));
}

/** Gives the branches back. */
export function branchesFree(tx: usize): void {
  let fork: usize = load<u32>(tx + TX_BRANCHES);
  while (fork != 0) {
    const next: usize = load<u32>(fork + FK_NEXT);
    tableGive(branches, fork);
    fork = next;
  }
  store<u32>(tx + TX_BRANCHES, 0);
}

export function transactionFree(tx: usize): void {
  timerCancel(tx + TX_TIMER);
  transactionFreeBlocks(tx);
  branchesFree(tx);
  indexRemove(byKey, load<u64>(tx + TX_KEY) as u32, tx, TX_LINK);
  tableGive(transactions, tx);
  gauge(C_TRANSACTIONS, tableUsed(transactions));
  gauge(C_BRANCHES, tableUsed(branches));
}

/** The context that a timer node belongs to. */
export function transactionOfTimer(node: usize): usize {
  return node - TX_TIMER;
}
