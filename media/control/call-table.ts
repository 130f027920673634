/** The calls of the process, by name. Bounded; a call that could not be set up leaves nothing behind. */
import type { LegStats } from '../protocol.ts';
import { SdpError } from '../sdp/error.ts';
import { type Bodies, Call, type SdpInput } from './call.ts';
import { type Endpoint, type Engine, MediaFull } from './engine.ts';
import type { Offers } from './offers.ts';

/** Calls that are remembered after their end. */
const ENDED_MAX = 4_096;
/** Calls that are closed at the same time when they are many. */
const CLOSED_AT_ONCE = 64;

/** Answer to a body: the bodies instead, or a SIP status to refuse with. */
export type SdpOutcome =
  | { status: 200; bodies: Bodies }
  | { status: 400 | 488 | 500 | 503; reason: string; error?: Error };

/** Calls by their name `slot.generation`. */
export class CallTable {
  readonly #engine: Engine;
  readonly #callsMax: number;
  readonly #offers: Offers | null;
  readonly #calls = new Map<string, Call>();
  /** Calls that were closed last, oldest first. */
  readonly #ended = new Set<string>();

  /** @param offers null: legs are offered nothing by the switch itself */
  constructor(engine: Engine, callsMax: number, offers: Offers | null = null) {
    this.#offers = offers;
    this.#engine = engine;
    this.#callsMax = callsMax;
  }

  get size(): number {
    return this.#calls.size;
  }

  entries(): IterableIterator<[string, Call]> {
    return this.#calls.entries();
  }

  /** Ports and transports of all calls. */
  *endpoints(): Generator<Endpoint> {
    for (const call of this.#calls.values()) yield* call.endpoints;
  }

  async sdp(id: string, input: SdpInput): Promise<SdpOutcome> {
    let call = this.#calls.get(id);
    if (!call) {
      if (this.#ended.has(id)) return { status: 488, reason: 'the call has ended' };
      if (this.#calls.size >= this.#callsMax) return { status: 503, reason: 'too many calls' };
      call = new Call(this.#engine, (leg, sdp) => this.#offers?.add(id, leg, sdp));
      this.#calls.set(id, call);
    }
    try {
      return { status: 200, bodies: await call.sdp(input) };
    } catch (error) {
      if (call.isEmpty && this.#calls.get(id) === call) await this.#remove(id);
      return refusal(error as Error);
    }
  }

  /** What became of an offer to a leg. @throws SdpError */
  async offered(id: string, leg: number, offer: number, status: number, sdp: string): Promise<void> {
    if (!this.#offers?.settle(id, leg, offer, status)) return;
    if (status >= 200 && status < 300) await this.#calls.get(id)?.offered(leg, sdp);
  }

  async closeLeg(id: string, leg: number): Promise<void> {
    await this.#calls.get(id)?.closeLeg(leg);
  }

  /**
   * Does nothing when there is no such call: it may have been closed before. The name is not used again, so what is
   * still under way for it, such as a repeated 200, does not open it anew.
   */
  async close(id: string): Promise<void> {
    this.#ended.add(id);
    if (this.#ended.size > ENDED_MAX) this.#ended.delete(this.#ended.values().next().value!);
    await this.#remove(id);
  }

  async #remove(id: string): Promise<void> {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (call) await this.#end(id, call);
  }

  async #end(id: string, call: Call): Promise<void> {
    this.#offers?.drop(id, call.legs);
    await call.close();
  }

  /** Whether there is or was such a call, as far as it is remembered. */
  knows(id: string): boolean {
    return this.#calls.has(id) || this.#ended.has(id);
  }

  /**
   * For a node that has become active: closes the calls that it doesn't know. At once their names, ended ones too, are free to be
   * given again; resolves when the calls are closed, some at a time, so that answers to nodes don't wait for that.
   */
  async keep(known: ReadonlySet<string>): Promise<void> {
    const unknown = [...this.#calls].filter(([id]) => !known.has(id));
    for (const [id] of unknown) this.#calls.delete(id);
    for (const id of this.#ended) if (!known.has(id)) this.#ended.delete(id);
    for (let i = 0; i < unknown.length; i += CLOSED_AT_ONCE) {
      await Promise.all(unknown.slice(i, i + CLOSED_AT_ONCE).map(([id, call]) => this.#end(id, call)));
    }
  }

  async closeAll(): Promise<void> {
    await this.keep(new Set());
  }

  /** Empty when there is no such call. */
  async stats(id: string): Promise<LegStats[]> {
    return (await this.#calls.get(id)?.stats()) ?? [];
  }
}

function refusal(error: Error): SdpOutcome {
  if (error instanceof SdpError) return { status: error.status, reason: error.message };
  if (error instanceof MediaFull) return { status: 503, reason: error.message };
  return { status: 500, reason: error.message, error };
}
