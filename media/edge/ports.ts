/**
 * The port pairs of plain legs: RTP on the even port, RTCP on the next one (RFC 3550 11). A pair that was given back
 * goes to the end of the queue, so that late packets of an ended call don't meet a new one; the order is
 * random from the start, so that ports can't be foretold.
 */
import { randomInt } from 'node:crypto';

export class PortPool {
  readonly #pairs: Uint16Array;
  #head = 0;
  #free: number;

  /**
   * @param min first port, 1 to 65,535; an odd one is skipped
   * @param max last port; each pair lies between the two, inclusive
   * @throws RangeError when there is not one pair
   */
  constructor(min: number, max: number) {
    const first = min + (min & 1);
    const count = Math.floor((max - first + 1) / 2);
    if (!(Number.isInteger(min) && Number.isInteger(max) && min >= 1 && max <= 65_535 && count >= 1)) {
      throw new RangeError(`UDP ports ${min} to ${max} hold no pair`);
    }
    this.#pairs = Uint16Array.from({ length: count }, (_, i) => first + 2 * i);
    this.#free = count;
    for (let i = count - 1; i > 0; i--) this.#swap(i, randomInt(i + 1));
  }

  get size(): number {
    return this.#pairs.length;
  }

  get free(): number {
    return this.#free;
  }

  /** The RTP port of the pair that was free for longest, or null when all are taken. */
  take(): number | null {
    if (this.#free === 0) return null;
    const port = this.#pairs[this.#head]!;
    this.#head = (this.#head + 1) % this.#pairs.length;
    this.#free--;
    return port;
  }

  /** Takes a certain RTP port; false when it is not free. */
  takeThis(port: number): boolean {
    for (let i = 0; i < this.#free; i++) {
      const at = (this.#head + i) % this.#pairs.length;
      if (this.#pairs[at] !== port) continue;
      this.#swap(at, this.#head);
      return this.take() === port;
    }
    return false;
  }

  /** Gives back what `take` returned. */
  give(port: number): void {
    if (this.#free === this.#pairs.length) throw new Error(`port ${port} was not taken`);
    this.#pairs[(this.#head + this.#free) % this.#pairs.length] = port;
    this.#free++;
  }

  #swap(i: number, j: number): void {
    const port = this.#pairs[i]!;
    this.#pairs[i] = this.#pairs[j]!;
    this.#pairs[j] = port;
  }
}
