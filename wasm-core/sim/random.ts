/**
 * Pseudo-random numbers: xoroshiro128+ (Blackman and Vigna), one stream for each name. A part of a simulation draws from the
 * stream of its own name, so that leaving out another part changes nothing for it (shrinking relies on that).
 */
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** First outputs of a stream, which still show how it was seeded. */
const SKIPPED = 8;
const HEX = '0123456789abcdef';

/** 32 bits of a seed (any integer up to 2^53) and a name: FNV-1a, then the finalizer of MurmurHash3. */
function mix(seed: number, name: string): number {
  let hash = 0x811c9dc5;
  const step = (byte: number) => {
    hash = Math.imul(hash ^ byte, 0x01000193);
  };
  for (let rest = seed, i = 0; i < 7; i++, rest = Math.floor(rest / 256)) step(rest % 256);
  for (let i = 0; i < name.length; i++) step(name.charCodeAt(i) & 255);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

export class Random {
  readonly #generator: { next(): number };

  /**
   * @param seed  0 to 2^53 - 1
   * @param name  of the stream, ASCII
   */
  constructor(seed: number, name: string) {
    this.#generator = xoroshiro128plus(mix(seed, name));
    for (let i = 0; i < SKIPPED; i++) this.#generator.next();
  }

  /** 0 to 2^32 - 1. */
  word(): number {
    return this.#generator.next() >>> 0;
  }

  /** 0 to 1, without 1. */
  fraction(): number {
    return this.word() / 0x1_0000_0000;
  }

  /** A whole number from 0 to `n` - 1. */
  below(n: number): number {
    return Math.floor(this.fraction() * n);
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True in `perMille` of 1,000 cases. */
  chance(perMille: number): boolean {
    return perMille > 0 && this.fraction() * 1_000 < perMille;
  }

  pick<T>(list: readonly T[]): T {
    const item = list[this.below(list.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** `digits` hexadecimal digits. */
  hex(digits: number): string {
    let text = '';
    for (let i = 0; i < digits; i++) text += HEX[this.word() >>> 28];
    return text;
  }
}
