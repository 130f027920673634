/** Branches, tags and Call-IDs of a phone: unique by their counters, and such that the phone knows its own again. */
import type { Random } from '../random.ts';

export class Identifiers {
  readonly #random: Random;
  readonly #branchPrefix: string;
  readonly #tagPrefix: string;
  readonly #callIdPrefix: string;
  readonly #host: string;
  #branches = 0;
  #tags = 0;
  #callIds = 0;

  /** @param name  of the phone: letters and digits */
  constructor(name: string, random: Random) {
    this.#random = random;
    this.#branchPrefix = `z9hG4bK${name}-`;
    this.#tagPrefix = `${name}-`;
    this.#callIdPrefix = `${name}-`;
    this.#host = random.chance(500) ? `@${name}.invalid` : '';
  }

  branch(): string {
    return `${this.#branchPrefix}${this.#number(++this.#branches)}`;
  }

  tag(): string {
    return `${this.#tagPrefix}${this.#number(++this.#tags)}`;
  }

  callId(): string {
    return `${this.#callIdPrefix}${this.#number(++this.#callIds)}${this.#host}`;
  }

  isOwnBranch(branch: string): boolean {
    return branch.startsWith(this.#branchPrefix);
  }

  isOwnTag(tag: string): boolean {
    return tag.startsWith(this.#tagPrefix);
  }

  #number(count: number): string {
    return `${count}-${this.#random.word().toString(36)}`;
  }
}
