/**
 * How much new work is let in when the core can't keep up. Its measure is the shortest wait of any message in an
 * interval: above the target it says that there is a queue that does not go away (Nichols, Jacobson: CoDel, RFC 8289), while a burst
 * leaves some message that hardly waited. The limit then falls by a part of what was really let in, and rises by a
 * constant while all is well (additive increase, multiplicative decrease); when nothing has been refused for a
 * while, there is no limit.
 */
import { C_ADMIT_LIMIT, C_OVERLOAD_INTERVALS, I_OVERLOAD_TARGET_US } from '../abi';
import { waitedUs } from '../call/latency';
import { initU32 } from '../config';
import { count, gauge } from '../counters';
import { nowMs } from '../effects';

const INTERVAL_MS: u64 = 100;
const INTERVALS_PER_S: f32 = 10;
/** An interval with fewer messages says nothing. */
const MESSAGES_MIN: u32 = 16;
const DECREASE: f32 = 0.8;
/** Requests per second, each interval. */
const INCREASE: f32 = 50;
const LIMIT_MIN: f32 = 50;
/** Intervals without a refusal after which the limit goes. */
const QUIET_INTERVALS: u32 = 20;
/** Seconds' worth of the limit that may be let in at once. */
const BURST_S: f32 = 0.1;

let intervalEndMs: u64 = 0;
let shortestUs: f32 = f32.MAX_VALUE;
let messages: u32 = 0;
let admitted: u32 = 0;
let refused: u32 = 0;
let quiet: u32 = 0;
/** Requests per second that may begin something; 0: no limit. */
let limit: f32 = 0;
let tokens: f32 = 0;
let answers: f32 = 0;
let refilledMs: u64 = 0;

export function controllerInit(): void {
  intervalEndMs = nowMs + INTERVAL_MS;
  shortestUs = f32.MAX_VALUE;
  limit = 0;
  messages = 0;
  admitted = 0;
  refused = 0;
  gauge(C_ADMIT_LIMIT, 0);
}

/** True while new work is limited. */
export function isLimited(): bool {
  return limit > 0;
}

/** Looks at the wait of the current message, which has just been taken. */
export function controllerObserve(): void {
  const waited = waitedUs();
  if (waited < shortestUs) shortestUs = waited;
  messages++;
}

/** To be called once a step. */
export function controllerTick(): void {
  if (nowMs < intervalEndMs) return;
  intervalEndMs = nowMs + INTERVAL_MS;
  const target = initU32(I_OVERLOAD_TARGET_US);
  if (target != 0 && messages >= MESSAGES_MIN && shortestUs > (target as f32)) decrease();
  else if (limit > 0) increase();
  messages = 0;
  admitted = 0;
  refused = 0;
  shortestUs = f32.MAX_VALUE;
  gauge(C_ADMIT_LIMIT, limit as u32);
}

function decrease(): void {
  count(C_OVERLOAD_INTERVALS);
  const let_in = (admitted as f32) * INTERVALS_PER_S;
  const base = limit > 0 ? min(limit, let_in) : let_in;
  if (limit == 0) {
    refilledMs = nowMs;
    tokens = 0;
    answers = 0;
  }
  limit = max(LIMIT_MIN, base * DECREASE);
  quiet = 0;
}

function increase(): void {
  quiet = refused == 0 ? quiet + 1 : 0;
  limit = quiet >= QUIET_INTERVALS ? 0 : limit + INCREASE;
}

function refill(): void {
  const passed = ((nowMs - refilledMs) as f32) / 1000;
  refilledMs = nowMs;
  const most = max(1, limit * BURST_S);
  tokens = min(most, tokens + limit * passed);
  answers = min(most, answers + limit * passed);
}

/** Lets one new request in, or not. */
export function controllerAdmit(): bool {
  admitted++;
  if (limit == 0) return true;
  refill();
  if (tokens >= 1) {
    tokens -= 1;
    return true;
  }
  admitted--;
  refused++;
  return false;
}

/** Whether there is room to say no: as many refusals are sent as requests are let in; the rest is left unanswered. */
export function controllerMayAnswer(): bool {
  if (limit == 0) return true;
  refill();
  if (answers < 1) return false;
  answers -= 1;
  return true;
}

/** Nothing new can be let in now, and not even be refused. */
export function controllerMustDrop(): bool {
  if (limit == 0) return false;
  refill();
  if (tokens >= 1 || answers >= 1) return false;
  refused++;
  return true;
}
