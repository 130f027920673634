/** Exact percentiles: all samples are kept. */
import type { Latency } from './prober.ts';

export class Samples {
  readonly #values: Float32Array;
  #count = 0;

  /** @param max what comes beyond is left out. */
  constructor(max: number) {
    this.#values = new Float32Array(max);
  }

  add(us: number): void {
    if (this.#count < this.#values.length) this.#values[this.#count++] = us;
  }

  /** The samples so far. */
  get all(): Float32Array {
    return this.#values.subarray(0, this.#count);
  }
}

/** Nearest-rank percentiles of samples in µs, each less `lessUs`, 0 at least. */
export function latencyOf(samples: Float32Array, lessUs = 0): Latency {
  const sorted = samples.toSorted();
  const at = (quantile: number): number => {
    if (sorted.length === 0) return 0;
    const value = sorted[Math.max(Math.ceil(quantile * sorted.length) - 1, 0)]!;
    return Math.round(Math.max(value - lessUs, 0) * 10) / 10;
  };
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
}

/** Several sets of samples as one. */
export function joined(sets: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(sets.reduce((sum, set) => sum + set.length, 0));
  let at = 0;
  for (const set of sets) {
    all.set(set, at);
    at += set.length;
  }
  return all;
}
