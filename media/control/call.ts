/**
 * One call: its legs, the offers and answers between them, and what media follows from these. All that the call is
 * asked happens in order, one at a time, as each step reads what the one before has left.
 */
import { isIP } from 'node:net';
import type { LegStats, SdpRequest, SdpVariant } from '../protocol.ts';
import { assignPayloadTypes, type CodecKey } from '../sdp/codec.ts';
import type { RemoteAudio, RemoteDescription } from '../sdp/description.ts';
import { directionOf } from '../sdp/direction.ts';
import { SdpError } from '../sdp/error.ts';
import { parseSdp } from '../sdp/parse.ts';
import { type Agreement, agree, codecsToOffer, type PartyCodecs, type RouterPts } from './agreement.ts';
import type { BridgeEnd, CallMedia, Endpoint, Engine, Flow } from './engine.ts';
import { type Exchange, ExchangeLog, type ExchangeState, LEG_ANY } from './exchange.ts';
import { legStats } from './quality.ts';
import { type AudioTerms, Side, type SideState } from './side.ts';

/** A body that came in, as the node sends it. */
export type SdpInput = Omit<SdpRequest, 'op' | 'id' | 'epoch' | 'call'>;
/** Bodies that go out, by the variant that was asked for. */
export type Bodies = Partial<Record<SdpVariant, string>>;

/** A call as JSON; sides by their place in `all`. */
export interface CallState {
  exchanges: ExchangeState[];
  all: SideState[];
  sides: [leg: number, side: number][];
  forks: number[];
  pair: number[];
  sources: [leg: number, address: string][];
  pts: [CodecKey, number][] | null;
  winner: number | null;
  isAnswered: boolean;
}

/** Legs of a call at most; the core has fewer branches. */
export const LEGS_MAX = 64;

/** All that is known of one call; `close` ends it for good. */
export class Call {
  readonly #engine: Engine;
  readonly #toOffer: (leg: number, sdp: string) => void;
  #exchanges = new ExchangeLog();
  /** Sides whose party is known: the caller, and the callee that has answered. */
  readonly #sides = new Map<number, Side>();
  /** Sides that an initial INVITE offered to whoever answers first, one of each variant. */
  readonly #forks = new Map<SdpVariant, Side>();
  /** Where each leg's signalling comes from. */
  readonly #sources = new Map<number, string>();
  #pts: RouterPts | null = null;
  #media: CallMedia | null = null;
  /** Callee whose final answer came first. */
  #winner: number | null = null;
  #answered = false;
  /** The two that hear each other. */
  #pair: [Side, Side] | null = null;
  #closed = false;
  #last: Promise<unknown> = Promise.resolve();

  /** @param toOffer is told what the switch has to offer a leg by itself */
  constructor(engine: Engine, toOffer: (leg: number, sdp: string) => void = () => undefined) {
    this.#engine = engine;
    this.#toOffer = toOffer;
  }

