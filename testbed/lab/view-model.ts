/** What the page shows of a moment, as plain data. */
import * as abi from '../../wasm-core/assembly/abi.ts';
import { PENDING_MAX } from '../../wasm-core/sim/bank.ts';
import { ipText, type LinkSpec } from '../../wasm-core/sim/network.ts';
import { EPOCH_US, type SimNode } from '../../wasm-core/sim/node.ts';
import { Callee } from '../../wasm-core/sim/phone/callee.ts';
import type { Phone } from '../../wasm-core/sim/phone/phone.ts';
import type { FaultSpec } from '../../wasm-core/sim/scenario.ts';
import type { Simulation } from '../../wasm-core/sim/simulation.ts';
import type { CallState } from '../../wasm-core/sim/world.ts';
import type { Recorder } from './recorder.ts';

export type PhoneMood = 'off' | 'unregistered' | 'idle' | 'ringing' | 'calling' | 'up';

export interface PhoneCall {
  callId: string;
  role: 'caller' | 'callee';
  state: CallState;
  peer: string;
  /** A person can answer it. */
  isAnswerable: boolean;
}

export interface PhoneView {
  name: string;
  user: string;
  node: string;
  address: string;
  transport: number;
  mood: PhoneMood;
  isTaken: boolean;
  /** Until its registration ends, s; 0 without one. */
  registeredForS: number;
  calls: readonly PhoneCall[];
}

export interface Gauge {
  name: string;
  value: number;
  /** Size of the table; undefined: of no fixed size. */
  size?: number;
}

export interface NodeView {
  name: string;
  ip: string;
  state: 'up' | 'paused' | 'down';
  isDraining: boolean;
  clockIsOff: boolean;
  hasMedia: boolean;
  mediaIsUp: boolean;
  mediaCalls: number;
  gauges: readonly Gauge[];
  counters: readonly Gauge[];
  /** Its clock against virtual time, ms. */
  clockOffsetMs: number;
  /** Until the core wants to be woken at the latest, ms by its clock; undefined: it waits for nothing. */
  deadlineMs: number | undefined;
}

export type LinkState = 'good' | 'slow' | 'one-way' | 'cut';

export interface LinkView {
  /** Phone, or the first of two switches. */
  a: string;
  b: string;
  state: LinkState;
  /** From a to b, and back. */
  there: LinkSpec;
  back: LinkSpec;
}

/** A call that is up or on its way, for the drawing. */
export interface Thread {
  callId: string;
  from: string;
  to: string;
  isUp: boolean;
}

export interface View {
  nowUs: number;
  isOver: boolean;
  hash: string;
  messages: number;
  callsPlaced: number;
  callsAnswered: number;
  callsUp: number;
  phones: readonly PhoneView[];
  nodes: readonly NodeView[];
  links: readonly LinkView[];
  threads: readonly Thread[];
  faults: readonly FaultSpec[];
}

export function viewOf(sim: Simulation, recorder: Recorder): View {
  const calls = recorder.calls.filter(({ endedUs }) => endedUs === undefined);
  return {
    nowUs: sim.nowUs,
    isOver: sim.isOver,
    hash: sim.hash,
    messages: sim.messages,
    callsPlaced: sim.callsPlaced,
    callsAnswered: sim.callsAnswered,
    callsUp: calls.filter(({ state }) => state === 'up' || state === 'held').length,
    phones: sim.phones.map((phone) => phoneView(phone, recorder, sim.nowUs)),
    nodes: sim.nodes.map((node) => nodeView(node, sim)),
    links: linksOf(sim),
    threads: calls.flatMap(({ callId, caller, callees, state }) => {
      const isUp = state === 'up' || state === 'held';
      const reached = [...callees].filter(
        ([, of]) => of !== 'ended' && (!isUp || of === 'up' || of === 'held'),
      );
      return reached.map(([to]) => ({ callId, from: caller, to, isUp }));
    }),
    faults: sim.faults.open,
  };
}

