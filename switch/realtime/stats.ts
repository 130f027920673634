/**
 * What the realtime thread publishes for others to read: one array of f64 in shared memory, written by that
 * thread alone, without locks. A reader may see a value that is one batch old, never a torn one.
 */
import { C_COUNT } from '../../wasm-core/assembly/abi.ts';
import { LATENCY_BOUNDS_US, type HistogramSnapshot } from '../control/histogram.ts';

const BUCKETS = LATENCY_BOUNDS_US.length + 1;
/** A histogram: counts per bucket, sum in µs, observations above the budget. */
const HISTOGRAM_VALUES = BUCKETS + 2;

const STEP = C_COUNT;
const CORE = STEP + HISTOGRAM_VALUES;
const QUEUE = CORE + HISTOGRAM_VALUES;
const DROPPED_IN = QUEUE + HISTOGRAM_VALUES;
const DROPPED_OUT = DROPPED_IN + 1;
const BEATS = DROPPED_OUT + 1;
const VALUES = BEATS + 1;

export function statsMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(VALUES * 8);
}

/** The writing end, in the realtime thread. */
export class StatsWriter {
  readonly #values: Float64Array;
  readonly #budgetCoreUs: number;
  readonly #budgetQueueUs: number;

  constructor(memory: SharedArrayBuffer, budgetCoreUs: number, budgetQueueUs: number) {
    this.#values = new Float64Array(memory);
    this.#budgetCoreUs = budgetCoreUs;
    this.#budgetQueueUs = budgetQueueUs;
  }

  counters(source: Float64Array): void {
    this.#values.set(source);
    this.#values[BEATS]! += 1;
  }

  /** A step took `us` for `events` events. */
  step(us: number, events: number): void {
    this.#observe(STEP, us, 1, 0);
    if (events > 0) this.#observe(CORE, us / events, events, this.#budgetCoreUs);
  }

  /** `events` events waited `us` each. */
  queue(us: number, events: number): void {
    this.#observe(QUEUE, us, events, this.#budgetQueueUs);
  }

  droppedIn(n: number): void {
    this.#values[DROPPED_IN]! += n;
  }

  droppedOut(n: number): void {
    this.#values[DROPPED_OUT]! += n;
  }

  #observe(at: number, us: number, n: number, budgetUs: number): void {
    const values = this.#values;
    let bucket = 0;
    while (bucket < BUCKETS - 1 && us > LATENCY_BOUNDS_US[bucket]!) bucket++;
    values[at + bucket]! += n;
    values[at + BUCKETS]! += us * n;
    if (us > budgetUs) values[at + BUCKETS + 1]! += n;
  }
}

/** The reading end. */
export class StatsReader {
  readonly #values: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#values = new Float64Array(memory);
  }

  /** C_* of the core. */
  get counters(): Float64Array {
    return this.#values.subarray(0, C_COUNT);
  }

  get droppedIn(): number {
    return this.#values[DROPPED_IN]!;
  }

  get droppedOut(): number {
    return this.#values[DROPPED_OUT]!;
  }

  /** Grows as long as the thread lives and is not stuck. */
  get beats(): number {
    return this.#values[BEATS]!;
  }

  get step(): HistogramSnapshot {
    return this.#snapshot(STEP);
  }

  get core(): HistogramSnapshot {
    return this.#snapshot(CORE);
  }

  get queue(): HistogramSnapshot {
    return this.#snapshot(QUEUE);
  }

  get coreBreaches(): number {
    return this.#values[CORE + BUCKETS + 1]!;
  }

  get queueBreaches(): number {
    return this.#values[QUEUE + BUCKETS + 1]!;
  }

  #snapshot(at: number): HistogramSnapshot {
    return {
      boundsUs: LATENCY_BOUNDS_US,
      counts: this.#values.subarray(at, at + BUCKETS),
      sumUs: this.#values[at + BUCKETS]!,
    };
  }
}