  /** All that `restore` needs, as JSON. */
  get state(): CallState {
    const sides = [...this.#sides].map(([leg, side]): [number, Side] => [leg, side]);
    const forks = [...this.#forks.values()];
    const all = [...new Set([...sides.map(([, side]) => side), ...forks])];
    return {
      exchanges: this.#exchanges.state,
      all: all.map((side) => side.state),
      sides: sides.map(([leg, side]) => [leg, all.indexOf(side)]),
      forks: forks.map((side) => all.indexOf(side)),
      pair: (this.#pair ?? []).map((side) => all.indexOf(side)).filter((i) => i >= 0),
      sources: [...this.#sources],
      pts: this.#pts && [...this.#pts],
      winner: this.#winner,
      isAnswered: this.#answered,
    };
  }

  /**
   * The call as it was before the process was started again: plain legs have their ports back and go on, browsers' are offered
   * other transports. @throws when a port is taken
   */
  restore(state: CallState): Promise<void> {
    return this.#inOrder(async () => {
      this.#exchanges = ExchangeLog.restore(state.exchanges);
      for (const [leg, source] of state.sources) this.#sources.set(leg, source);
      this.#winner = state.winner;
      this.#answered = state.isAnswered;
      if (state.pts === null) return;
      this.#pts = new Map(state.pts);
      const media = this.#openMedia();
      const all: Side[] = [];
      for (const side of state.all) all.push(Side.restore(await media.reopen(side), side));
      for (const [leg, i] of state.sides) this.#sides.set(leg, all[i]!);
      for (const i of state.forks) this.#forks.set(all[i]!.variant, all[i]!);
      const [a, b] = state.pair.map((i) => all[i]!);
      if (a && b) {
        this.#pair = [a, b];
        await media.bridge({ endpoint: a.endpoint, flow: a.flow }, { endpoint: b.endpoint, flow: b.flow });
      }
      const browsers = all.filter(({ variant }) => variant === 'webrtc').map(({ endpoint }) => endpoint);
      this.#replaced(browsers);
    });
  }

  /** Nothing was set up for it. */
  get isEmpty(): boolean {
    return this.#sides.size === 0 && this.#forks.size === 0;
  }

  /** Two parties have agreed on something, if only on early media. */
  get isConnected(): boolean {
    return this.#exchanges.current !== undefined;
  }

  /** Some final answer has come. */
  get isAnswered(): boolean {
    return this.#answered;
  }

  /** A party has said that it doesn't want to send or hear. */
  get isHeld(): boolean {
    return [...this.#sides.values()].some((side) => isHeld(side.flow));
  }

  /** Ports and transports that it has. */
  get endpoints(): Endpoint[] {
    return [...this.#sides.values(), ...this.#forks.values()].map((side) => side.endpoint);
  }

  /**
   * Takes a body that came from a leg.
   * @returns the bodies to send instead, by variant.
   * @throws SdpError when it is to be refused, MediaFull when there are no ports.
   */
  sdp(input: SdpInput): Promise<Bodies> {
    return this.#inOrder(async () => {
      if (this.#closed) throw new Error('the call was closed');
      if (this.#sources.size >= LEGS_MAX && !this.#sources.has(input.leg))
        throw new SdpError(488, 'too many legs');
      this.#sources.set(input.leg, input.source);
      const exchange = this.#exchanges.answeredBy(input);
      return exchange ? await this.#answer(exchange, input) : await this.#offer(input);
    });
  }

  /** Legs that may have been offered something. */
  get legs(): Iterable<number> {
    return this.#sides.keys();
  }

  /** A leg has answered an offer of the switch itself. @throws SdpError */
  offered(leg: number, sdp: string): Promise<void> {
    return this.#inOrder(async () => {
      const side = this.#sides.get(leg);
      const { audio } = parseSdp(sdp);
      if (!side?.flow || audio?.variant !== side.variant) return;
      side.flow = { ...side.flow, remote: audio };
      await this.#media!.change(side.endpoint, side.flow);
    });
  }

  /** A callee will not answer. */
  closeLeg(leg: number): Promise<void> {
    return this.#inOrder(async () => {
      for (const fork of this.#forks.values()) {
        if (fork.leg !== leg) continue;
        fork.leg = null;
        fork.flow = null;
        await this.#media?.silence(fork.endpoint);
      }
      const side = this.#sides.get(leg);
      if (side) {
        this.#sides.delete(leg);
        await this.#media?.release(side.endpoint);
      }
    });
  }

