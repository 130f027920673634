/**
 * When the legs' RTCP reports are due (RFC 3550 6.2, 6.3): every 5 s, randomised by half so that legs which began
 * together do not report together. Few legs share a session, so bandwidth never asks for a longer interval.
 */
import { alloc } from '../mem/arena';
import {
  CFG_IN_SSRC,
  CFG_MEDIASOUP,
  CFG_MEDIASOUP_PORT,
  CFGF_MEDIASOUP,
  CFGF_RTCP_MUX,
  K_RTCP_OUT,
  REPORTS_PER_STEP_MAX,
  TOKEN_MEDIASOUP,
  TOKEN_RTCP,
} from './abi';
import { count } from './counters';
import {
  L_LAST_REPORT_US,
  L_OUT_SSRC,
  L_REPORT_US,
  L_REPORTED_US,
  L_TO,
  L_TO_RTCP_PORT,
  legAt,
  legConfig,
  legHas,
  legIn,
  legOut,
  legSlot,
  legsSeen,
} from './leg';
import { emit } from './output';
import { REPORT_BYTES_MAX, writeReport } from './rtcp-write';
import { streamActive, streamSentSince } from './stream';

const INTERVAL_US: f64 = 5e6;
/** How often the legs are looked through. */
const LOOK_US: f64 = 50e3;

let buffers: usize = 0;
let used: u32 = 0;
let cursor: u32 = 0;
let lookUs: f64 = 0;
let random: u32 = 1;

export function reportsInit(): void {
  buffers = alloc(2 * REPORTS_PER_STEP_MAX * REPORT_BYTES_MAX);
}

/** Half to one and a half of the interval. */
function intervalUs(): f64 {
  random = random * 1664525 + 1013904223;
  return INTERVAL_US * (0.5 + (random as f64) / 4294967296.0);
}

/** Sets the time of a new leg's first report: after half an interval (RFC 3550 6.2). */
export function reportsStart(leg: usize, nowUs: f64): void {
  random ^= load<u32>(leg, L_OUT_SSRC);
  store<f64>(leg, nowUs + intervalUs() / 2, L_REPORT_US);
}

/** Sends the reports that are due, of REPORTS_PER_STEP_MAX legs at most; the rest have their turn in the next step. */
export function reportsRun(nowUs: f64): void {
  if (cursor == 0 && nowUs < lookUs) return;
  used = 0;
  const end = legsSeen();
  let reported: u32 = 0;
  while (cursor < end && reported < REPORTS_PER_STEP_MAX) {
    const leg = legAt(cursor++);
    if (leg == 0 || load<f64>(leg, L_REPORT_US) > nowUs) continue;
    reported++;
    report(leg, nowUs);
  }
  if (cursor < end) return;
  cursor = 0;
  lookUs = nowUs + LOOK_US;
}

function report(leg: usize, nowUs: f64): void {
  const sinceUs = load<f64>(leg, L_REPORTED_US);
  reportToPhone(leg, sinceUs, nowUs);
  reportToMediasoup(leg, sinceUs, nowUs);
  store<f64>(leg, load<f64>(leg, L_LAST_REPORT_US), L_REPORTED_US);
  store<f64>(leg, nowUs, L_LAST_REPORT_US);
  store<f64>(leg, nowUs + intervalUs(), L_REPORT_US);
}

/** Nothing to say to a phone that neither sent anything nor was sent anything. */
function reportToPhone(leg: usize, sinceUs: f64, nowUs: f64): void {
  const port = load<u32>(leg, L_TO_RTCP_PORT);
  const heard = legIn(leg);
  const sent = legOut(leg);
  if (port == 0 || !(streamActive(heard) || streamSentSince(sent, 0))) return;
  const at = buffers + used * REPORT_BYTES_MAX;
  const bytes = writeReport(at, leg, sent, load<u32>(leg, L_OUT_SSRC), heard, false, sinceUs, nowUs);
  const socket = legHas(leg, CFGF_RTCP_MUX) ? 0 : TOKEN_RTCP;
  send((legSlot(leg) << 1) | socket, at, bytes, leg + L_TO, port);
}

function reportToMediasoup(leg: usize, sinceUs: f64, nowUs: f64): void {
  const heard = legOut(leg);
  const sent = legIn(leg);
  if (!legHas(leg, CFGF_MEDIASOUP) || !(streamActive(heard) || streamSentSince(sent, 0))) return;
  const config = legConfig(leg);
  const at = buffers + used * REPORT_BYTES_MAX;
  const bytes = writeReport(at, leg, sent, load<u32>(config, CFG_IN_SSRC), heard, true, sinceUs, nowUs);
  send(TOKEN_MEDIASOUP, at, bytes, config + CFG_MEDIASOUP, load<u16>(config, CFG_MEDIASOUP_PORT) as u32);
}

function send(token: u32, at: usize, bytes: u32, address: usize, port: u32): void {
  used++;
  count(K_RTCP_OUT);
  emit(token, at, bytes, address, port);
}
