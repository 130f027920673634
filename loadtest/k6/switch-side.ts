/** What the switch itself says about a run: the part of the latency that is its own, what it holds, its memory. */
import type { Switch } from '../../switch/test/e2e/harness/switch.ts';
import { sleep } from '../../switch/test/e2e/harness/wait.ts';
import { treeMemory } from '../bench/memory.ts';

/** The last users to leave are out of the counters this much later, at the latest. */
const SETTLE_MS = 2_000;
const LOOK_EVERY_MS = 100;

interface Stage {
  count: number;
  p50Us: number;
  p99Us: number;
  p999Us: number;
  maxUs: number;
  budgetUs: number;
  breaches: number;
}

export interface SwitchSide {
  /** Since it started, by stage of docs/reference/metrics.md; those that were passed. */
  stages: Record<string, Stage>;
  /** What is left in it; none should be, but calls whose BYE was lost and bindings of users who broke off. */
  calls: number;
  bindings: number;
  /** All its processes: bytes now, and at most at any time. */
  memoryBytes: number;
  memoryPeakBytes: number;
}

/** Asks a switch of ours, after a run. */
export async function askSwitch(ours: Switch): Promise<SwitchSide> {
  const { stages } = await ours.api<{ stages: Record<string, Stage> }>('/latency');
  const left = await whatIsLeft(ours);
  const memory = treeMemory(ours.program.pid);
  return {
    stages: Object.fromEntries(Object.entries(stages).filter(([, { count }]) => count > 0)),
    ...left,
    memoryBytes: memory.nowBytes,
    memoryPeakBytes: memory.peakBytes,
  };
}

async function whatIsLeft(ours: Switch): Promise<{ calls: number; bindings: number }> {
  const endAt = performance.now() + SETTLE_MS;
  for (;;) {
    const metrics = await ours.metrics();
    const calls = metrics.sum('strowger_calls_active');
    const bindings = metrics.sum('strowger_bindings');
    if (calls + bindings === 0 || performance.now() >= endAt) return { calls, bindings };
    await sleep(LOOK_EVERY_MS);
  }
}

/** For the terminal. */
export function switchLines({ stages, calls, bindings, memoryBytes, memoryPeakBytes }: SwitchSide): string[] {
  const rows = Object.entries(stages).map(([name, { count, p50Us, p99Us, maxUs, budgetUs }]) => {
    const figures = `p50 ${us(p50Us)}  p99 ${us(p99Us)}  max ${us(maxUs)}  budget ${us(budgetUs)}`;
    return `  ${name.padEnd(6)} ${figures}  count ${count}`;
  });
  const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  return [
    'in the switch itself, by stage:',
    ...rows,
    `left in it: ${calls} calls, ${bindings} bindings; memory ${megabytes(memoryBytes)}, at most ${megabytes(memoryPeakBytes)}`,
  ];
}

function us(value: number): string {
  return `${Math.round(value)} µs`.padStart(8);
}
