/** Fresh seeds over all cores of the machine, until a limit is reached or a seed fails. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Outcome } from '../play.ts';
import type { WorkerInput } from './worker.ts';

/** The first one that is reached ends the run. */
export interface Limits {
  seeds?: number;
  /** Virtual. */
  hours?: number;
  /** Of real time. */
  seconds?: number;
}

/** What has been done so far. */
export interface Totals {
  /** The first seed; the others follow it. */
  from: number;
  seeds: number;
  virtualHours: number;
  /** Of real time. */
  seconds: number;
  messages: number;
  callsPlaced: number;
  callsAnswered: number;
}

const US_PER_HOUR = 3_600_000_000;

/**
 * @param from  the first seed
 * @returns the totals, and the first outcome that failed
 */
export async function runFresh(
  wasm: Uint8Array,
  from: number,
  limits: Limits,
  onProgress?: (totals: Totals) => void,
): Promise<{ totals: Totals; failed?: Outcome }> {
  const startMs = performance.now();
  const totals: Totals = {
    from,
    seeds: 0,
    virtualHours: 0,
    seconds: 0,
    messages: 0,
    callsPlaced: 0,
    callsAnswered: 0,
  };
  let begun = 0;
  let failed: Outcome | undefined;
  const shared = new SharedArrayBuffer(wasm.length);
  new Uint8Array(shared).set(wasm);
  const enough = () =>
    failed !== undefined ||
    begun >= (limits.seeds ?? Number.POSITIVE_INFINITY) ||
    totals.virtualHours >= (limits.hours ?? Number.POSITIVE_INFINITY) ||
    totals.seconds >= (limits.seconds ?? Number.POSITIVE_INFINITY);
  const add = (outcome: Outcome) => {
    totals.seeds++;
    totals.virtualHours += outcome.virtualUs / US_PER_HOUR;
    totals.messages += outcome.messages;
    totals.callsPlaced += outcome.callsPlaced;
    totals.callsAnswered += outcome.callsAnswered;
    totals.seconds = (performance.now() - startMs) / 1_000;
    // Which seed fails first must not depend on which worker is quicker.
    if (outcome.failure && (failed === undefined || outcome.seed < failed.seed)) failed = outcome;
    onProgress?.(totals);
  };
  await Promise.all(
    Array.from({ length: availableParallelism() }, () =>
      runWorker({ wasm: shared }, () => (enough() ? undefined : from + begun++), add),
    ),
  );
  return { totals, ...(failed !== undefined && { failed }) };
}

/** One worker, until there is no seed for it. */
function runWorker(
  input: WorkerInput,
  next: () => number | undefined,
  done: (outcome: Outcome) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: input,
      // One core each: the compiler's helpers would take another's.
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    const give = () => {
      const seed = next();
      if (seed === undefined) void worker.terminate().then(() => resolve());
      else worker.postMessage(seed);
    };
    worker.on('message', (outcome: Outcome) => {
      done(outcome);
      give();
    });
    worker.on('error', reject);
    give();
  });
}
