/** All checkers of a simulation, behind one face: each is told what happens and says when it must not. */
import type { Frame } from '../../host/frames.ts';
import type { Arrival } from '../network.ts';
import type { Destination, SimNode } from '../node.ts';
import type { Packet } from '../packet.ts';
import type { FaultSpec } from '../scenario.ts';
import type { Simulation } from '../simulation.ts';
import type { PhoneNote } from '../world.ts';

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
  note?(note: PhoneNote): void;
  fault?(fault: FaultSpec, begins: boolean): void;
  /** All is over: what should have ended has. */
  settled?(): void;
}

/** Reports what must not be. */
export type Fail = (text: string) => void;

/** Makes a checker for a simulation. */
export type CheckerKind = (sim: Simulation, fail: Fail) => Checker;

const KINDS: readonly CheckerKind[] = [];

export class Checkers implements Required<Omit<Checker, 'name'>> {
  readonly #all: readonly Checker[];

  constructor(sim: Simulation, fail: (checker: string, text: string) => void) {
    this.#all = KINDS.map((kind) => {
      const checker: Checker = kind(sim, (text) => fail(checker.name, text));
      return checker;
    });
  }

  received(node: SimNode, arrival: Arrival): void {
    for (const checker of this.#all) checker.received?.(node, arrival);
  }

  sent(node: SimNode, packet: Packet, to: Destination): void {
    for (const checker of this.#all) checker.sent?.(node, packet, to);
  }

  effect(node: SimNode, effect: Frame): void {
    for (const checker of this.#all) checker.effect?.(node, effect);
  }

  stepped(node: SimNode): void {
    for (const checker of this.#all) checker.stepped?.(node);
  }

  note(note: PhoneNote): void {
    for (const checker of this.#all) checker.note?.(note);
  }

  fault(fault: FaultSpec, begins: boolean): void {
    for (const checker of this.#all) checker.fault?.(fault, begins);
  }

  settled(): void {
    for (const checker of this.#all) checker.settled?.();
  }
}
