/** All checkers of a simulation, behind one face: each is told what happens and says when it must not. */
import { TRANSPORT_UDP } from '../../assembly/abi.ts';
import type { Frame } from '../../host/frames.ts';
import { type Arrival, ipOf } from '../network.ts';
import type { Destination, SimNode } from '../node.ts';
import type { Packet } from '../packet.ts';
import type { FaultSpec, Scenario } from '../scenario.ts';
import type { Simulation } from '../simulation.ts';
import type { PhoneNote } from '../world.ts';
import { noSilence } from './answers.ts';
import { records } from './calls.ts';
import { cookies } from './cookies.ts';
import { credentialCheckers } from './credentials.ts';
import { forwardingCheckers } from './forwarding.ts';
import { Invites } from './invites.ts';
import { phonesAgree } from './phones.ts';
import { registrarCheckers } from './registrar.ts';
import { bounded, deadlines, tablesEmpty } from './tables.ts';
import { Traffic } from './traffic.ts';
import { inviteCheckers } from './transactions.ts';
import { wellFormed } from './well-formed.ts';

/** One rule. It keeps what it needs to know, bounded by what goes on at a time. */
export interface Checker {
  /** As in docs/checkers. */
  readonly name: string;
  /** A node is about to give a message to its core. */
  received?(node: SimNode, arrival: Arrival): void;
  /** The core of a node has sent a message: in answer to what it received last, or of its own (a timer). */
  sent?(node: SimNode, packet: Packet, to: Destination): void;
  /** Other effects; the frame is valid during the call only. */
  effect?(node: SimNode, effect: Frame): void;
  /** An event and its effects are done. */
  stepped?(node: SimNode): void;
  /** A node has come back without its memory. */
  forgot?(node: SimNode): void;
  note?(note: PhoneNote): void;
  fault?(fault: FaultSpec, begins: boolean): void;
  /** All is over: what should have ended has. */
  settled?(): void;
}

/** Reports what must not be. */
export type Fail = (text: string) => void;

/** Makes a checker for a simulation. */
export type CheckerKind = (sim: Simulation, fail: Fail) => Checker;

/** All of them, around one view of the traffic. */
function makeAll(traffic: Traffic, invites: Invites): CheckerKind[] {
  return [
    wellFormed(traffic),
    ...forwardingCheckers(traffic, invites),
    ...inviteCheckers(invites),
    ...registrarCheckers(traffic),
    ...credentialCheckers(traffic),
    cookies(traffic),
    noSilence,
    records,
    bounded,
    deadlines,
    tablesEmpty,
    phonesAgree(traffic),
  ];
}

/** Addresses of phones that send damaged messages, those that they move to included. */
function hostileAddresses({ phones, faults }: Scenario): ReadonlySet<number> {
  const hostile = phones.filter(({ hostilePerMille }) => hostilePerMille > 0);
  const names = new Set(hostile.map(({ name }) => name));
  const moved = faults.flatMap((fault) =>
    fault.kind === 'move' && names.has(fault.phone) ? [fault.ip] : [],
  );
  return new Set([...hostile.map(({ ip }) => ip), ...moved].map(ipOf));
}

export class Checkers implements Required<Omit<Checker, 'name'>> {
  readonly #sim: Simulation;
  readonly #all: readonly Checker[];
  readonly #traffic: Traffic;
  readonly #invites: Invites;

  constructor(sim: Simulation, fail: (checker: string, text: string) => void) {
    this.#sim = sim;
    this.#traffic = new Traffic(hostileAddresses(sim.scenario));
    this.#invites = new Invites(this.#traffic);
    this.#all = makeAll(this.#traffic, this.#invites).map((kind) => {
      const checker: Checker = kind(sim, (text) => fail(checker.name, text));
      return checker;
    });
  }

  /** Names of all checkers, as in docs/checkers. */
  get names(): readonly string[] {
    return this.#all.map(({ name }) => name);
  }

  received(node: SimNode, arrival: Arrival): void {
    this.#traffic.received(node, arrival);
    this.#invites.received(node, arrival.packet.sip);
    for (const checker of this.#all) checker.received?.(node, arrival);
  }

  sent(node: SimNode, packet: Packet, to: Destination): void {
    this.#invites.sent(node, packet.sip, this.#sim.nowUs, to.transport === TRANSPORT_UDP);
    for (const checker of this.#all) checker.sent?.(node, packet, to);
  }

  effect(node: SimNode, effect: Frame): void {
    for (const checker of this.#all) checker.effect?.(node, effect);
  }

  stepped(node: SimNode): void {
    this.#invites.stepped(node);
    for (const checker of this.#all) checker.stepped?.(node);
    this.#traffic.stepped();
  }

  forgot(node: SimNode): void {
    this.#invites.nodeLost(node.name);
    this.#traffic.timeBreaks();
    for (const checker of this.#all) checker.forgot?.(node);
  }

  note(note: PhoneNote): void {
    for (const checker of this.#all) checker.note?.(note);
  }

  fault(fault: FaultSpec, begins: boolean): void {
    if (fault.kind === 'clock-jump' || fault.kind === 'vanish') this.#traffic.timeBreaks();
    for (const checker of this.#all) checker.fault?.(fault, begins);
  }

  settled(): void {
    for (const checker of this.#all) checker.settled?.();
  }
}
