/**
 * Answers that wait until the standby has their call: a 2xx to an INVITE is not sent before, so that what the caller was told is
 * never lost. They wait at most I_MIRROR_WAIT_MS, and are sent then and counted as unmirrored.
 */
import { C_MIRROR_HELD, C_UNMIRRORED, FRAME_HEADER_BYTES, I_MIRROR_WAIT_MS } from '../abi';
import { initU32 } from '../config';
import { count } from '../counters';
import { frameCopy, nowMs } from '../effects';
import { blockAlloc, blockFree } from '../mem/pool';
import { timerCancel, timerInit, timerSet } from '../mem/wheel';
import { TIMER_HELD } from '../timers';
import { changesMade, changesTaken } from './changes';

/** Answers that can wait at a time; a further one is sent at once. */
const HELD_MAX: u32 = 4096;
const H_BLOCK: u32 = 0; // u32
const H_BYTES: u32 = 4; // u32
const H_CHANGES: u32 = 8; // u32: has to be acknowledged up to this change
const H_DUE: u32 = 16; // u64 ms
const HELD_BYTES: u32 = 24;

const ring: usize = memory.data(98304, 8); // HELD_MAX * HELD_BYTES
const timer: usize = memory.data(24, 8);
let from: u32 = 0;
let to: u32 = 0;

export function heldInit(): void {
  from = to = 0;
  timerInit(timer, TIMER_HELD);
}

function entry(i: u32): usize {
  return ring + (i & (HELD_MAX - 1)) * HELD_BYTES;
}

/** Puts a frame aside, which ends at `end`; false when it has to be sent at once. `holdUntilChanges` must follow. */
export function hold(frame: usize, end: usize): bool {
  if (to - from == HELD_MAX) return false;
  const len = (end - frame) as u32;
  const block = blockAlloc(len + FRAME_HEADER_BYTES);
  if (block == 0) return false;
  memory.copy(block, frame, len);
  const e = entry(to++);
  store<u32>(e + H_BLOCK, block as u32);
  store<u32>(e + H_BYTES, len);
  store<u32>(e + H_CHANGES, changesMade - 1); // nothing more than now; set by `holdUntilChanges`
  store<u64>(e + H_DUE, nowMs + (initU32(I_MIRROR_WAIT_MS) as u64));
  if (to - from == 1) timerSet(timer, load<u64>(e + H_DUE));
  count(C_MIRROR_HELD);
  return true;
}

/** The last frame put aside waits for all changes made so far. */
export function holdUntilChanges(): void {
  if (to != from) store<u32>(entry(to - 1) + H_CHANGES, changesMade);
}

/** Whether an answer waits for a change that is not under way yet. */
export function heldWaits(): bool {
  return to != from && ((load<u32>(entry(to - 1) + H_CHANGES) - changesTaken) as i32) > 0;
}

function release(): void {
  const e = entry(from++);
  frameCopy(load<u32>(e + H_BLOCK), load<u32>(e + H_BYTES));
  blockFree(load<u32>(e + H_BLOCK));
}

function again(): void {
  if (to == from) timerCancel(timer);
  else timerSet(timer, load<u64>(entry(from) + H_DUE));
}

/** The standby has all changes up to that one. */
export function heldAcknowledged(changes: u32): void {
  if (to == from) return;
  while (to != from && ((load<u32>(entry(from) + H_CHANGES) - changes) as i32) <= 0) release();
  again();
}

/** Time is up for the oldest. */
export function heldTimer(): void {
  while (to != from && load<u64>(entry(from) + H_DUE) <= nowMs) {
    count(C_UNMIRRORED);
    release();
  }
  again();
}

/** The standby is gone: nobody is waited for. */
export function heldReleaseAll(): void {
  while (to != from) {
    count(C_UNMIRRORED);
    release();
  }
  again();
}
