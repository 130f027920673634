/** The calls of the process, by name. Bounded; a call that could not be set up leaves nothing behind. */
import type { LegStats } from '../protocol.ts';
import { SdpError } from '../sdp/error.ts';
import { type Bodies, Call, type CallState, type SdpInput } from './call.ts';
import { type Endpoint, type Engine, MediaFull } from './engine.ts';
import type { Offers } from './offers.ts';
import type { CallStore } from './store.ts';

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
  readonly #store: Pick<CallStore, 'put' | 'remove'> | null;
  /** Calls of the process before this one, until a node says which of them there still are. */
  readonly #restored = new Set<string>();
  readonly #calls = new Map<string, Call>();
  /** Calls that were closed last, oldest first. */
  readonly #ended = new Set<string>();

  /**
   * @param offers null: legs are offered nothing by the switch itself
   * @param store  null: nothing is kept for the process after this one
   */
  constructor(
    engine: Engine,
    callsMax: number,
    offers: Offers | null = null,
    store: Pick<CallStore, 'put' | 'remove'> | null = null,
  ) {
    this.#offers = offers;
    this.#store = store;
    this.#engine = engine;
    this.#callsMax = callsMax;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Calls of the process before this one of which no node has said whether there still are. */
  get restored(): number {
    return this.#restored.size;
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
      call = this.#add(id);
    }
    try {
      const bodies = await call.sdp(input);
      this.#keepState(id, call);
      return { status: 200, bodies };
    } catch (error) {
      if (call.isEmpty && this.#calls.get(id) === call) await this.#remove(id);
      return refusal(error as Error);
    }
  }

  #add(id: string): Call {
    const call = new Call(this.#engine, (leg, sdp) => this.#offers?.add(id, leg, sdp));
    this.#calls.set(id, call);
    return call;
  }

  /** For the process after this one. */
  #keepState(id: string, call: Call): void {
    if (this.#calls.get(id) === call) this.#store?.put(id, call.state);
  }

  /** A call of the process before this one. @throws when it can't be built again; then there is no such call */
  async restore(id: string, state: CallState): Promise<void> {
    const call = this.#add(id);
    this.#restored.add(id);
    try {
      await call.restore(state);
    } catch (error) {
      await this.#remove(id);
      throw error;
    }
  }

  /** What became of an offer to a leg. @throws SdpError */
  async offered(id: string, leg: number, offer: number, status: number, sdp: string): Promise<void> {
    if (!this.#offers?.settle(id, leg, offer, status)) return;
    const call = this.#calls.get(id);
    if (!call || status < 200 || status >= 300) return;
    await call.offered(leg, sdp);
    this.#keepState(id, call);
  }

  async closeLeg(id: string, leg: number): Promise<void> {
    const call = this.#calls.get(id);
    if (!call) return;
    await call.closeLeg(leg);
    this.#keepState(id, call);
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
    this.#restored.delete(id);
    this.#store?.remove(id);
    await call.close();
  }

  /** Whether there is or was such a call, as far as it is remembered. */
  knows(id: string): boolean {
    return this.#calls.has(id) || this.#ended.has(id);
  }

  /**
   * For a node that has become active: closes the calls that it doesn't know. At once their names, ended ones too, are free to be
   * given again; resolves when the calls are closed, some at a time, so that answers to nodes don't wait for that.
   * @param restoredOnly closes calls of the process before this one only
   */
  async keep(known: ReadonlySet<string>, restoredOnly = false): Promise<void> {
    const unknown = [...this.#calls].filter(
      ([id]) => !known.has(id) && (!restoredOnly || this.#restored.has(id)),
    );
    this.#restored.clear();
    for (const [id] of unknown) this.#calls.delete(id);
    for (const id of this.#ended) if (!known.has(id) && !restoredOnly) this.#ended.delete(id);
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
