/**
 * Which bodies of a call are offers and which are answers, and to what (RFC 3264, RFC 6337 section 2). The switch
 * passes on only messages with SDP and no failures, so an offer can stay without an answer for ever: a later one
 * takes its place, and nothing of the media changes before an answer.
 */
import type { SdpRequest, SdpVariant } from '../protocol.ts';
import type { RemoteDescription } from '../sdp/description.ts';

/** Leg number in the place of the callee while an initial INVITE may fork. */
export const LEG_ANY = 255;
/** Exchanges of a call that are remembered, so that repetitions get the same answer. */
const EXCHANGES_MAX = 8;

/** What an exchange needs to know of a message with SDP. */
export type SdpMessage = Pick<SdpRequest, 'leg' | 'targetLeg' | 'method' | 'cseq' | 'status' | 'sdp'>;

/** An answer that was given. */
export interface Answer {
  sdp: string;
  /** Method and CSeq of the message that it came in. */
  method: string;
  cseq: number;
  /** The body that went to the offerer. */
  body: string;
  /** It has not come in a provisional response. */
  final: boolean;
}

/** An offer, and the answers to it. */
export interface Exchange {
  offerer: number;
  /** Leg that is to answer, or LEG_ANY. */
  target: number;
  method: string;
  cseq: number;
  /** The offer came in a response, so the answer comes in a request: ACK or PRACK. */
  inResponse: boolean;
  sdp: string;
  offer: RemoteDescription;
  /** Bodies that went out as offers. */
  bodies: Partial<Record<SdpVariant, string>>;
  /** By leg: several callees may answer an INVITE that forks. */
  answers: Map<number, Answer>;
}

/** An exchange as JSON. */
export type ExchangeState = Omit<Exchange, 'answers'> & { answers: [number, Answer][] };

/** The last exchanges of a call. */
export class ExchangeLog {
  /** Oldest first. */
  readonly #exchanges: Exchange[] = [];

  /** As JSON; `restore` reads it. */
  get state(): ExchangeState[] {
    return this.#exchanges.map((exchange) => ({ ...exchange, answers: [...exchange.answers] }));
  }

  static restore(state: readonly ExchangeState[]): ExchangeLog {
    const log = new ExchangeLog();
    for (const one of state) log.#exchanges.push({ ...one, answers: new Map(one.answers) });
    return log;
  }

  /** The newest exchange that has an answer. */
  get current(): Exchange | undefined {
    return this.#exchanges.findLast((exchange) => exchange.answers.size > 0);
  }

  /** The exchange that this message answers. */
  answeredBy(message: SdpMessage): Exchange | undefined {
    return this.#exchanges.findLast((exchange) => answers(message, exchange));
  }

  /** The exchange that this message, an offer, has begun before. */
  begunBy(message: SdpMessage): Exchange | undefined {
    return this.#exchanges.findLast(
      (exchange) =>
        exchange.offerer === message.leg &&
        exchange.target === message.targetLeg &&
        exchange.method === message.method &&
        exchange.cseq === message.cseq &&
        exchange.inResponse === message.status > 0 &&
        exchange.sdp === message.sdp,
    );
  }

  begin(message: SdpMessage, offer: RemoteDescription): Exchange {
    const exchange: Exchange = {
      offerer: message.leg,
      target: message.targetLeg,
      method: message.method,
      cseq: message.cseq,
      inResponse: message.status > 0,
      sdp: message.sdp,
      offer,
      bodies: {},
      answers: new Map(),
    };
    this.#exchanges.push(exchange);
    if (this.#exchanges.length > EXCHANGES_MAX) this.#exchanges.shift();
    return exchange;
  }
}

function answers(message: SdpMessage, exchange: Exchange): boolean {
  if (message.leg === exchange.offerer) return false;
  if (exchange.target !== LEG_ANY && exchange.target !== message.leg) return false;
  if (!exchange.inResponse) {
    return message.status > 0 && message.method === exchange.method && message.cseq === exchange.cseq;
  }
  if (message.status > 0 || exchange.method !== 'INVITE') return false;
  // An ACK has the number of its INVITE (RFC 3261 13.2.2.4); a PRACK has its own (RFC 3262 7.2).
  if (message.method === 'ACK') return message.cseq === exchange.cseq;
  if (message.method !== 'PRACK') return false;
  const known = exchange.answers.get(message.leg);
  return known === undefined || (known.method === 'PRACK' && known.cseq === message.cseq);
}
