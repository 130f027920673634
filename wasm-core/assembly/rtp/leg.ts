/**
 * The legs: a fixed array of records by slot. What media control configures stands in each record as it came.
 */
import { alloc } from '../mem/arena';
import {
  ALLOC_CNAME,
  ALLOC_SEQUENCE_IN,
  ALLOC_SEQUENCE_OUT,
  ALLOC_SSRC,
  ALLOC_TIMESTAMP_IN,
  ALLOC_TIMESTAMP_OUT,
  CFG_BYTES,
  CFG_CLOCK,
  CFG_FLAGS,
  CFG_IN_PT,
  CFG_MEDIASOUP,
  CFG_MEDIASOUP_PORT,
  CFG_OUT_PT,
  CFG_PEER,
  CFGF_MEDIASOUP,
  CNAME_BYTES,
} from './abi';
import { sameAddress } from './bytes';
import { STREAM_BYTES, streamInit } from './stream';

const L_USED: u32 = 0; // u32
const L_SLOT: u32 = 4; // u32
export const L_OUT_SSRC: u32 = 8; // u32: SSRC towards the phone
export const L_LATCH: u32 = 12; // u32: LATCH_* (latch.ts)
export const L_CNAME: u32 = 16; // 16 bytes
/** Latched source. */
export const L_SOURCE: u32 = 32; // 16 bytes
export const L_SOURCE_PORT: u32 = 48; // u32
/** Source of RTCP where it has a port of its own; 0 = not seen yet. Its address is that of RTP. */
export const L_RTCP_PORT: u32 = 52; // u32
/** Where packets to the phone go; port 0 = not known. */
export const L_TO: u32 = 56; // 16 bytes
export const L_TO_PORT: u32 = 72; // u32
export const L_TO_RTCP_PORT: u32 = 76; // u32
export const L_WINDOW_US: u32 = 80; // f64: end of the latch window
export const L_SILENT_US: u32 = 88; // f64: since when nothing came from the latched source
export const L_REPORT_US: u32 = 96; // f64: when the next RTCP reports are due
export const L_REPORTED_US: u32 = 104; // f64: when the last but one were sent
export const L_LAST_REPORT_US: u32 = 112; // f64: when the last were sent
export const L_HEARD_US: u32 = 120; // f64: last accepted RTP, 0 = none yet
const L_CONFIG: u32 = 128;
const L_IN: u32 = 128 + CFG_BYTES;
const L_OUT: u32 = L_IN + STREAM_BYTES;
/** A multiple of the cache line, and an odd one. */
const LEG_BYTES: u32 = 1472;

const PORTS: u32 = 65536;

let base: usize = 0;
let legsMax: u32 = 0;
/** No leg at or above this slot has ever been used. */
let highest: u32 = 0;
/** u32 by port of mediasoup: slot + 1 of the leg, 0 = none. */
let byPort: usize = 0;

export function legsInit(max: u32): void {
  legsMax = max;
  base = alloc((max as usize) * LEG_BYTES);
  byPort = alloc(PORTS << 2);
}

/** Slots to look at when all legs are visited. */
export function legsSeen(): u32 {
  return highest;
}

/** The leg in `slot`, 0 when it is not in use. */
export function legAt(slot: u32): usize {
  if (slot >= legsMax) return 0;
  const leg = base + (slot as usize) * LEG_BYTES;
  return load<u32>(leg, L_USED) != 0 ? leg : 0;
}

