/**
 * What a node has received and sent, as checkers need it: the requests that it may still answer or forward, by what tells them apart.
 * One for all checkers of a simulation.
 */
import type { Arrival } from '../network.ts';
import type { SimNode } from '../node.ts';
import type { Packet } from '../packet.ts';
import { parameter, type SipMessage } from '../sip/message.ts';

/** How our branches begin (wasm-core/assembly/identity.ts). */
export const OUR_BRANCH = 'z9hG4bK-s.';
/** Requests that are remembered by each node; far more than can be under way. */
const REQUESTS_MAX = 20_000;
/** Different messages with the same Call-ID, CSeq and method that are remembered. */
const VARIANTS_MAX = 64;

/** Requests with the same Call-ID, CSeq number and method: normally one and its repetitions. */
export interface Received {
  /** Different ones, the first ones first; hostile phones send several. */
  variants: SipMessage[];
  /** Addresses that they came from. */
  ips: Set<number>;
}

/** Name of the transaction that a message belongs to, as all hops see it. */
export function keyOf(message: SipMessage): string {
  return `${message.callId} ${message.header('cseq').replace(/\s+/g, ' ')}`;
}

/** Whether a Via, Route or Record-Route value is one of that node. */
export function isOf(node: SimNode, value: string): boolean {
  return value.includes(node.spec.ip);
}

const CALL_ID = /^(?:call-id|i)[ \t]*:[ \t]*(\S+)/gim;
const decoder = new TextDecoder();

export class Traffic {
  readonly #requests = new Map<string, Map<string, Received>>();
  /** The message that the core of a node is dealing with; undefined: a timer or another event. */
  current: Arrival | undefined;

  /** Call-IDs in which a phone that sends damaged messages has had a say. */
  readonly #tainted = new Set<string>();
  readonly #hostile: ReadonlySet<number>;
  /** Call-IDs since the last time that time broke. */
  readonly #recent = new Set<string>();
  readonly #untimely = new Set<string>();

  /** @param hostile  addresses of phones that send damaged messages */
  constructor(hostile: ReadonlySet<number>) {
    this.#hostile = hostile;
  }

  get hasHostile(): boolean {
    return this.#hostile.size > 0;
  }

  /** Whether a hostile phone has had a say in a call: then only the rules that protect others hold. */
  isTainted(callId: string): boolean {
    return this.#tainted.has(callId);
  }

  /**
   * Whether a node or a phone lost its memory while the call went on, or a node's clock jumped: timers end at once or never then, and
   * what is late is new.
   */
  isUntimely(callId: string): boolean {
    return this.#untimely.has(callId);
  }

  /** A node or a phone loses its memory, or a clock jumps. */
  timeBreaks(): void {
    for (const callId of this.#recent) this.#untimely.add(callId);
    this.#recent.clear();
  }

  received(node: SimNode, arrival: Arrival): void {
    this.current = arrival;
    if (arrival.packet.sip !== null) this.#recent.add(arrival.packet.sip.callId);
    const message = arrival.packet.sip;
    if (this.#hostile.has(arrival.fromIp)) this.#taint(arrival.packet);
    if (message === null || !message.isRequest) return;
    const requests = this.#of(node);
    const key = keyOf(message);
    let received = requests.get(key);
    if (received === undefined) {
      received = { variants: [], ips: new Set() };
      requests.set(key, received);
      if (requests.size > REQUESTS_MAX) requests.delete(requests.keys().next().value!);
    }
    received.ips.add(arrival.fromIp);
    if (received.variants.length < VARIANTS_MAX && !received.variants.includes(message))
      received.variants.push(message);
  }

  /** The core may find a Call-ID where this reader finds no message. */
  #taint(packet: Packet): void {
    if (packet.sip !== null) this.#tainted.add(packet.sip.callId);
    for (const [, callId] of decoder.decode(packet.bytes).matchAll(CALL_ID)) this.#tainted.add(callId!);
  }

  stepped(): void {
    this.current = undefined;
  }

  /** The requests that a message which a node sends may come from. */
  find(node: SimNode, message: SipMessage): Received | undefined {
    return this.#of(node).get(keyOf(message));
  }

  #of(node: SimNode): Map<string, Received> {
    let requests = this.#requests.get(node.name);
    if (requests === undefined) {
      requests = new Map();
      this.#requests.set(node.name, requests);
    }
    return requests;
  }
}

/** What of a message a node sends: made itself, or passed on. */
export type Origin = 'own' | 'forwarded';

/** A request with one Via is the node's own; a response, when the node is not dealing with a response. */
export function originOf(message: SipMessage, current: Arrival | undefined): Origin {
  if (message.isRequest) return message.headers('via').length === 1 ? 'own' : 'forwarded';
  const cause = current?.packet.sip;
  return cause !== null && cause !== undefined && !cause.isRequest ? 'forwarded' : 'own';
}

/** Branch of a Via. */
export function branchOf(via: string): string {
  return parameter(via, 'branch');
}

/** First line, for reports. */
export function firstLine(packet: Packet): string {
  const end = packet.bytes.indexOf(13);
  return new TextDecoder().decode(packet.bytes.subarray(0, Math.min(end < 0 ? 80 : end, 120)));
}
