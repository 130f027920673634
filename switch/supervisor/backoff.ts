/** When to start a process again that has died: soon at first, then more and more slowly, and not for ever. */

/** How patient to be. */
export interface BackoffOptions {
  firstMs: number;
  maxMs: number;
  /** Having run this long, a process counts as healthy and the next restart is quick again. */
  healthyMs: number;
  /** Deaths in a row without health after which to give up. */
  attemptsMax: number;
}

/** Twenty attempts, at most 5 s apart. */
export const DEFAULT_BACKOFF: BackoffOptions = {
  firstMs: 100,
  maxMs: 5_000,
  healthyMs: 30_000,
  attemptsMax: 20,
};

/** Counts the deaths of one process. */
export class Backoff {
  readonly #options: BackoffOptions;
  #attempts = 0;

  constructor(options: BackoffOptions = DEFAULT_BACKOFF) {
    this.#options = options;
  }

  /**
   * @param ranMs how long the process had run.
   * @returns how long to wait before the next start, or null to give up.
   */
  next(ranMs: number): number | null {
    const { firstMs, maxMs, healthyMs, attemptsMax } = this.#options;
    if (ranMs >= healthyMs) this.#attempts = 0;
    if (this.#attempts >= attemptsMax) return null;
    return Math.min(maxMs, firstMs * 2 ** this.#attempts++);
  }
}
