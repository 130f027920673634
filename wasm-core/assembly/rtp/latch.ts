/**
 * From where a leg's media is taken, and where media to it goes.
 *
 * - The first valid RTP inside the window after the leg was configured is latched, if its address is vouched for
 *   or its source is exactly the remote of the SDP. From then on nothing else is taken.
 * - Inside the window, the exact remote takes precedence over a source that is only vouched for.
 * - A new remote or other vouched addresses open the window again; until something else latches, the old source is
 *   still taken, so that nothing is cut off while the phone moves.
 * - The exact remote may latch at any time while nothing is latched. After RELATCH_SILENCE_MS without packets, any
 *   vouched source may: phones begin to send when the call is answered, long after the offer, and NATs forget.
 * - Media goes to the latched source, before that to the remote. When the remote changes it goes there at once,
 *   unless the leg is behind NAT (the latched source was not the remote) and the address in the SDP stays the same.
 */
import {
  CFG_REMOTE,
  CFG_REMOTE_RTCP,
  CFG_REMOTE_RTP,
  CFG_VOUCHED,
  CFG_VOUCHED_COUNT,
  CFG_WINDOW_MS,
  CFGF_REMOTE,
  CFGF_RTCP_MUX,
  K_LATCHES,
  RELATCH_SILENCE_MS,
  VOUCHED_MAX,
} from './abi';
import { copyAddress, sameAddress } from './bytes';
import { count } from './counters';
import {
  L_LATCH,
  L_RTCP_PORT,
  L_SILENT_US,
  L_SOURCE,
  L_SOURCE_PORT,
  L_TO,
  L_TO_PORT,
  L_TO_RTCP_PORT,
  L_WINDOW_US,
  legConfig,
  legHas,
  legStoreConfig,
} from './leg';

/** A source is latched. */
const LATCHED: u32 = 1;
/** It is exactly the remote of the SDP. */
const EXACT: u32 = 2;
/** It was latched before the leg was configured anew: another may take its place inside the window. */
const PROVISIONAL: u32 = 4;
/** Media goes to it, and not to the remote. */
const FOLLOW: u32 = 8;

const VOUCHED_BYTES: u32 = VOUCHED_MAX * 16;

export function latched(leg: usize): bool {
  return (load<u32>(leg, L_LATCH) & LATCHED) != 0;
}

/** Whether this is the latched source of RTP. */
export function isSource(leg: usize, address: usize, port: u32): bool {
  return latched(leg) && load<u32>(leg, L_SOURCE_PORT) == port && sameAddress(leg + L_SOURCE, address);
}

function isRemoteAddress(leg: usize, address: usize): bool {
  return legHas(leg, CFGF_REMOTE) && sameAddress(legConfig(leg) + CFG_REMOTE, address);
}

function isRemote(leg: usize, address: usize, port: u32): bool {
  return isRemoteAddress(leg, address) && (load<u16>(legConfig(leg), CFG_REMOTE_RTP) as u32) == port;
}

function isVouched(leg: usize, address: usize): bool {
  const config = legConfig(leg);
  const vouched = min<u32>(load<u16>(config, CFG_VOUCHED_COUNT) as u32, VOUCHED_MAX);
  for (let i: u32 = 0; i < vouched; i++) {
    if (sameAddress(config + CFG_VOUCHED + (i << 4), address)) return true;
  }
  return false;
}

/** Whether RTP from a source that is not the latched one may be latched now. */
export function mayLatch(leg: usize, address: usize, port: u32, nowUs: f64): bool {
  const state = load<u32>(leg, L_LATCH);
  const inWindow = nowUs <= load<f64>(leg, L_WINDOW_US);
  const silent = nowUs - load<f64>(leg, L_SILENT_US) > (RELATCH_SILENCE_MS as f64) * 1000;
  if (isRemote(leg, address, port)) return (state & LATCHED) == 0 || inWindow || silent;
  if (!isVouched(leg, address)) return false;
  if ((state & LATCHED) == 0 || (state & PROVISIONAL) != 0) return inWindow || silent;
  return silent;
}

/** Latches a source for which `mayLatch` was true. */
export function latch(leg: usize, address: usize, port: u32): void {
  const exact = isRemote(leg, address, port);
  store<u32>(leg, LATCHED | FOLLOW | (exact ? EXACT : 0), L_LATCH);
  copyAddress(leg + L_SOURCE, address);
  store<u32>(leg, port, L_SOURCE_PORT);
  store<u32>(leg, 0, L_RTCP_PORT);
  count(K_LATCHES);
  route(leg);
}

/** A packet of the latched source was taken. */
export function latchHeard(leg: usize, nowUs: f64): void {
  store<f64>(leg, nowUs, L_SILENT_US);
}

/**
 * Whether RTCP from this source is taken: on the port of RTP, from the source of RTP; on a port of its own, from the
 * address of RTP and always the same port; and from the remote of the SDP, which may only listen and never send RTP.
 */