  close(): Promise<void> {
    return this.#inOrder(async () => {
      this.#closed = true;
      this.#sides.clear();
      this.#forks.clear();
      await this.#media?.close();
    });
  }

  /** The parties that have agreed on something. */
  async stats(): Promise<LegStats[]> {
    const known = [...this.#sides.entries()];
    for (const fork of this.#forks.values()) if (fork.leg !== null) known.push([fork.leg, fork]);
    return await Promise.all(
      known.map(async ([leg, side]) =>
        legStats(leg, side.variant, side.flow, isHeld(side.flow), await side.endpoint.stats()),
      ),
    );
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #offer(input: SdpInput): Promise<Bodies> {
    const begun = this.#exchanges.begunBy(input);
    const offer = begun?.offer ?? parseSdp(input.sdp);
    const audio = usableAudio(offer);
    this.#pts ??= assignPayloadTypes(audio.codecs);
    const { direction, ptime, maxptime } = audio;
    const terms = { codecs: codecsToOffer(audio, this.#pts), direction, ptime, maxptime };
    const exchange = begun ?? this.#exchanges.begin(input, offer);
    const [, ...targets] = await Promise.all([
      this.#offererSide(input.leg, audio.variant),
      ...input.targetVariants.map((variant) => this.#targetSide(input.targetLeg, variant)),
    ]);
    const bodies: Bodies = {};
    for (const [i, variant] of input.targetVariants.entries()) {
      bodies[variant] = exchange.bodies[variant] ??= targets[i]!.offer(terms);
    }
    return bodies;
  }

  async #offererSide(leg: number, variant: SdpVariant): Promise<Side> {
    const side = this.#sideOf(leg, variant) ?? (await this.#newSide(variant));
    if (side.variant !== variant) throw new SdpError(488, 'the media profile can not change during a call');
    // During forking the side belongs to all branches of its variant.
    if (this.#forks.get(side.variant) !== side) this.#sides.set(leg, side);
    return side;
  }

  async #targetSide(leg: number, variant: SdpVariant): Promise<Side> {
    const known = this.#sideOf(leg, variant);
    if (known) return known;
    const side = await this.#newSide(variant);
    if (leg === LEG_ANY) this.#forks.set(variant, side);
    else this.#sides.set(leg, side);
    return side;
  }

  /** The side of a leg; before the final answer, the one that its INVITE offered. */
  #sideOf(leg: number, variant: SdpVariant): Side | undefined {
    return this.#sides.get(leg) ?? (leg === 0 ? undefined : this.#forks.get(variant));
  }

  async #newSide(variant: SdpVariant): Promise<Side> {
    return new Side(await this.#openMedia().open(variant), this.#engine.announcedAddress);
  }

  #openMedia(): CallMedia {
    if (this.#media === null) {
      this.#media = this.#engine.openCall(this.#pts!);
      this.#media.onReplaced = (endpoints) => void this.#inOrder(async () => this.#replaced(endpoints));
    }
    return this.#media;
  }

  async #answer(exchange: Exchange, input: SdpInput): Promise<Bodies> {
    const final = input.status === 0 || input.status >= 200;
    const forked = exchange.target === LEG_ANY;
    if (forked && this.#winner !== null && this.#winner !== input.leg) {
      throw new SdpError(488, 'another leg has answered');
    }
    const known = exchange.answers.get(input.leg);
    if (known?.sdp === input.sdp && (known.final || !final)) return bodiesFor(input, known.body);
    const answer = parseSdp(input.sdp);
    const answerer = this.#sideOf(input.leg, answer.audio?.variant ?? input.legVariant);
    const offerer = this.#sideOf(exchange.offerer, exchange.offer.audio!.variant);
    if (!answerer || !offerer) throw new SdpError(488, 'an answer to an offer in another profile');
    const agreement = answer.audio ? agree(exchange.offer.audio!, answer.audio, this.#pts!) : null;
    await offerer.endpoint.prepare(exchange.offer.audio!);
    // An offer that several browsers got can be joined by one: by the first one that answers, if only provisionally.
    const taken = answerer.variant === 'webrtc' && answerer.leg !== null && answerer.leg !== input.leg;
    if (final || !taken) {
      answerer.leg = input.leg;
      await this.#connect(exchange, offerer, answerer, answer.audio, agreement);
    }
    if (final && forked) await this.#win(input.leg, answerer);
    if (final) {
      this.#answered = true;
      if (answerer.isStale) this.#reoffer(input.leg, answerer);
    }
    const body = offerer.answer(exchange.offer, termsOf(answer.audio, agreement));
    const { method, cseq, sdp } = input;
    exchange.answers.set(input.leg, { sdp, method, cseq, body, final });
    return bodiesFor(input, body);
  }

  async #connect(
    exchange: Exchange,
    offerer: Side,
    answerer: Side,
    audio: RemoteAudio | null,
    agreement: Agreement | null,
  ): Promise<void> {
    const ends: [BridgeEnd, BridgeEnd] = [
      { endpoint: offerer.endpoint, flow: null },
      { endpoint: answerer.endpoint, flow: null },
    ];
    if (audio && agreement) {
      const { offererSends, answererSends } = agreement;
      const { audio: offered } = exchange.offer;
      ends[0].flow = this.#flow(exchange.offerer, offered!, agreement.offerer, offererSends, answererSends);
      ends[0].flow.rtcpMux = offered!.rtcpMux;
      ends[1].flow = this.#flow(answerer.leg!, audio, agreement.answerer, answererSends, offererSends);
      ends[1].flow.rtcpMux = answerer.muxesWith(audio);
    }
    await this.#media!.bridge(...ends);
    this.#pair = [offerer, answerer];
    offerer.flow = ends[0].flow;
    answerer.flow = ends[1].flow;
  }

  #flow(leg: number, remote: RemoteAudio, codecs: PartyCodecs, receive: boolean, send: boolean): Flow {
    const vouched = new Set<string>();
    const source = this.#sources.get(leg);
    if (source !== undefined && isIP(source) > 0) vouched.add(source);
    if (remote.address !== null) vouched.add(remote.address);
    return {
      remote,
      vouched: [...vouched],
      rtcpMux: false,
      receive: codecs.receive,
      send: codecs.send,
      receiveEnabled: receive,
      sendEnabled: send,
    };
  }

  /** Those of whom nothing has come yet are told when they answer. */
  #replaced(endpoints: readonly Endpoint[]): void {
    if (this.#closed) return;
    for (const fork of this.#forks.values())
      if (endpoints.includes(fork.endpoint) && fork.wasTold) fork.isStale = true;
    for (const [leg, side] of this.#sides) {
      if (!endpoints.includes(side.endpoint) || !side.wasTold) continue;
      if (side.flow === null) side.isStale = true;
      else this.#reoffer(leg, side);
    }
  }

  #reoffer(leg: number, side: Side): void {
    side.isStale = false;
    const sdp = side.reoffer();
    if (sdp !== null) this.#toOffer(leg, sdp);
  }

  /** The first final answer decides; what was offered in the other variant is given back. */
  async #win(leg: number, side: Side): Promise<void> {
    if (this.#winner !== null) return;
    this.#winner = leg;
    this.#sides.set(leg, side);
    const lost = [...this.#forks.values()].filter((fork) => fork !== side);
    this.#forks.clear();
    await Promise.all(lost.map((fork) => this.#media!.release(fork.endpoint)));
  }
}

function usableAudio(description: RemoteDescription): RemoteAudio {
  if (description.audio === null) throw new SdpError(488, description.unusable);
  return description.audio;
}

function isHeld(flow: Flow | null): boolean {
  return flow !== null && !(flow.receiveEnabled && flow.sendEnabled);
}

/** The answerer's terms as they go to the offerer. */
function termsOf(audio: RemoteAudio | null, agreement: Agreement | null): AudioTerms | null {
  if (audio === null || agreement === null) return null;
  const direction = directionOf(agreement.answererSends, agreement.offererSends);
  return { codecs: agreement.answer, direction, ptime: audio.ptime, maxptime: audio.maxptime };
}

function bodiesFor(input: SdpInput, body: string): Bodies {
  return Object.fromEntries(input.targetVariants.map((variant) => [variant, body]));
}