/** Takes `slot` for a new leg described by an allocation block. False when it is in use or out of range. */
export function legTake(slot: u32, block: usize): bool {
  if (slot >= legsMax || legAt(slot) != 0) return false;
  const leg = base + (slot as usize) * LEG_BYTES;
  memory.fill(leg, 0, LEG_BYTES);
  store<u32>(leg, 1, L_USED);
  store<u32>(leg, slot, L_SLOT);
  store<u32>(leg, load<u32>(block, ALLOC_SSRC), L_OUT_SSRC);
  memory.copy(leg + L_CNAME, block + ALLOC_CNAME, CNAME_BYTES);
  streamInit(legIn(leg), load<u32>(block, ALLOC_SEQUENCE_IN), load<u32>(block, ALLOC_TIMESTAMP_IN));
  streamInit(legOut(leg), load<u32>(block, ALLOC_SEQUENCE_OUT), load<u32>(block, ALLOC_TIMESTAMP_OUT));
  highest = max<u32>(highest, slot + 1);
  return true;
}

export function legGive(leg: usize): void {
  unmapMediasoup(leg);
  store<u32>(leg, 0, L_USED);
}

export function legSlot(leg: usize): u32 {
  return load<u32>(leg, L_SLOT);
}

/** From the phone to mediasoup. */
export function legIn(leg: usize): usize {
  return leg + L_IN;
}

/** From mediasoup to the phone. */
export function legOut(leg: usize): usize {
  return leg + L_OUT;
}

/** The configuration block of the leg. */
export function legConfig(leg: usize): usize {
  return leg + L_CONFIG;
}

/** Whether all of the CFGF_* bits in `flags` are set. */
export function legHas(leg: usize, flags: u32): bool {
  return (load<u32>(leg, L_CONFIG + CFG_FLAGS) & flags) == flags;
}

/** The Router's payload type of `pt` from the phone, or PT_NONE. */
export function ptIn(leg: usize, pt: u32): u32 {
  return load<u8>(leg + pt, L_CONFIG + CFG_IN_PT) as u32;
}

/** The phone's payload type of `pt` from the Router, or PT_NONE. */
export function ptOut(leg: usize, pt: u32): u32 {
  return load<u8>(leg + pt, L_CONFIG + CFG_OUT_PT) as u32;
}

/** Clock rate of a payload type of the phone, Hz; 0 = unknown. */
export function clockRate(leg: usize, pt: u32): u32 {
  return load<u32>(leg + (pt << 2), L_CONFIG + CFG_CLOCK);
}

/** Takes a configuration block over. What follows from it for the source is latch.ts's. */
export function legStoreConfig(leg: usize, block: usize): void {
  unmapMediasoup(leg);
  memory.copy(leg + L_CONFIG, block, CFG_BYTES);
  if (!legHas(leg, CFGF_MEDIASOUP)) return;
  store<u32>(portEntry(leg), legSlot(leg) + 1);
}

function portEntry(leg: usize): usize {
  return byPort + ((load<u16>(leg, L_CONFIG + CFG_MEDIASOUP_PORT) as u32) << 2);
}

/** A replaced worker may have taken the port for another leg already: only the leg's own entry goes. */
function unmapMediasoup(leg: usize): void {
  if (!legHas(leg, CFGF_MEDIASOUP)) return;
  const entry = portEntry(leg);
  if (load<u32>(entry) == legSlot(leg) + 1) store<u32>(entry, 0);
}

/**
 * The leg that hears this one inside the edge, 0 = none. Both must name each other: the slot of a leg that has ended
 * may belong to another call already.
 */
export function legPeer(leg: usize): usize {
  const named = load<u32>(leg, L_CONFIG + CFG_PEER);
  if (named == 0) return 0;
  const peer = legAt(named - 1);
  return peer != 0 && load<u32>(peer, L_CONFIG + CFG_PEER) == legSlot(leg) + 1 ? peer : 0;
}

/** The leg whose transport in mediasoup has this address and port, or 0. */
export function legByMediasoup(address: usize, port: u32): usize {
  const entry = load<u32>(byPort + ((port & 0xffff) << 2));
  if (entry == 0) return 0;
  const leg = legAt(entry - 1);
  if (leg == 0 || !sameAddress(leg + (L_CONFIG + CFG_MEDIASOUP), address)) return 0;
  return leg;
}
