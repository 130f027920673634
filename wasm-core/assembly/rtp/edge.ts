/**
 * The RTP edge: datagrams of phones and of mediasoup in, datagrams for the other side out (layout: abi.ts).
 * No clock, no entropy, no sockets: the host brings them, and carries out what `step` leaves in the output list.
 */
import { F_FLOW } from '../abi';
import { alloc, arenaReset } from '../mem/arena';
import { ALLOC_BYTES, CFG_BYTES, EDGE_ABI_VERSION, EDGE_SLOT_BYTES, EDGE_SLOTS, S_BYTES } from './abi';
import { countersInit } from './counters';
import { latchConfigure } from './latch';
import { legAt, legGive, legsInit, legTake } from './leg';
import { outputInit, outputReset } from './output';
import { relay } from './relay';
import { reportsInit, reportsRun, reportsStart } from './reports';
import { writeStats } from './stats';

export { countersPtr } from './counters';
export { outputCount, outputPtr } from './output';

let slots: usize = 0;
let block: usize = 0;
let host: usize = 0;

/** Version of the interface. */
export function abiVersion(): u32 {
  return EDGE_ABI_VERSION;
}

/** Lays out the memory for `legsMax` legs, and `hostBytes` for the host's own use. To be called once. */
export function init(legsMax: u32, hostBytes: u32): void {
  arenaReset();
  slots = alloc(EDGE_SLOTS * EDGE_SLOT_BYTES);
  block = alloc(max<u32>(CFG_BYTES, max<u32>(ALLOC_BYTES, S_BYTES)));
  host = alloc(hostBytes);
  legsInit(legsMax);
  countersInit();
  outputInit();
  reportsInit();
}

/** First receive slot. */
export function slotsPtr(): usize {
  return slots;
}

/** Where allocation and configuration blocks are passed in, and statistics out. */
export function blockPtr(): usize {
  return block;
}

/** The host's own memory. */
export function hostPtr(): usize {
  return host;
}

/** Begins a leg in `slot` from the allocation block. False when the slot is taken or out of range. */
export function legAllocate(slot: u32, nowUs: f64): bool {
  if (!legTake(slot, block)) return false;
  reportsStart(legAt(slot), nowUs);
  return true;
}

/** Configures the leg from the configuration block. False when there is no such leg. */
export function legConfigure(slot: u32, nowUs: f64): bool {
  const leg = legAt(slot);
  if (leg == 0) return false;
  latchConfigure(leg, block, nowUs);
  return true;
}

/** Ends the leg. False when there is none. */
export function legFree(slot: u32): bool {
  const leg = legAt(slot);
  if (leg == 0) return false;
  legGive(leg);
  return true;
}

/** Leaves the statistics of the leg in the block. False when there is none. */
export function legStats(slot: u32, nowUs: f64): bool {
  const leg = legAt(slot);
  if (leg == 0) return false;
  writeStats(block, leg, nowUs);
  return true;
}

/** Handles `received` datagrams, in the slots from the first on, and what is due. */
export function step(received: u32, nowUs: f64): void {
  outputReset();
  const end = min<u32>(received, EDGE_SLOTS);
  for (let i: u32 = 0; i < end; i++) {
    const frame = slots + i * EDGE_SLOT_BYTES;
    relay(frame, load<u32>(frame, F_FLOW), nowUs);
  }
  reportsRun(nowUs);
}
