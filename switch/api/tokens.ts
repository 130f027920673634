/** API tokens. Only hashes are kept, and every comparison takes the same time whatever is presented. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { TokenEntry } from '../control/config/schema.ts';

interface StoredToken {
  name: string;
  hash: Buffer;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The tokens of a configuration. */
export class Tokens {
  readonly #tokens: StoredToken[];

  /**
   * @param entries from the configuration.
   * @param generated the token that `generate: true` stands for, '' = none was made.
   */
  constructor(entries: readonly TokenEntry[], generated: string) {
    this.#tokens = entries.flatMap((entry): StoredToken[] => {
      if (entry.sha256 !== undefined) return [{ name: entry.name, hash: Buffer.from(entry.sha256, 'hex') }];
      const text = entry.generate ? generated : (entry.token ?? '');
      return text === '' ? [] : [{ name: entry.name, hash: sha256(text) }];
    });
  }

  /** Name of the token presented, or null when it is none of ours. */
  identify(presented: string): string | null {
    if (presented === '') return null;
    const hash = sha256(presented);
    let name: string | null = null;
    for (const token of this.#tokens) if (timingSafeEqual(token.hash, hash)) name = token.name;
    return name;
  }
}
