/** How the scripts offer their load, as options of k6. */
import type { Options, Scenario } from 'k6/options';
import type { Threshold } from './budgets.ts';
import type { Settings } from './settings.ts';

/** A session takes about this long besides the waits that are asked for; virtual users are kept for it. */
const SESSION_S = 0.5;
/** A session may go on this long after the load has ended. */
const GRACE = '15s';

/** Percentiles shown of each metric. */
const SHOWN = ['min', 'p(50)', 'p(95)', 'p(99)', 'max', 'count'];

/** Options of a script: its load, the probe beside it for as long, and what it must keep to. */
export function optionsFor(
  load: Scenario,
  probe: Scenario,
  thresholds: Record<string, Threshold[]>,
): Options {
  return {
    scenarios: { load, probe },
    thresholds,
    summaryTrendStats: SHOWN,
    // Fewer tags, less work: nothing is looked at but the totals.
    systemTags: ['scenario'],
  };
}

/** New sessions at a rate that does not depend on how fast they end; it goes through `stages`. */
export function arrivals(settings: Settings, startPerS: number, stages: Stage[]): Scenario {
  const { ratePerS, holdMs, answerDelayMs } = settings;
  const atOnce = Math.ceil(ratePerS * (SESSION_S + (holdMs + answerDelayMs) / 1000)) + 5;
  return {
    executor: 'ramping-arrival-rate',
    timeUnit: '1s',
    startRate: startPerS,
    stages: stages.map(({ toPerS, durationS }) => ({ target: toPerS, duration: seconds(durationS) })),
    preAllocatedVUs: atOnce,
    maxVUs: 3 * atOnce,
    gracefulStop: GRACE,
  };
}

export interface Stage {
  /** Rate at its end, reached in a straight line. k6 takes whole numbers. */
  toPerS: number;
  durationS: number;
}

/** The probe, again and again while the load lasts. */
export function probing({ durationS }: Settings): Scenario {
  return {
    executor: 'constant-vus',
    exec: 'probe',
    vus: 1,
    duration: seconds(durationS),
    gracefulStop: GRACE,
  };
}

function seconds(count: number): string {
  return `${Math.round(count * 1000)}ms`;
}
