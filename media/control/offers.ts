/**
 * Offers that the switch has to make to legs by itself, as these have got another transport (media/protocol.ts OfferEvent). Some are
 * with the active node at a time; each is told again until the node says what became of it. Bounded by the legs of calls.
 */
import { randomInt } from 'node:crypto';
import type { OfferEvent } from '../protocol.ts';

/** Offers that are with the node at a time. */
const TOLD_MAX = 256;
/** An offer is told again after this, ms: its node may have died, or had no room. */
const AGAIN_MS = 2_000;
const ID_MAX = 2 ** 31;
const NEVER = Number.NEGATIVE_INFINITY;

interface Offer extends OfferEvent {
  /** When it was told last. */
  toldMs: number;
}

/** Tells the active node by `emit`; a monotonic clock, ms, is given. */
export class Offers {
  readonly #emit: (event: OfferEvent) => void;
  /** By call and leg, oldest first. */
  readonly #offers = new Map<string, Offer>();
  #timer: NodeJS.Timeout | null = null;
  /** Anywhere, as the ids of the process before this one may still be under way. */
  #lastId = randomInt(ID_MAX);

  constructor(emit: (event: OfferEvent) => void) {
    this.#emit = emit;
  }

  get size(): number {
    return this.#offers.size;
  }

  /** Takes the place of an offer to the same leg. */
  add(call: string, leg: number, sdp: string): void {
    this.#lastId = (this.#lastId + 1) % ID_MAX || 1;
    this.#offers.set(key(call, leg), { event: 'offer', id: this.#lastId, call, leg, sdp, toldMs: NEVER });
    this.#tell();
  }

  /**
   * What became of an offer. One for which there was no room (503) is told again.
   * @returns whether it was waited for, and is settled
   */
  settle(call: string, leg: number, id: number, status: number): boolean {
    const known = this.#offers.get(key(call, leg));
    if (known?.id !== id || status === 503) return false;
    this.#offers.delete(key(call, leg));
    this.#tell();
    return true;
  }

  /** The call has ended. */
  drop(call: string, legs: Iterable<number>): void {
    for (const leg of legs) this.#offers.delete(key(call, leg));
  }

  /** Another connection of a node is the active one's now: it knows of no offers. */
  again(): void {
    for (const offer of this.#offers.values()) offer.toldMs = NEVER;
    this.#tell();
  }

  close(): void {
    this.#offers.clear();
    if (this.#timer) clearTimeout(this.#timer);
  }

  #tell(): void {
    const nowMs = performance.now();
    let told = 0;
    for (const offer of this.#offers.values()) {
      if (++told > TOLD_MAX) break;
      if (nowMs - offer.toldMs < AGAIN_MS) continue;
      offer.toldMs = nowMs;
      const { event, id, call, leg, sdp } = offer;
      this.#emit({ event, id, call, leg, sdp });
    }
    if (this.#offers.size === 0 || this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#tell();
    }, AGAIN_MS);
  }
}

function key(call: string, leg: number): string {
  return `${call}/${leg}`;
}
