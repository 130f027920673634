/**
 * A simulation: a scenario, played on virtual time. The same scenario with the same core gives the same messages at the same
 * times, in Node and in a browser; `hash` says so.
 */
import * as abi from '../assembly/abi.ts';
import type { Frame } from '../host/frames.ts';
import { type CallRecord, decodeCall } from '../host/records.ts';
import { bankOf, coreInit } from './bank.ts';
import { Checkers } from './checkers/checkers.ts';
import { Faults } from './faults.ts';
import { type Arrival, type Flight, Network } from './network.ts';
import { type Destination, type NodeWatcher, SimNode } from './node.ts';
import type { Packet } from './packet.ts';
import { Phone } from './phone/phone.ts';
import { Random } from './random.ts';
import type { CallSpec, FaultSpec, Scenario } from './scenario.ts';
import { Scheduler } from './scheduler.ts';
import { TraceHash } from './trace-hash.ts';
import type { PhoneNote, World } from './world.ts';

/** Something that must not happen. */
export interface Failure {
  /** Name of the checker. */
  checker: string;
  /** Virtual time, µs. */
  atUs: number;
  /** What was seen, in a sentence, with the node or phone. */
  text: string;
}

/** Those who look at a simulation; all are told at the moment it happens. */
export interface Observer {
  /** A message has been sent, by a phone or a node. */
  flight?(flight: Flight): void;
  /** What a phone did or noticed. */
  note?(note: PhoneNote): void;
  /** A call changed its state (EF_CALL), a log entry and so on; the frame is valid during the call only. */
  effect?(node: SimNode, effect: Frame): void;
  /** A fault begins or ends. */
  fault?(fault: FaultSpec, begins: boolean): void;
  failed?(failure: Failure): void;
}

/** Events at one moment after which something turns in circles. */
const SAME_TIME_MAX = 200_000;

/** The longest things that go on after the load has ended, s: timer C and 64 * T1, each a few times. */
const SETTLE_S = 900;

export class Simulation implements NodeWatcher, World {
  readonly scenario: Scenario;
  readonly scheduler = new Scheduler();
  readonly network: Network;
  readonly nodes: readonly SimNode[];
  readonly phones: readonly Phone[];
  readonly faults: Faults;
  readonly seed: number;
  readonly #nodesByName: ReadonlyMap<string, SimNode>;
  readonly #phonesByName: ReadonlyMap<string, Phone>;
  readonly #observers: Observer[];
  readonly #hash = new TraceHash();
  readonly #checkers: Checkers;
  readonly #endUs: number;
  /** By name of the node, then by slot and generation. */
  readonly #calls = new Map<string, Map<string, CallRecord>>();
  #sameTime = 0;
  /** Messages that were sent. */
  messages = 0;
  /** Calls that were placed. */
  callsPlaced = 0;
  /** Calls that were answered, as nodes see it. */
  callsAnswered = 0;
  /** The first thing that went wrong; nothing happens after it. */
  failure: Failure | undefined;

