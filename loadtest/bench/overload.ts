/**
 * Overload: calls that are completed per second when more are offered than can be switched, with overload control and
 * without it. The switch gets a part of a core, so that the generator can offer ten times what it takes.
 */
import { processTree } from '../../switch/test/e2e/harness/processes.ts';
import { Switch } from '../../switch/test/e2e/harness/switch.ts';
import { probe } from '../latency/prober.ts';
import { CpuShare } from './cpu-share.ts';
import { treeMemory } from './memory.ts';
import { step } from './progress.ts';
import type { OverloadPart, OverloadRow } from './results.ts';
import { runInfo } from './run-info.ts';

export interface OverloadOptions {
  /** Part of one core that the switch gets. */
  cpuShare: number;
  /** Call rates in search of the best, ascending. */
  rates: number[];
  /** Rates offered, as multiples of the best. */
  multiples: number[];
  seconds: number;
}

/** Long enough for the limit to settle. */
const WARM_UP_S = 4;

export async function measureOverload(options: OverloadOptions): Promise<OverloadPart> {
  const { cpuShare, rates, multiples, seconds } = options;
  const part: OverloadPart = { run: runInfo(), settings: { cpuShare, seconds }, best: 0, rows: [] };
  for (const rate of rates) {
    const row = await measure(rate, true, options);
    part.best = Math.max(part.best, row.completedPerSecond);
    if (row.completedPerSecond < 0.9 * rate) break;
  }
  for (const control of [true, false])
    for (const multiple of multiples)
      part.rows.push({ ...(await measure(Math.round(part.best * multiple), control, options)), multiple });
  return part;
}

function measure(
  rate: number,
  control: boolean,
  { cpuShare, seconds }: OverloadOptions,
): Promise<OverloadRow> {
  return step(
    `overload: ${rate} calls/s offered, ${control ? 'with' : 'without'} overload control`,
    WARM_UP_S + seconds,
    async () => {
      const ours = await Switch.start({
        base: 'bench.yaml',
        change(config) {
          config.timers = {};
          if (!control) config.overload = { targetUs: 0 };
        },
      });
      const share = new CpuShare(cpuShare);
      try {
        const { pid } = ours.program;
        for (const child of processTree(pid)) if (child.pid !== pid) share.add(child.pid);
        const load = { proxy: ours.sip, callsPerSecond: rate, seconds, warmupSeconds: WARM_UP_S };
        const { completed, calls } = await probe(load);
        return {
          offered: rate,
          control,
          completedPerSecond: Math.round(completed / seconds),
          failed: calls - completed,
          peakBytes: treeMemory(pid).peakBytes,
        };
      } finally {
        await ours.stop();
        share.remove();
      }
    },
    (row) => `${row.completedPerSecond} calls/s completed, peak ${Math.round(row.peakBytes / 1e6)} MB`,
  );
}
