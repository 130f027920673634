/**
 * The signalling core: events in, effects out (abi.ts). No clock, no randomness, no I/O, no allocation
 * after `init`. The host writes events into receive slots, calls `step`, and carries out the effects.
 */
import {
  ABI_VERSION,
  EF_BANK,
  EV_BANK_READY,
  EV_DRAIN,
  EV_FLOW_CLOSED,
  EV_LEASE,
  EV_MIRROR,
  EV_MIRROR_ACK,
  EV_MIRROR_PEER,
  EV_OFFER,
  EV_ROLE,
  EV_HANGUP,
  EV_MEDIA_REPLY,
  EV_MEDIA_TIMEOUT,
  EV_MESSAGE,
  EV_QUERY,
  F_ARG0,
  F_ARG1,
  F_FLOW,
  F_KIND,
  F_VERSION,
  RX_SLOTS,
  ROLE_ACTIVE,
  RX_SLOT_BYTES,
} from './abi';
import { base64Init } from './crypto/base64';
import { headersInit } from './sip/header';
import { authInit } from './auth/digest';
import { callOfTimer, callsInit } from './call/call';
import { latencyAccount } from './call/latency';
import { callTimer, hangup, mediaTimeout } from './call/hangup';
import { mediaLate, mediaReply, pendingInit } from './call/media';
import { offer, offerTimer, offersInit } from './call/offer';
import { query } from './call/query';
import {
  effectsInit,
  effectsLow,
  effectsReset,
  frameBegin,
  frameEnd,
  rxFrame,
  setRxFrame,
  setTime,
  nowMs,
} from './effects';
import { identityInit } from './identity';
import { alloc, arenaReset } from './mem/arena';
import { poolInit } from './mem/pool';
import { wheelAdvance, wheelInit, wheelNextMs } from './mem/wheel';
import { admissionInit } from './overload/admission';
import { controllerTick } from './overload/controller';
import { handleMessage } from './proxy/message';
import { setDraining } from './proxy/request';
import { bindingTimer, flowClosed, registrarInit } from './registrar/bindings';
import { bankCommit, bankInit } from './routing/bank';
import { listenersInit } from './target';
import { mirrorAcknowledged, mirrorFlush, mirrorInit, mirrorPeer } from './mirror/active';
import { changesInit } from './mirror/changes';
import { heldInit, heldTimer } from './mirror/held';
import { fenced, isFenced, role, roleInit, takeLease, takeRole } from './mirror/role';
import { mirrorApply, standbyFlush, standbyInit, standbyPeer } from './mirror/standby';
import {
  TIMER_BINDING,
  TIMER_CALL,
  TIMER_HELD,
  TIMER_MIRROR,
  TIMER_OFFER,
  TIMER_PENDING,
  TIMER_TRANSACTION,
} from './timers';
import { transactionTimer } from './transaction/branch';
import { refusedInit } from './transaction/refused';
import { transactionOfTimer, transactionsInit } from './transaction/tables';

export { initPtr } from './config';
export { countersPtr } from './counters';
export { effectsLength, effectsPtr } from './effects';
export { mirrorDump } from './mirror/active';
export { bankStage } from './routing/bank';

/** Room for the host's own structures (vectors of system calls). */
const HOST_BYTES: usize = 65536;

let slots: usize = 0;
let hostArea: usize = 0;

/** ABI_VERSION that the core was built with. */
export function abiVersion(): u32 {
  return ABI_VERSION;
}

/** Lays out memory from the init block. Once, before anything else; traps when memory does not suffice. */
export function init(nowUs: f64): void {
  arenaReset();
  setTime(nowUs);
  slots = alloc(RX_SLOTS * RX_SLOT_BYTES);
  hostArea = alloc(HOST_BYTES);
  headersInit();
  base64Init();
  identityInit();
  listenersInit();
  effectsInit();
  poolInit();
  wheelInit(nowMs);
  bankInit();
  authInit();
  registrarInit();
  transactionsInit();
  refusedInit();
  callsInit();
  pendingInit();
  offersInit();
  admissionInit();
  changesInit();
  heldInit();
  mirrorInit();
  standbyInit();
  roleInit();
}

/** Address of receive slot 0; slot n is n * RX_SLOT_BYTES further. */
export function slotsPtr(): usize {
  return slots;
}

/** Address of 64 KiB that the core leaves to the host. */
export function hostPtr(): usize {
  return hostArea;
}

