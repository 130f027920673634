/** When to try again after a failure: exponential, bounded, and spread so that thousands of pages don't come at once. */
export interface BackoffOptions {
  /** Upper limit of the first wait, ms. */
  baseMs: number;
  /** Upper limit of any wait, ms. */
  maxMs: number;
}

/** Shorter than RFC 5626 4.5 advises for phones: a person is looking, and the flow is usually back at once. */
export const DEFAULT_BACKOFF: BackoffOptions = { baseMs: 1_000, maxMs: 30_000 };

/**
 * How long to wait before the next attempt: uniformly between half and all of min(max, base · 2^failures), the
 * formula of RFC 5626 4.5.
 *
 * @param failures attempts that failed in a row before this one; 0 right after the connection was lost
 * @param random uniform in [0, 1)
 * @returns milliseconds
 */
export function backoffMs(
  failures: number,
  random: number,
  options: BackoffOptions = DEFAULT_BACKOFF,
): number {
  const limitMs = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(failures, 30));
  return Math.round(limitMs * (0.5 + random / 2));
}
