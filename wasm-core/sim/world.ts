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
export type PhoneNote = { phone: string } & NoteOf;

export type NoteOf =
  /** A REGISTER was answered with 200; `expiresS` 0: it has no binding any more. */
  | { kind: 'registered'; expiresS: number }
  /** A REGISTER was answered with another final response than a challenge; 408: with none. It will try again. */
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
  | { kind: 'protest'; rule: ProtestRule; callId: string; text: string };

/**
 * What a phone can see of the rules of SIP:
 * - unreadable: a message without an end of its header fields, Call-ID, From tag or CSeq
 * - content-length: missing, or not the bytes of the body
 * - via: a response with other than one Via, or one that isn't the phone's; a request without Via
 * - response: Call-ID, CSeq or From tag isn't that of the request with this branch
 * - second-answer: a 2xx with another To tag, for an INVITE that has been answered
 * - second-final: a 2xx after a failure, or a failure after a 2xx, to one INVITE that begins a dialog
 * - cseq: a request in a dialog with a CSeq below one before, and not late
 * - request-uri: an INVITE for another user
 * - route: a route set that is empty, that doesn't begin with the phone's node, or with strict routers; no Contact
 * - dialog: a request in a dialog of the phone with another Call-ID or, to a callee, another From tag, or an ACK for a dialog of another phone
 * - body: an INVITE, or a 2xx to one, with no body or with that of another call or fork
 * - contact: a 200 to REGISTER without the phone's Contact, with more time than asked for, or with a Contact that was removed
 */
export type ProtestRule =
  | 'unreadable'
  | 'content-length'
  | 'via'
  | 'response'
  | 'second-answer'
  | 'second-final'
  | 'cseq'
  | 'request-uri'
  | 'route'
  | 'dialog'
  | 'body'
  | 'contact';

/** trying: INVITE sent. ringing: 18x sent or received. up: answered and acknowledged, as far as it knows. */
export type CallState = 'trying' | 'ringing' | 'up' | 'held' | 'ended';
