/**
 * Timers: a hierarchical wheel of 1 ms ticks, five levels of 64 buckets (up to 12.4 days).
 * A timer is a node of TIMER_BYTES inside the record that it belongs to; setting and cancelling are O(1).
 * Within one tick the newest fires first: fixed by the order of setting, so a run can be repeated exactly.
 */
import { C_TIMERS } from '../abi';
import { gauge } from '../counters';
import { onTimer } from '../core';
import { effectsLow } from '../effects';

/** Bytes of a timer node. */
export const TIMER_BYTES: u32 = 24;
const N_NEXT: u32 = 0; // u32
const N_PREV: u32 = 4; // u32: previous node, 0 = first of its bucket
const N_DUE: u32 = 8; // u64 ms
const N_KIND: u32 = 16; // u32: TIMER_* of core.ts
const N_BUCKET: u32 = 20; // u32: 1 + bucket, 0 = not set

const LEVELS: u32 = 5;
const SPAN_MS: u64 = 1 << 30; // of all levels together

const heads: usize = memory.data(1280, 8); // 5 * 64 u32
const bits: usize = memory.data(40, 8); // a bit for each bucket with a timer in it
let elapsedMs: u64 = 0;
let armed: u32 = 0;

/** Empties the wheel and starts it at `nowMs`. */
export function wheelInit(nowMs: u64): void {
  memory.fill(heads, 0, 1280);
  memory.fill(bits, 0, 40);
  elapsedMs = nowMs;
  armed = 0;
}

/** Says what a node's timer is for. Once, before its first `timerSet`. */
export function timerInit(node: usize, kind: u32): void {
  store<u32>(node + N_KIND, kind);
  store<u32>(node + N_BUCKET, 0);
}

function link(node: usize, dueMs: u64): void {
  let due = dueMs;
  if (due <= elapsedMs) due = elapsedMs + 1;
  if (due - elapsedMs >= SPAN_MS) due = elapsedMs + SPAN_MS - 1;
  const level: u32 = (63 - (clz((elapsedMs ^ due) | 63) as u32)) / 6;
  const capped = level < LEVELS ? level : LEVELS - 1;
  const slot = ((due >> (capped * 6)) & 63) as u32;
  const bucket = (capped << 6) + slot;
  const head = heads + (bucket << 2);
  const first: usize = load<u32>(head);
  store<u32>(node + N_NEXT, first as u32);
  store<u32>(node + N_PREV, 0);
  if (first != 0) store<u32>(first + N_PREV, node as u32);
  store<u32>(head, node as u32);
  store<u32>(node + N_BUCKET, bucket + 1);
  const word = bits + (capped << 3);
  store<u64>(word, load<u64>(word) | ((1 as u64) << slot));
}

function unlink(node: usize): void {
  const bucket = load<u32>(node + N_BUCKET) - 1;
  const next: usize = load<u32>(node + N_NEXT);
  const prev: usize = load<u32>(node + N_PREV);
  if (next != 0) store<u32>(next + N_PREV, prev as u32);
  if (prev != 0) store<u32>(prev + N_NEXT, next as u32);
  else {
    store<u32>(heads + (bucket << 2), next as u32);
    if (next == 0) {
      const word = bits + ((bucket >> 6) << 3);
      store<u64>(word, load<u64>(word) & ~((1 as u64) << (bucket & 63)));
    }
  }
  store<u32>(node + N_BUCKET, 0);
}

/** Sets (or moves) a timer to fire at `dueMs`, at the earliest with the next tick. */
export function timerSet(node: usize, dueMs: u64): void {
  if (load<u32>(node + N_BUCKET) != 0) unlink(node);
  else armed++;
  store<u64>(node + N_DUE, dueMs);
  link(node, dueMs);
}

/** Stops a timer; nothing happens when it is not set. */
export function timerCancel(node: usize): void {
  if (load<u32>(node + N_BUCKET) == 0) return;
  unlink(node);
  armed--;
}

/** When a timer is due, ms; 0 when it is not set. */
export function timerDue(node: usize): u64 {
  return load<u32>(node + N_BUCKET) == 0 ? 0 : load<u64>(node + N_DUE);
}

/** Makes the copy of a node in a record that travels say nothing but when it is due, ms; 0 = not set. */
export function timerPack(copy: usize, due: u64): void {
  memory.fill(copy, 0, TIMER_BYTES);
  store<u64>(copy + N_DUE, due);
}

/** Sets a timer that was packed and, since, initialised; not if it was not set then. */
export function timerResume(node: usize): void {
  if (load<u64>(node + N_DUE) != 0) timerSet(node, load<u64>(node + N_DUE));
}

let foundLevel: u32 = 0;
let foundSlot: u32 = 0;
let foundMs: u64 = 0;

/** The first bucket with a timer in it: levels are in order of time. */
function findNext(): bool {
  for (let level: u32 = 0; level < LEVELS; level++) {
    const word = load<u64>(bits + (level << 3));
    if (word == 0) continue;
    const shift = level * 6;
    const here = (elapsedMs >> shift) & 63;
    const slot = (ctz(rotr<u64>(word, here)) + here) & 63;
    const range: u64 = (1 as u64) << shift;
    const start = elapsedMs & ~((range << 6) - 1);
    let due = start + slot * range;
    if (due <= elapsedMs && !(level == 0 && due == elapsedMs)) due += range << 6;
    foundLevel = level;
    foundSlot = slot as u32;
    foundMs = due;
    return true;
  }
  return false;
}

/**
 * Fires what is due at `nowMs`, in order of time. Returns false when it stopped early because the effect
 * buffer has to be emptied first; call again then.
 */
export function wheelAdvance(nowMs: u64): bool {
  while (findNext() && foundMs <= nowMs) {
    const head = heads + (((foundLevel << 6) + foundSlot) << 2);
    if (foundMs > elapsedMs) elapsedMs = foundMs;
    for (;;) {
      const node: usize = load<u32>(head);
      if (node == 0) break;
      if (effectsLow()) return false;
      unlink(node);
      const due = load<u64>(node + N_DUE);
      if (due > elapsedMs)
        link(node, due); // into a finer level
      else {
        armed--;
        onTimer(load<u32>(node + N_KIND), node);
      }
    }
  }
  if (nowMs > elapsedMs) elapsedMs = nowMs;
  gauge(C_TIMERS, armed);
  return true;
}

/** When `wheelAdvance` has something to do next, ms; 0 = never. May be earlier than a timer (a bucket to sort again). */
export function wheelNextMs(): u64 {
  return findNext() ? foundMs : 0;
}