function phoneView(phone: Phone, recorder: Recorder, nowUs: number): PhoneView {
  const calls = phone.calls.list.map((call) => ({
    callId: call.callId,
    role: call.role,
    state: call.state,
    peer: call.peer,
    isAnswerable: phone.isManual && call instanceof Callee && call.isRinging,
  }));
  const untilUs = recorder.registered.get(phone.name) ?? 0;
  const registeredForS = Math.max(0, Math.ceil((untilUs - nowUs) / 1_000_000));
  return {
    name: phone.name,
    user: phone.spec.user,
    node: phone.spec.node,
    address: `${ipText(phone.ip)}:${phone.port}`,
    transport: phone.spec.transport,
    mood: moodOf(phone, calls, registeredForS),
    isTaken: phone.isManual,
    registeredForS,
    calls,
  };
}

function moodOf(phone: Phone, calls: readonly PhoneCall[], registeredForS: number): PhoneMood {
  if (!phone.isOn) return 'off';
  if (calls.some(({ state }) => state === 'up' || state === 'held')) return 'up';
  if (calls.some(({ role }) => role === 'callee')) return 'ringing';
  if (calls.length > 0) return 'calling';
  return registeredForS > 0 ? 'idle' : 'unregistered';
}

/** Counters that say how a switch is doing. */
const COUNTERS: readonly [string, number][] = [
  ['Calls so far', abi.C_CALLS_TOTAL],
  ['Answered', abi.C_CALLS_ANSWERED_TOTAL],
  ['Retransmissions taken in', abi.C_RETRANSMITS_IN],
  ['Retransmissions sent', abi.C_RETRANSMITS_OUT],
  ['Challenges', abi.C_AUTH_CHALLENGED],
  ['Wrong credentials', abi.C_AUTH_FAILED],
  ['Refused: a table was full', abi.C_TABLE_FULL],
  ['Refused: overload', abi.C_SHED],
  ['Malformed', abi.C_MALFORMED],
  ['Matched nothing', abi.C_DROPPED],
  ['Media refused or late', abi.C_MEDIA_FAILED],
];

function nodeView(node: SimNode, sim: Simulation): NodeView {
  const { spec, core } = node;
  const { counters } = core;
  const clockUs = node.clockReadingUs;
  const deadlineMs = core.nextDeadlineMs();
  const has = (kind: FaultSpec['kind']) =>
    sim.faults.open.some((fault) => fault.kind === kind && 'node' in fault && fault.node === node.name);
  const gauge = (name: string, counter: number, size?: number): Gauge => ({
    name,
    value: counters[counter]!,
    size,
  });
  return {
    name: node.name,
    ip: spec.ip,
    state: node.state,
    isDraining: has('drain'),
    clockIsOff: has('clock-rate'),
    hasMedia: spec.anchor,
    mediaIsUp: node.media.isUp,
    mediaCalls: node.media.calls.length,
    gauges: [
      gauge('Calls', abi.C_CALLS_ACTIVE, spec.callsMax),
      gauge('Transactions', abi.C_TRANSACTIONS, spec.transactionsMax),
      gauge('Branches', abi.C_BRANCHES, spec.transactionsMax * 4),
      gauge('Bindings', abi.C_BINDINGS, spec.bindingsMax),
      gauge('Addresses of record', abi.C_AORS, spec.bindingsMax),
      gauge('Waiting for media', abi.C_PENDING, PENDING_MAX),
      gauge('Timers', abi.C_TIMERS),
      gauge('Pool blocks', abi.C_BLOCKS_USED),
    ],
    counters: COUNTERS.map(([name, counter]) => gauge(name, counter)),
    clockOffsetMs: (clockUs - EPOCH_US - sim.nowUs) / 1_000,
    deadlineMs: deadlineMs === 0 ? undefined : deadlineMs - clockUs / 1_000,
  };
}

function linksOf(sim: Simulation): LinkView[] {
  const { nodes } = sim;
  const pairs = sim.phones.map(({ name, spec }): [string, string] => [name, spec.node]);
  for (const [i, a] of nodes.entries()) for (const b of nodes.slice(i + 1)) pairs.push([a.name, b.name]);
  return pairs.map(([a, b]) => {
    const there = sim.network.linkOf(a, b);
    const back = sim.network.linkOf(b, a);
    const blocked = Number(sim.network.isBlocked(a, b)) + Number(sim.network.isBlocked(b, a));
    const isSlow = there !== sim.network.link || back !== sim.network.link;
    const state = blocked === 2 ? 'cut' : blocked === 1 ? 'one-way' : isSlow ? 'slow' : 'good';
    return { a, b, state, there, back };
  });
}
