/**
 * What a simulation is made of, as data: nodes, phones, links, calls and faults. A seed is turned into a scenario (swarm.ts), a failing
 * one is shrunk by leaving parts out (shrink.ts), and a scenario is what is kept in a file.
 */
import type { LinkSpec } from './network.ts';

export const SCENARIO_VERSION = 1;

export interface Scenario {
  version: typeof SCENARIO_VERSION;
  /** One line for people; '' when there is nothing to say. */
  title: string;
  /** Of all random numbers, 0 to 2^53 - 1. */
  seed: number;
  /** After this nothing new begins, ms; then all faults are healed and what goes on may end. */
  durationMs: number;
  link: LinkSpec;
  /** Directions of links that differ: from and to are names of nodes or phones. */
  links: { from: string; to: string; spec: LinkSpec }[];
  nodes: NodeSpec[];
  phones: PhoneSpec[];
  calls: CallSpec[];
  faults: FaultSpec[];
}

/** One switch. */
export interface NodeSpec {
  name: string;
  /** Dotted quad. It listens on UDP and TCP 5060 and WS 8080. */
  ip: string;
  /** Sizes of tables: what is small is filled sooner. */
  callsMax: number;
  transactionsMax: number;
  bindingsMax: number;
  /** Media through the media service. */
  anchor: boolean;
  /** Longest call, s. All calls end by it at the latest. */
  callDurationMaxS: number;
  /** Wait that means overload, µs; 0: never refuse for it. */
  overloadTargetUs: number;
  /** Requests per second of a source; 0: no limit. */
  sourcePerS: number;
  /** Prefixes of numbers and the node that they are sent to. */
  routes: { prefix: string; node: string; strip: number; prepend: string }[];
  media: MediaSpec;
}

/** The media service of a node. */
export interface MediaSpec {
  /** Time to answer, ms, and up to so much more. */
  delayMs: number;
  jitterMs: number;
  /** Of 1,000 offers, those that are refused (488 or 503), and those that are never answered. */
  refusePerMille: number;
  silentPerMille: number;
}

/** What a phone does when it is called. */
export interface AnswerSpec {
  /** From the INVITE to 180, ms. */
  ringMs: number;
  /** From the INVITE to the final response, ms. */
  answerMs: number;
  /** Final status: 200, or 486, 480, 603 and so on. */
  status: number;
}

export interface PhoneSpec {
  name: string;
  /** User part and digest user; several phones may be devices of one user. The password is `pw-<user>`. */
  user: string;
  /** Dotted quad. */
  ip: string;
  port: number;
  /** TRANSPORT_UDP, TRANSPORT_TCP or TRANSPORT_WS. */
  transport: number;
  /** The node that it registers with and sends its calls to. */
  node: string;
  /** Asked for when it registers, s. */
  expiresS: number;
  /** 0 to 1; undefined: none is given. */
  q?: number;
  /** Registers at this time, ms; negative: never. */
  registerAtMs: number;
  answer: AnswerSpec;
  /** A phone that sends damaged messages of its own: of 1,000, so many. Its calls are not expected to work. */
  hostilePerMille: number;
}

/** A call that somebody places. */
export interface CallSpec {
  /** ms since the beginning. */
  atMs: number;
  /** Name of the phone. */
  from: string;
  /** Number that is dialled. */
  to: string;
  /** From the answer to the caller's BYE, ms. */
  holdMs: number;
  /** The callee sends BYE this long after its answer; undefined: it leaves that to the caller. */
  calleeByeMs?: number;
  /** CANCEL this long after the INVITE, unless there is a final response; undefined: never. */
  cancelMs?: number;
  /** Re-INVITE (hold and resume in turns) of the caller, of the callee, this long after the answer. */
  reinviteMs?: number;
  calleeReinviteMs?: number;
  /** The caller's first ACK to the 2xx is lost on purpose (sent only when the 2xx comes again). */
  loseAck?: boolean;
}

/** A fault, or an act of an operator. `ms`: how long it lasts. */
export type FaultSpec = { atMs: number } & (
  | {
      kind: 'crash';
      node: string;
      ms: number /** The node comes back with the memory it had. */;
      keepsMemory: boolean;
    }
  | { kind: 'pause'; node: string; ms: number }
  | { kind: 'clock-jump'; node: string /** Negative: back. */; byMs: number }
  | { kind: 'clock-rate'; node: string; ms: number /** 1: as it should be. */; rate: number }
  | { kind: 'reload'; node: string }
  | { kind: 'drain'; node: string; ms: number }
  | { kind: 'media-crash'; node: string; ms: number }
  /** From one host to another; both ways when `twoWay`. */
  | { kind: 'cut'; from: string; to: string; ms: number; twoWay: boolean }
  | { kind: 'slow'; from: string; to: string; ms: number; spec: LinkSpec }
  /** The phone is switched off, without a word. */
  | { kind: 'vanish'; phone: string; ms: number }
  /** The phone gets another address and registers from there. */
  | { kind: 'move'; phone: string; ip: string; port: number }
  /** The operator ends a call that is up, the `nth` in the order of their beginning. */
  | { kind: 'hangup'; node: string; nth: number }
);

export type FaultKind = FaultSpec['kind'];
