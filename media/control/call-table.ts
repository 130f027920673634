/** The calls of the process, by name. Bounded; a call that could not be set up leaves nothing behind. */
import type { LegStats } from '../protocol.ts';
import { SdpError } from '../sdp/error.ts';
import { type Bodies, Call, type SdpInput } from './call.ts';
import { type Endpoint, type Engine, MediaFull } from './engine.ts';

/** Calls that are remembered after their end. */
const ENDED_MAX = 4_096;

/** Answer to a body: the bodies instead, or a SIP status to refuse with. */
export type SdpOutcome =
  | { status: 200; bodies: Bodies }
  | { status: 400 | 488 | 500 | 503; reason: string; error?: Error };

/** Calls by their name `slot.generation`. */
export class CallTable {
  readonly #engine: Engine;
  readonly #callsMax: number;
  readonly #calls = new Map<string, Call>();
  /** Calls that were closed last, oldest first. */
  readonly #ended = new Set<string>();

  constructor(engine: Engine, callsMax: number) {
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
      call = new Call(this.#engine);
      this.#calls.set(id, call);
    }
    try {
      return { status: 200, bodies: await call.sdp(input) };
    } catch (error) {
      if (call.isEmpty && this.#calls.get(id) === call) await this.#remove(id);
      return refusal(error as Error);
    }
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
    await call?.close();
  }

  /** For a node that has just started: it gives the names of ended calls anew. */
  async closeAll(): Promise<void> {
    await Promise.all([...this.#calls.keys()].map((id) => this.close(id)));
    this.#ended.clear();
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
