/**
 * Latency histograms as HdrHistogram keeps them: buckets of a constant relative width, so that a p99.9 is as exact
 * as a median. Observing costs a few additions and no allocation; the memory may be shared, with one writer.
 *
 * A value in units of 125 ns falls into one of 32 equal parts of its power of two: the error is below 3.2 %.
 */

const UNITS_PER_US = 8;
const PART_BITS = 5;
const PARTS = 1 << PART_BITS;
const VALUE_MAX = 0xffffffff;
const BUCKETS = (32 - PART_BITS + 1) * PARTS;
const SUM = BUCKETS;
const MAX = BUCKETS + 1;
const BREACHES = BUCKETS + 2;

/** f64 values that a histogram takes. */
export const HISTOGRAM_VALUES = BUCKETS + 3;

/** Upper bounds in µs of what /metrics shows: powers of two are edges of buckets, so the counts are exact. */
export const LATENCY_BOUNDS_US: readonly number[] = Array.from({ length: 22 }, (_, i) => 2 ** i);

function bucketOf(us: number): number {
  const scaled = us * UNITS_PER_US;
  const value = scaled >= VALUE_MAX ? VALUE_MAX : scaled > 0 ? scaled >>> 0 : 0;
  if (value < PARTS) return value;
  const exponent = 31 - Math.clz32(value);
  return ((exponent - PART_BITS + 1) << PART_BITS) | ((value >>> (exponent - PART_BITS)) & (PARTS - 1));
}

/** Where bucket `i` ends, µs. */
function endOfUs(i: number): number {
  const row = i >> PART_BITS;
  if (row === 0) return (i + 1) / UNITS_PER_US;
  return (((i & (PARTS - 1)) + PARTS + 1) * 2 ** (row - 1)) / UNITS_PER_US;
}

/** What is left to say about the durations of a stage. */
export interface LatencySummary {
  count: number;
  /** µs; 0 without observations. */
  p50Us: number;
  p99Us: number;
  p999Us: number;
  maxUs: number;
}

/** What a histogram holds, for export. */
export interface HistogramSnapshot {
  /** Upper bounds, ascending, µs. */
  boundsUs: readonly number[];
  /** Observations per bound, not cumulative; one more than bounds, the last for what is above all. */
  counts: ArrayLike<number>;
  sumUs: number;
  summary: LatencySummary;
}

/** Durations of one stage. */
export class LatencyHistogram {
  readonly #budgetUs: number;
  readonly #values: Float64Array;

  /**
   * @param budgetUs what is above it counts as a breach; 0 = no budget.
   * @param values HISTOGRAM_VALUES numbers, all 0 at first; may be shared memory.
   */
  constructor(budgetUs: number, values: Float64Array = new Float64Array(HISTOGRAM_VALUES)) {
    this.#budgetUs = budgetUs;
    this.#values = values;
  }

  /** Counts a duration, `n` times. */
  observe(us: number, n = 1): void {
    const values = this.#values;
    values[bucketOf(us)]! += n;
    values[SUM]! += us * n;
    if (us > values[MAX]!) values[MAX] = us;
    if (us > this.#budgetUs && this.#budgetUs > 0) values[BREACHES]! += n;
  }

  /** Observations above the budget. */
  get breaches(): number {
    return this.#values[BREACHES]!;
  }

  snapshot(): HistogramSnapshot {
    const counts = new Array<number>(LATENCY_BOUNDS_US.length + 1).fill(0);
    let bound = 0;
    for (let i = 0; i < BUCKETS; i++) {
      while (bound < LATENCY_BOUNDS_US.length && endOfUs(i) > LATENCY_BOUNDS_US[bound]!) bound++;
      counts[bound]! += this.#values[i]!;
    }
    return {
      boundsUs: LATENCY_BOUNDS_US,
      counts,
      sumUs: this.#values[SUM]!,
      summary: this.#summary(),
    };
  }

  #summary(): LatencySummary {
    let count = 0;
    for (let i = 0; i < BUCKETS; i++) count += this.#values[i]!;
    const at = (quantile: number) => this.#quantile(Math.ceil(quantile * count));
    return { count, p50Us: at(0.5), p99Us: at(0.99), p999Us: at(0.999), maxUs: this.#values[MAX]! };
  }

  /** The duration that `rank` observations do not exceed. */
  #quantile(rank: number): number {
    if (rank === 0) return 0;
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.#values[i]!;
      if (seen >= rank) return Math.min(endOfUs(i), this.#values[MAX]!);
    }
    return this.#values[MAX]!;
  }
}
