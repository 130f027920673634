/**
 * Calls through each proxy: CPU per call and added latency from one run per rate, the highest rate, and memory.
 * Every run is with a proxy freshly started; at each rate the proxies take turns, so that what else the machine does
 * hits all of them, and each has several: where the system places two programs on two cores changes what waking costs by half.
 */
import { sleep } from '../../switch/test/e2e/harness/wait.ts';
import type { Peer, PeerKind } from '../peers/peer.ts';
import type { CallRun, Generator, Load } from './generator.ts';
import { type Memory, treeMemory } from './memory.ts';
import { step } from './progress.ts';
import type { CallRow, CallsPart, HeldRow, HighestRow, SearchStep } from './results.ts';
import { runInfo } from './run-info.ts';
import { highestRate, type SearchOptions } from './search.ts';

export interface CallsOptions {
  generator: Generator;
  peers: readonly PeerKind[];
  /** Calls per second. */
  rates: number[];
  /** Of each run that is measured, after the generator's warm-up. */
  seconds: number;
  /** Runs at each rate, of which the one with the median CPU is kept. Default 1. */
  rounds?: number;
  /** The search for the highest rate; without it there is none, nor a run at half of that rate. */
  search?: Search;
  /** Calls that are up at the same time when memory per call is measured, of the first two peers; without it, it is not. */
  held?: number;
}

/** Calls are answered at once and hung up after this. */
const HOLD_MS = 100;
/** For memory per call: the rate at which calls are set up. */
const HELD_RATE = 1_000;
/** How long all of them are up together, s. */
const HELD_ALL_S = 6;
/** After this long without load, V8 has given back what starting the program needed. */
const HEAPS_TIDIED_MS = 5_000;

/** The search for the highest rate, and how long each step takes. */
type Search = SearchOptions & { seconds: number };

export async function measureCalls(options: CallsOptions): Promise<CallsPart> {
  const { generator, peers, seconds, rounds = 1, search, held } = options;
  const part: CallsPart = {
    run: runInfo(),
    settings: { generator: generator.title, seconds, rounds, ...(search && { search }) },
    rows: [],
    highest: [],
    held: [],
  };
  const compared = peers.slice(0, 2);
  if (search) for (const kind of compared) part.highest.push(await findHighest(generator, kind, search));
  const halves = halfRates(part.highest);
  for (const rate of ascending([...options.rates, ...halves])) {
    const runs: CallRow[] = [];
    for (let round = 0; round < rounds; round++)
      for (const kind of peers) runs.push(await measureRate(generator, kind, rate, seconds));
    for (const { id } of peers) {
      const row = medianRun(runs.filter(({ peer }) => peer === id));
      part.rows.push({ ...row, half: halves.includes(rate) });
    }
  }
  // The others are variants of the first two.
  if (held) for (const kind of peers.slice(0, 2)) part.held.push(await measureHeld(generator, kind, held));
  return part;
}

/** The run with the median CPU, with the CPU of all of them. */
export function medianRun(runs: readonly CallRow[]): CallRow {
  const sorted = runs.toSorted((a, b) => a.cpuUsPerCall - b.cpuUsPerCall);
  const median = sorted[(sorted.length - 1) >> 1]!;
  return { ...median, cpuUsPerCallOfRounds: sorted.map(({ cpuUsPerCall }) => cpuUsPerCall) };
}

/** Half of our highest rate, in whole hundreds. */
export function halfRates(highest: readonly HighestRow[]): number[] {
  return ascending(highest.slice(0, 1).map(({ passed }) => Math.floor(passed / 200) * 100)).filter(Boolean);
}

function ascending(rates: number[]): number[] {
  return [...new Set(rates)].sort((a, b) => a - b);
}

async function findHighest(generator: Generator, kind: PeerKind, search: Search): Promise<HighestRow> {
  const steps: SearchStep[] = [];
  const attempt = async (rate: number) => {
    const tried = await measureStep(generator, kind, rate, search.seconds);
    steps.push(tried);
    return tried.passed;
  };
  // What fails is tried once more: a datagram that another program's burst displaced is no limit of the proxy.
  const found = await highestRate(search, async (rate) => (await attempt(rate)) || (await attempt(rate)));
  return { peer: kind.id, ...found, steps };
}

