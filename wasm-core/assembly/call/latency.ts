/**
 * Latency of the stages, per call (DESIGN 7). How long a message waited is known when it is handled; what the core took
 * and when its effects were sent, only the host knows, afterwards: so the calls of a step are remembered until `account`.
 */
import {
  F_TIME,
  I_BUDGET_CORE_US,
  I_BUDGET_MEDIA_US,
  I_BUDGET_QUEUE_US,
  I_BUDGET_SETUP_MEDIA_US,
  I_BUDGET_SETUP_US,
  RX_SLOTS,
} from '../abi';
import { initU32 } from '../config';
import { nowUs, rxFrame } from '../effects';
import { recGen, recSlot } from '../mem/table';
import {
  K_BREACHES,
  K_CORE_LAST,
  K_CORE_MAX,
  K_MEDIA_LAST,
  K_MEDIA_MAX,
  K_QUEUE_LAST,
  K_QUEUE_MAX,
  K_SETUP,
  K_STARTED,
  callGet,
  callIsAnchored,
} from './call';

/** Bytes of K_BREACHES. */
const BREACH_QUEUE: u32 = 0;
const BREACH_CORE: u32 = 1;
const BREACH_MEDIA: u32 = 2;
const BREACH_SETUP: u32 = 3;

/** Calls of one step: slot, generation, whether its INVITE went out. A step of timers alone may have more: they are left out. */
const SEEN_MAX: u32 = 2 * RX_SLOTS;
const SEEN_BYTES: u32 = 12;
const seen: usize = memory.data(1536, 8);
let seenCount: u32 = 0;

/** When the current message came: by its stamp if it has one, else now. */
export function arrivedUs(): f64 {
  if (rxFrame == 0) return nowUs;
  const at = load<f64>(rxFrame + F_TIME);
  return at > 0 && at <= nowUs ? at : nowUs;
}

/** How long the current message waited before this step, µs; 0 when nobody knows. */
export function waitedUs(): f32 {
  return (nowUs - arrivedUs()) as f32;
}

function remember(call: usize, forwarded: bool): void {
  if (seenCount == SEEN_MAX) return;
  const at = seen + seenCount++ * SEEN_BYTES;
  store<u32>(at, recSlot(call));
  store<u32>(at, recGen(call), 4);
  store<u32>(at, forwarded ? 1 : 0, 8);
}

function breach(call: usize, stage: u32): void {
  const at = call + K_BREACHES + stage;
  if (load<u8>(at) < 255) store<u8>(at, load<u8>(at) + 1);
}

/** The current message, which came in this step, belongs to `call`. */
export function latencySeen(call: usize): void {
  const waited = waitedUs();
  store<f32>(call + K_QUEUE_LAST, waited);
  if (waited > load<f32>(call + K_QUEUE_MAX)) store<f32>(call + K_QUEUE_MAX, waited);
  if (waited > (initU32(I_BUDGET_QUEUE_US) as f32)) breach(call, BREACH_QUEUE);
  remember(call, false);
}

/** The first INVITE of `call` is among the effects. */
export function latencyForwarded(call: usize): void {
  if (load<f32>(call + K_SETUP) == 0) remember(call, true);
}

/** The media service took `us` for an offer or answer of `call`. */
export function latencyMedia(call: usize, us: f32): void {
  store<f32>(call + K_MEDIA_LAST, us);
  if (us > load<f32>(call + K_MEDIA_MAX)) store<f32>(call + K_MEDIA_MAX, us);
  if (us > (initU32(I_BUDGET_MEDIA_US) as f32)) breach(call, BREACH_MEDIA);
}

/** The last step took `coreUs` per event, and its effects were sent at `sentUs`. */
export function latencyAccount(coreUs: f32, sentUs: f64): void {
  const over = coreUs > (initU32(I_BUDGET_CORE_US) as f32);
  for (let i: u32 = 0; i < seenCount; i++) {
    const at = seen + i * SEEN_BYTES;
    const call = callGet(load<u32>(at), load<u32>(at, 4));
    if (call == 0) continue;
    if (load<u32>(at, 8) != 0) {
      const setup = (sentUs - load<f64>(call + K_STARTED)) as f32;
      store<f32>(call + K_SETUP, setup);
      const budget = initU32(callIsAnchored(call) ? I_BUDGET_SETUP_MEDIA_US : I_BUDGET_SETUP_US) as f32;
      if (setup > budget) breach(call, BREACH_SETUP);
      continue;
    }
    store<f32>(call + K_CORE_LAST, coreUs);
    if (coreUs > load<f32>(call + K_CORE_MAX)) store<f32>(call + K_CORE_MAX, coreUs);
    if (over) breach(call, BREACH_CORE);
  }
  seenCount = 0;
}