  /**
   * @param module  the core, compiled
   * @param options.check  false: checkers are not asked, only traps and circles end it. Default true
   * @throws RangeError for a scenario that makes no sense (names that are nowhere, for example)
   */
  constructor(
    scenario: Scenario,
    module: WebAssembly.Module,
    observers: Observer[] = [],
    { check = true }: { check?: boolean } = {},
  ) {
    this.scenario = scenario;
    this.seed = scenario.seed;
    this.#observers = observers;
    this.network = new Network(this.scheduler, this.random('network'), scenario.link, (flight) =>
      this.#sentOnNetwork(flight),
    );
    for (const { from, to, spec } of scenario.links) this.network.setLink(from, to, spec);
    this.#checkers = new Checkers(this, (checker, text) => {
      if (check) this.#fail(checker, text);
    });
    for (const { name } of scenario.nodes) this.#calls.set(name, new Map());
    this.nodes = scenario.nodes.map(
      (spec) =>
        new SimNode(spec, module, coreInit(spec), () => bankOf(scenario, spec), {
          scheduler: this.scheduler,
          network: this.network,
          random: this.random(`node ${spec.name}`),
          mediaRandom: this.random(`media ${spec.name}`),
          watcher: this,
          isHeard: (ip) => this.phones.some((phone) => phone.ip === ip && phone.isOn),
        }),
    );
    this.#nodesByName = new Map(this.nodes.map((node) => [node.name, node]));
    this.phones = scenario.phones.map((spec) => new Phone(spec, this));
    this.#phonesByName = new Map(this.phones.map((phone) => [phone.name, phone]));
    this.faults = new Faults(this, (fault, begins) => this.#faultSeen(fault, begins));
    for (const call of scenario.calls) this.scheduler.at(call.atMs * 1_000, () => this.place(call));
    for (const fault of scenario.faults)
      this.scheduler.at(fault.atMs * 1_000, () => this.faults.begin(fault));
    const loadEndUs = scenario.durationMs * 1_000;
    this.scheduler.at(loadEndUs, () => this.#wind());
    this.#endUs = loadEndUs + this.#settleUs();
  }

  // --- running -----------------------------------------------------------------------------------

  /** Virtual time, µs. */
  get nowUs(): number {
    return this.scheduler.nowUs;
  }

  /** All has ended, well or not. */
  get isOver(): boolean {
    return this.failure !== undefined || this.scheduler.nowUs >= this.#endUs;
  }

  /** When it ends, µs. */
  get endUs(): number {
    return this.#endUs;
  }

  /** The next thing that happens; false when the simulation is over. */
  step(): boolean {
    if (this.isOver) return false;
    const nextUs = this.scheduler.nextUs();
    if (nextUs === undefined || nextUs >= this.#endUs) {
      this.scheduler.nowUs = this.#endUs;
      for (const node of this.nodes) node.look();
      this.#checkers.settled();
      return false;
    }
    this.#sameTime = nextUs === this.scheduler.nowUs ? this.#sameTime + 1 : 0;
    if (this.#sameTime > SAME_TIME_MAX) {
      this.#fail('progress', `more than ${SAME_TIME_MAX} events at one moment`);
      return false;
    }
    this.scheduler.step();
    return this.failure === undefined;
  }

  /** Until a moment of virtual time, or its end. */
  runUntil(us: number): void {
    while (!this.isOver) {
      const nextUs = this.scheduler.nextUs();
      if (nextUs !== undefined && nextUs > us && us < this.#endUs) {
        this.scheduler.nowUs = Math.max(this.scheduler.nowUs, us);
        return;
      }
      if (!this.step()) return;
    }
  }

  run(): void {
    while (this.step());
  }

  /** Of all messages and faults so far, 16 hexadecimal digits. */
  get hash(): string {
    return this.#hash.hex;
  }

  // --- acts ---------------------------------------------------------------------------------------

  /** Places a call now. */
  place(call: CallSpec): void {
    this.callsPlaced++;
    this.#phonesByName.get(call.from)?.place(call);
  }

  /** Calls of a node's core that have not ended, in the order of their beginning. */
  callsOf(node: SimNode): readonly CallRecord[] {
    return [...(this.#calls.get(node.name)?.values() ?? [])];
  }

  node(name: string): SimNode | undefined {
    return this.#nodesByName.get(name);
  }

  phone(name: string): Phone | undefined {
    return this.#phonesByName.get(name);
  }

  // --- the world of phones --------------------------------------------------------------------------

  random(name: string): Random {
    return new Random(this.scenario.seed, name);
  }

  note(note: PhoneNote): void {
    this.#checkers.note(note);
    for (const observer of this.#observers) observer.note?.(note);
  }

  // --- watching ------------------------------------------------------------------------------------

  received(node: SimNode, arrival: Arrival): void {
    this.#checkers.received(node, arrival);
  }

  sent(node: SimNode, packet: Packet, to: Destination): void {
    this.#checkers.sent(node, packet, to);
  }

  effect(node: SimNode, effect: Frame): void {
    if (effect.kind === abi.EF_CALL) this.#callChanged(node, effect);
    this.#checkers.effect(node, effect);
    for (const observer of this.#observers) observer.effect?.(node, effect);
  }

  stepped(node: SimNode): void {
    this.#checkers.stepped(node);
  }

  forgot(node: SimNode): void {
    this.#calls.get(node.name)!.clear();
    this.#checkers.forgot(node);
  }

  trapped(node: SimNode, error: Error): void {
    this.#fail('no-trap', `${node.name}: the core trapped: ${error.message}`);
  }

  #callChanged(node: SimNode, effect: Frame): void {
    const calls = this.#calls.get(node.name)!;
    const place = `${effect.arg(1)}.${effect.arg(2)}`;
    if (effect.arg(0) === abi.CALL_STATE_ANSWERED) this.callsAnswered++;
    if (effect.arg(0) === abi.CALL_STATE_ENDED) calls.delete(place);
    else calls.set(place, decodeCall(effect.payload));
  }

  #sentOnNetwork(flight: Flight): void {
    this.messages++;
    this.#hash.number(flight.sentUs);
    this.#hash.number(flight.arrivesUs);
    this.#hash.number(flight.toIp);
    this.#hash.number(flight.toPort);
    this.#hash.bytes(flight.packet.bytes);
    for (const observer of this.#observers) observer.flight?.(flight);
  }

  #faultSeen(fault: FaultSpec, begins: boolean): void {
    this.#hash.number(this.nowUs);
    this.#hash.text(fault.kind);
    this.#checkers.fault(fault, begins);
    for (const observer of this.#observers) observer.fault?.(fault, begins);
  }

  #fail(checker: string, text: string): void {
    if (this.failure !== undefined) return;
    this.failure = { checker, atUs: this.nowUs, text };
    for (const observer of this.#observers) observer.failed?.(this.failure);
  }

  /** The load ends: faults are healed, phones begin nothing new and let their registrations go. */
  #wind(): void {
    this.faults.healAll();
    for (const phone of this.phones) phone.wind();
  }

  /** After so long, everything must have ended. */
  #settleUs(): number {
    const { nodes, phones } = this.scenario;
    const call = Math.max(0, ...nodes.map(({ callDurationMaxS }) => callDurationMaxS));
    const binding = Math.max(0, ...phones.map(({ expiresS }) => expiresS));
    return (Math.max(call, binding) + SETTLE_S) * 1_000_000;
  }
}