function measureStep(
  generator: Generator,
  kind: PeerKind,
  rate: number,
  seconds: number,
): Promise<SearchStep> {
  return step(
    `highest rate: ${kind.title} at ${rate} calls/s`,
    seconds,
    async (onProgress) => {
      const load = { callsPerSecond: rate, seconds, holdMs: HOLD_MS, onProgress };
      const { calls, failed, lost, retransmissions } = (await run(generator, kind, load)).result;
      const passed = failed === 0 && lost === 0 && retransmissions === 0;
      return { callsPerSecond: rate, passed, calls, failed, lost, retransmissions };
    },
    (one) =>
      `${one.passed ? 'passed' : 'failed'} (${one.calls} calls, ${one.failed} failed, ${one.lost} messages lost, ` +
      `${one.retransmissions} retransmissions)`,
  );
}

function measureRate(generator: Generator, kind: PeerKind, rate: number, seconds: number): Promise<CallRow> {
  return step(
    `calls: ${kind.title} at ${rate} calls/s`,
    seconds,
    async (onProgress) => {
      const load = { callsPerSecond: rate, seconds, holdMs: HOLD_MS, onProgress };
      const { result, memory } = await run(generator, kind, load);
      return { peer: kind.id, callsPerSecond: rate, ...result, peakBytes: memory.peakBytes };
    },
    outcomeOf,
  );
}

function outcomeOf({ cpuUsPerCall, latency, peakBytes, calls, failed, retransmissions }: CallRow): string {
  const added = latency
    ? `added latency ${[latency.addedUs.p50, latency.addedUs.p99, latency.addedUs.p999].map(Math.round).join(' / ')} µs, `
    : '';
  return (
    `${Math.round(cpuUsPerCall)} µs CPU per call, ${added}peak ${Math.round(peakBytes / 1e6)} MB, ` +
    `${failed} of ${calls} failed, ${retransmissions} retransmissions`
  );
}

/** One run through a proxy of its own, and the proxy's memory right after it. */
function run(generator: Generator, kind: PeerKind, load: Load): Promise<{ result: CallRun; memory: Memory }> {
  return withPeer(kind, async (peer) => {
    const result = await generator.run(peer, load);
    return { result, memory: treeMemory(peer.pid) };
  });
}

/** Memory per call: how much more the proxy has while that many calls are up than after as many short ones. */
function measureHeld(generator: Generator, kind: PeerKind, calls: number): Promise<HeldRow> {
  const seconds = calls / HELD_RATE;
  const load = { callsPerSecond: HELD_RATE, seconds };
  return step(
    `memory: ${kind.title} with ${calls} calls up`,
    3 * seconds,
    (tick) =>
      withPeer(kind, async (peer) => {
        await generator.run(peer, { ...load, holdMs: HOLD_MS, onProgress: tick });
        await sleep(HEAPS_TIDIED_MS);
        const before = treeMemory(peer.pid).nowBytes;
        let during = Number.NaN;
        const { failed } = await generator.run(peer, {
          ...load,
          warmupSeconds: 0,
          holdMs: (seconds + HELD_ALL_S) * 1_000,
          onProgress(done) {
            tick(seconds + done);
            if (done <= seconds + HELD_ALL_S / 2) during = treeMemory(peer.pid).nowBytes;
          },
        });
        const up = calls - failed;
        return { peer: kind.id, calls: up, bytesPerCall: (during - before) / Math.max(up, 1) };
      }),
    (row) => `${Math.round(row.bytesPerCall)} bytes per call (${row.calls} calls)`,
  );
}

async function withPeer<T>(kind: PeerKind, work: (peer: Peer) => Promise<T>): Promise<T> {
  const peer = await kind.start();
  try {
    return await work(peer);
  } finally {
    await peer.stop();
  }
}