export function takesRtcp(leg: usize, address: usize, port: u32, ownPort: bool): bool {
  if (!ownPort) return isSource(leg, address, port) || (!latched(leg) && isRemote(leg, address, port));
  if (isRemoteAddress(leg, address) && (load<u16>(legConfig(leg), CFG_REMOTE_RTCP) as u32) == port)
    return true;
  if (!latched(leg) || !sameAddress(leg + L_SOURCE, address)) return false;
  const known = load<u32>(leg, L_RTCP_PORT);
  return known == 0 || known == port;
}

/** Valid RTCP came from a source that `takesRtcp` allowed, on the RTCP port. */
export function latchRtcp(leg: usize, address: usize, port: u32): void {
  if (!latched(leg) || load<u32>(leg, L_RTCP_PORT) == port) return;
  if (!sameAddress(leg + L_SOURCE, address)) return;
  store<u32>(leg, port, L_RTCP_PORT);
  route(leg);
}

/** Takes a new configuration over. */
export function latchConfigure(leg: usize, block: usize, nowUs: f64): void {
  const first = load<f64>(leg, L_SILENT_US) == 0;
  const moved = first || remoteDiffers(leg, block);
  const sameHost = sameRemoteAddress(leg, block);
  const strangers = vouchedDiffer(leg, block);
  const exact = (load<u32>(leg, L_LATCH) & EXACT) != 0;
  legStoreConfig(leg, block);
  if (moved || strangers) {
    store<f64>(leg, nowUs + (load<u32>(block, CFG_WINDOW_MS) as f64) * 1000, L_WINDOW_US);
  }
  if (first) store<f64>(leg, nowUs, L_SILENT_US);
  if (latched(leg)) relatch(leg, moved, strangers, exact, sameHost);
  route(leg);
}

/** What becomes of the latched source under a new configuration. */
function relatch(leg: usize, moved: bool, strangers: bool, wasExact: bool, sameHost: bool): void {
  const isExact = isRemote(leg, leg + L_SOURCE, load<u32>(leg, L_SOURCE_PORT));
  if (isExact) {
    store<u32>(leg, LATCHED | FOLLOW | EXACT, L_LATCH);
    return;
  }
  let state = load<u32>(leg, L_LATCH) & ~EXACT;
  if (moved || strangers) state |= PROVISIONAL;
  if (moved && (wasExact || !sameHost)) state &= ~FOLLOW;
  store<u32>(leg, state, L_LATCH);
}

function remoteDiffers(leg: usize, block: usize): bool {
  const config = legConfig(leg);
  const has = (load<u32>(block) & CFGF_REMOTE) != 0;
  if (has != legHas(leg, CFGF_REMOTE)) return true;
  if (!has) return false;
  return (
    load<u16>(config, CFG_REMOTE_RTP) != load<u16>(block, CFG_REMOTE_RTP) || !sameRemoteAddress(leg, block)
  );
}

function sameRemoteAddress(leg: usize, block: usize): bool {
  return sameAddress(legConfig(leg) + CFG_REMOTE, block + CFG_REMOTE);
}

function vouchedDiffer(leg: usize, block: usize): bool {
  const config = legConfig(leg);
  if (load<u16>(config, CFG_VOUCHED_COUNT) != load<u16>(block, CFG_VOUCHED_COUNT)) return true;
  return memory.compare(config + CFG_VOUCHED, block + CFG_VOUCHED, VOUCHED_BYTES) != 0;
}

/** Works out where packets to the phone go. */
function route(leg: usize): void {
  const config = legConfig(leg);
  if ((load<u32>(leg, L_LATCH) & FOLLOW) != 0) {
    copyAddress(leg + L_TO, leg + L_SOURCE);
    store<u32>(leg, load<u32>(leg, L_SOURCE_PORT), L_TO_PORT);
  } else if (legHas(leg, CFGF_REMOTE)) {
    copyAddress(leg + L_TO, config + CFG_REMOTE);
    store<u32>(leg, load<u16>(config, CFG_REMOTE_RTP) as u32, L_TO_PORT);
  } else {
    store<u32>(leg, 0, L_TO_PORT);
  }
  store<u32>(leg, routeRtcp(leg), L_TO_RTCP_PORT);
}

/** Port for RTCP at the address that RTP goes to; 0: behind NAT and not known before its first RTCP comes. */
function routeRtcp(leg: usize): u32 {
  const port = load<u32>(leg, L_TO_PORT);
  if (port == 0 || legHas(leg, CFGF_RTCP_MUX)) return port;
  const follows = (load<u32>(leg, L_LATCH) & FOLLOW) != 0;
  const learned = load<u32>(leg, L_RTCP_PORT);
  if (follows && learned != 0) return learned;
  return isRemote(leg, leg + L_TO, port) ? (load<u16>(legConfig(leg), CFG_REMOTE_RTCP) as u32) : 0;
}
