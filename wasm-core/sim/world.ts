/** What phones have around them, and what they say about themselves. */
import type { Network } from './network.ts';
import type { Random } from './random.ts';
import type { SimNode } from './node.ts';
import type { Scheduler } from './scheduler.ts';

export interface World {
  readonly scheduler: Scheduler;
  readonly network: Network;
  /** A stream of random numbers of that name. */
  random(name: string): Random;
  node(name: string): SimNode | undefined;
  note(note: PhoneNote): void;
}

/** Something that a phone did or noticed, for checkers and for people. */
export type PhoneNote = {
  phone: string;
} /** A REGISTER was answered with 200; `expiresS` 0: it has no binding any more. */ & (
  | { kind: 'registered'; expiresS: number }
  | { kind: 'register-failed'; status: number }
  /** A call of this phone changed. `status`: the final response to the INVITE, 0 before, 408 when there was none. */
  | {
      kind: 'call';
      callId: string;
      role: 'caller' | 'callee';
      state: CallState;
      status: number;
      /** User part of the other side. */
      peer: string;
    }
  /** Something that this phone's protocol doesn't allow from the other side, for example a second answer. */
  | { kind: 'protest'; callId: string; text: string }
);

/** trying: INVITE sent. ringing: 18x sent or received. up: answered and acknowledged, as far as it knows. */
export type CallState = 'trying' | 'ringing' | 'up' | 'held' | 'ended';
