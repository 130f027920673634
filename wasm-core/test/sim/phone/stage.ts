/** Small scenarios with the real core, and what was said in them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TRANSPORT_UDP } from '../../../assembly/abi.ts';
import { type Flight, GOOD_LINK, type LinkSpec } from '../../../sim/network.ts';
import {
  type CallSpec,
  type FaultSpec,
  type NodeSpec,
  type PhoneSpec,
  type Scenario,
  SCENARIO_VERSION,
} from '../../../sim/scenario.ts';
import { type Observer, Simulation } from '../../../sim/simulation.ts';
import type { SipMessage } from '../../../sim/sip/message.ts';
import type { PhoneNote } from '../../../sim/world.ts';

const module = new WebAssembly.Module(readFileSync(join(import.meta.dirname, '../../../../build/core.wasm')));

/** Every link takes this, and nothing else happens on it. */
export const LATENCY_MS = 5;
const EXACT: LinkSpec = { ...GOOD_LINK, latencyUs: LATENCY_MS * 1_000, jitterUs: 0 };

const NODE: NodeSpec = {
  name: 'A',
  ip: '10.0.0.1',
  callsMax: 100,
  transactionsMax: 100,
  bindingsMax: 100,
  anchor: false,
  callDurationMaxS: 600,
  overloadTargetUs: 0,
  sourcePerS: 0,
  routes: [],
  media: { delayMs: 2, jitterMs: 0, refusePerMille: 0, silentPerMille: 0 },
};

/** A phone that is answered after 1 s, over UDP; `number` makes its name, address and, if none is given, its user. */
export function phone(number: number, spec: Partial<PhoneSpec> = {}): PhoneSpec {
  return {
    name: `p${number}`,
    user: `${1000 + number}`,
    ip: `10.1.0.${number}`,
    port: 5070,
    transport: TRANSPORT_UDP,
    node: 'A',
    expiresS: 120,
    registerAtMs: 0,
    answer: { ringMs: 300, answerMs: 1_000, status: 200 },
    hostilePerMille: 0,
    ...spec,
  };
}

/** A call from p1 to the user of p2 at 1 s that is up for 5 s. */
export function call(spec: Partial<CallSpec> = {}): CallSpec {
  return { atMs: 1_000, from: 'p1', to: '1002', holdMs: 5_000, ...spec };
}

export interface Parts {
  phones: PhoneSpec[];
  calls?: CallSpec[];
  faults?: FaultSpec[];
  link?: Partial<LinkSpec>;
  node?: Partial<NodeSpec>;
  seed?: number;
  durationMs?: number;
}

export function scenario({
  phones,
  calls = [],
  faults = [],
  link,
  node,
  seed = 1,
  durationMs,
}: Parts): Scenario {
  return {
    version: SCENARIO_VERSION,
    title: '',
    seed,
    durationMs: durationMs ?? 60_000,
    link: { ...EXACT, ...link },
    links: [],
    nodes: [{ ...NODE, ...node }],
    phones,
    calls,
    faults,
  };
}

/** What happened in a simulation. */
export class Play {
  readonly sim: Simulation;
  readonly flights: Flight[] = [];
  readonly notes: { atMs: number; note: PhoneNote }[] = [];

  constructor(parts: Parts) {
    const observer: Observer = {
      flight: (flight) => this.flights.push(flight),
      note: (note) => this.notes.push({ atMs: this.sim.nowUs / 1_000, note }),
    };
    // Messages that these tests damage on their way would be a checker's business.
    this.sim = new Simulation(scenario(parts), module, [observer], { check: false });
  }

  run(): this {
    this.sim.run();
    if (this.sim.failure !== undefined) throw new Error(JSON.stringify(this.sim.failure));
    return this;
  }

  /** Up to a moment, ms. */
  until(ms: number): this {
    this.sim.runUntil(ms * 1_000);
    return this;
  }

  /** States of the calls of a phone, in order; the end with its status. */
  states(name: string): string[] {
    return this.notes.flatMap(({ note }) =>
      note.phone === name && note.kind === 'call'
        ? [note.state === 'ended' ? `ended ${note.status}` : note.state]
        : [],
    );
  }

  protests(): string[] {
    return this.notes.flatMap(({ note }) => (note.kind === 'protest' ? [`${note.phone}: ${note.text}`] : []));
  }

  /** Messages that a host has sent: method, or status and method. */
  sent(name: string): { atMs: number; what: string; sip: SipMessage; flight: Flight }[] {
    return this.flights.flatMap((flight) => {
      const { sip } = flight.packet;
      if (flight.from !== name || sip === null || flight.copy) return [];
      const what = sip.isRequest ? sip.method : `${sip.status} ${sip.method}`;
      return [{ atMs: flight.sentUs / 1_000, what, sip, flight }];
    });
  }

  /** The times of all messages of a kind, ms after the first one. */
  repeats(name: string, what: string): number[] {
    const times = this.sent(name)
      .filter((message) => message.what === what)
      .map(({ atMs }) => atMs);
    return times.map((atMs) => Math.round(atMs - times[0]!));
  }
}

export function play(parts: Parts): Play {
  return new Play(parts).run();
}