/**
 * Handles the events in slots `first` to `first + n - 1` and the timers due at `nowUs`. Returns how many
 * events were taken: fewer than `n` when the effects have to be carried out first; call again with the rest.
 */
export function step(nowUs: f64, first: u32, n: u32): u32 {
  setTime(nowUs);
  effectsReset();
  setRxFrame(0);
  if (fenced()) return n;
  controllerTick();
  if (!wheelAdvance(nowMs)) return 0;
  let taken: u32 = 0;
  while (taken < n && !effectsLow()) {
    const frame = slots + (first + taken++) * RX_SLOT_BYTES;
    if (role == ROLE_ACTIVE) handleEvent(frame);
    else handleAsStandby(frame);
  }
  if (role == ROLE_ACTIVE) mirrorFlush();
  else standbyFlush();
  return taken;
}

/**
 * What the last step took of the core's time per event (µs), and when its effects had been sent (µs since the epoch):
 * for the latencies of the calls it dealt with. To be called after their effects have been carried out.
 */
export function account(coreUs: f32, sentUs: f64): void {
  latencyAccount(coreUs, sentUs);
}

/** Frame of the event that is being handled, 0 when none is: after a trap, the one that the core could not bear. */
export function eventPtr(): usize {
  return rxFrame;
}

/** When to call `step` at the latest, ms since the epoch; 0 when there is no need. */
export function nextDeadlineMs(): f64 {
  return isFenced ? 0 : (wheelNextMs() as f64);
}

function handleEvent(frame: usize): void {
  if (load<u8>(frame + F_VERSION) != ABI_VERSION) return;
  setRxFrame(frame);
  switch (load<u8>(frame + F_KIND) as u32) {
    case EV_MESSAGE:
      handleMessage(frame);
      break;
    case EV_FLOW_CLOSED:
      flowClosed(load<u32>(frame + F_FLOW));
      break;
    case EV_MEDIA_REPLY:
      mediaReply(frame);
      break;
    case EV_MEDIA_TIMEOUT:
      mediaTimeout(frame);
      break;
    case EV_BANK_READY:
      commitBank(frame);
      break;
    case EV_QUERY:
      query(frame);
      break;
    case EV_HANGUP:
      hangup(frame);
      break;
    case EV_DRAIN:
      setDraining(load<u32>(frame + F_ARG0) != 0);
      break;
    case EV_MIRROR_ACK:
      mirrorAcknowledged(load<u64>(frame + F_ARG0));
      break;
    case EV_MIRROR_PEER:
      mirrorPeer(load<u32>(frame + F_ARG0) != 0);
      break;
    case EV_ROLE:
      takeRole(frame);
      break;
    case EV_LEASE:
      takeLease(frame);
      break;
    case EV_OFFER:
      offer(frame);
      break;
    default:
      break;
  }
  setRxFrame(0);
}

/** A standby follows, and answers questions. */
function handleAsStandby(frame: usize): void {
  if (load<u8>(frame + F_VERSION) != ABI_VERSION) return;
  switch (load<u8>(frame + F_KIND) as u32) {
    case EV_MIRROR:
      mirrorApply(frame);
      break;
    case EV_MIRROR_PEER:
      standbyPeer();
      break;
    case EV_ROLE:
      takeRole(frame);
      break;
    case EV_LEASE:
      takeLease(frame);
      break;
    case EV_BANK_READY:
      commitBank(frame);
      break;
    case EV_QUERY:
      query(frame);
      break;
    default:
      break;
  }
}

function commitBank(frame: usize): void {
  const taken = bankCommit(load<u32>(frame + F_ARG0));
  const effect = frameBegin(EF_BANK);
  store<u32>(effect + F_ARG0, taken ? 1 : 0);
  store<u32>(effect + F_ARG1, taken ? 0 : 1);
  frameEnd();
}

/** A timer is due (mem/wheel.ts). */
export function onTimer(kind: u32, node: usize): void {
  switch (kind) {
    case TIMER_TRANSACTION:
      transactionTimer(transactionOfTimer(node));
      break;
    case TIMER_CALL:
      callTimer(callOfTimer(node));
      break;
    case TIMER_PENDING:
      mediaLate(node);
      break;
    case TIMER_BINDING:
      bindingTimer(node);
      break;
    case TIMER_MIRROR: // what waits is sent at the end of the step
      break;
    case TIMER_HELD:
      heldTimer();
      break;
    case TIMER_OFFER:
      offerTimer(node);
      break;
    default:
      unreachable();
  }
}
