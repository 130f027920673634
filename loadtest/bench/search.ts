/** The search for the highest rate that still works, on a grid, in few steps. */

export interface SearchOptions {
  /** First rate that is tried; a multiple of `grid`. */
  from: number;
  /** Highest rate that is tried. */
  max: number;
  /** Rates are multiples of this. */
  grid: number;
}

export interface SearchResult {
  /** Highest rate that passed, 0 when none did. */
  passed: number;
  /** Lowest rate above it that failed; undefined when `max` passed. */
  failed?: number;
}

/**
 * Doubles the rate until one fails, then halves the gap until it is one grid step wide. Takes for granted that what
 * fails at a rate fails at every higher one.
 *
 * @param passes  whether a rate works
 */
export async function highestRate(
  { from, max, grid }: SearchOptions,
  passes: (rate: number) => Promise<boolean>,
): Promise<SearchResult> {
  let passed = 0;
  let failed: number | undefined;
  for (let rate = from; failed === undefined && passed < max; rate = Math.min(rate * 2, max)) {
    if (await passes(rate)) passed = rate;
    else failed = rate;
  }
  while (failed !== undefined && failed - passed > grid) {
    const middle = passed + Math.max(Math.floor((failed - passed) / 2 / grid), 1) * grid;
    if (await passes(middle)) passed = middle;
    else failed = middle;
  }
  return failed === undefined ? { passed } : { passed, failed };
}
