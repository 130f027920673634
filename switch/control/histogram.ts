/** Latency histogram with fixed buckets: observing costs a search in a small array and no allocation. */

/** Upper bounds in µs: fine where the budgets are, 1 µs to 1 s. */
export const LATENCY_BOUNDS_US: readonly number[] = [
  1, 2, 5, 10, 20, 50, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000,
  500_000, 1_000_000,
];

/** What a histogram holds, for export. */
export interface HistogramSnapshot {
  /** Upper bounds, ascending, µs. */
  boundsUs: readonly number[];
  /** Observations per bucket, not cumulative; one more than bounds, the last for what is above all. */
  counts: ArrayLike<number>;
  sumUs: number;
}

/** Durations of one stage. */
export class LatencyHistogram {
  readonly #budgetUs: number;
  readonly #counts = new Float64Array(LATENCY_BOUNDS_US.length + 1);
  #sumUs = 0;
  /** Observations above the budget. */
  breaches = 0;

  constructor(budgetUs: number) {
    this.#budgetUs = budgetUs;
  }

  /** Counts one duration. */
  observe(us: number): void {
    let bucket = 0;
    while (bucket < LATENCY_BOUNDS_US.length && us > LATENCY_BOUNDS_US[bucket]!) bucket++;
    this.#counts[bucket]! += 1;
    this.#sumUs += us;
    if (us > this.#budgetUs) this.breaches++;
  }

  snapshot(): HistogramSnapshot {
    return { boundsUs: LATENCY_BOUNDS_US, counts: this.#counts, sumUs: this.#sumUs };
  }
}
