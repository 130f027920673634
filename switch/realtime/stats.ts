/**
 * What the realtime thread publishes for others to read: f64 values in shared memory, written by that thread
 * alone, without locks. A reader may see a value that is one batch old, never a torn one.
 */
import { C_COUNT } from '../../wasm-core/assembly/abi.ts';
import { HISTOGRAM_VALUES, LatencyHistogram } from '../control/histogram.ts';

const BYTES = 8;
const STEP = C_COUNT;
const CORE = STEP + HISTOGRAM_VALUES;
const QUEUE = CORE + HISTOGRAM_VALUES;
const OTHERS = QUEUE + HISTOGRAM_VALUES;
const VALUES = OTHERS + 5;

const DROPPED_IN = 0;
const DROPPED_OUT = 1;
const BATCH_WAITS = 2;
const BATCH_WAIT_US = 3;
const HEAP_BYTES = 4;

/** Budgets of the stages, µs. */
export interface StageBudgets {
  coreUs: number;
  queueUs: number;
}

export function statsMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(VALUES * BYTES);
}

function histogramAt(memory: SharedArrayBuffer, at: number, budgetUs: number): LatencyHistogram {
  return new LatencyHistogram(budgetUs, new Float64Array(memory, at * BYTES, HISTOGRAM_VALUES));
}

/** Common to both ends. */
class StatsEnd {
  /** C_* of the core. */
  readonly counters: Float64Array;
  /** Time of one step of the core, which takes a batch. */
  readonly step: LatencyHistogram;
  /** Time of the core per message. */
  readonly core: LatencyHistogram;
  /** Wait of a message in socket and ring. */
  readonly queue: LatencyHistogram;
  protected readonly others: Float64Array;

  constructor(memory: SharedArrayBuffer, budgets: StageBudgets) {
    this.counters = new Float64Array(memory, 0, C_COUNT);
    this.step = histogramAt(memory, STEP, 0);
    this.core = histogramAt(memory, CORE, budgets.coreUs);
    this.queue = histogramAt(memory, QUEUE, budgets.queueUs);
    this.others = new Float64Array(memory, OTHERS * BYTES);
  }
}

/** The writing end, in the realtime thread. */
export class StatsWriter extends StatsEnd {
  droppedIn(n: number): void {
    this.others[DROPPED_IN]! += n;
  }

  droppedOut(n: number): void {
    this.others[DROPPED_OUT]! += n;
  }

  /** The thread has waited for a batch to gather. */
  batchWait(us: number): void {
    this.others[BATCH_WAITS]! += 1;
    this.others[BATCH_WAIT_US]! += us;
  }

  heap(bytes: number): void {
    this.others[HEAP_BYTES] = bytes;
  }
}

/** The reading end. */
export class StatsReader extends StatsEnd {
  /** Datagrams that the system dropped because a socket was full, or that were cut short. */
  get droppedIn(): number {
    return this.others[DROPPED_IN]!;
  }

  get droppedOut(): number {
    return this.others[DROPPED_OUT]!;
  }

  /** Waits for a batch, and their sum in µs. */
  get batchWaits(): number {
    return this.others[BATCH_WAITS]!;
  }

  get batchWaitUs(): number {
    return this.others[BATCH_WAIT_US]!;
  }

  /** JavaScript heap of the thread in use, bytes. */
  get heapBytes(): number {
    return this.others[HEAP_BYTES]!;
  }
}
