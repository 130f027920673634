/**
 * What a run must keep to, as thresholds of k6. The README (loadtest/README.md, "What the thresholds mean") says where
 * the figures come from; `--budget-scale` multiplies them.
 */

interface Budget {
  p50: number;
  p95: number;
  p99: number;
}

/** Latency budgets in ms, for a switch and k6 on one machine of two cores. */
export const BUDGETS_MS = {
  sip_register_ms: { p50: 4, p95: 15, p99: 40 },
  sip_invite_to_180_ms: { p50: 5, p95: 20, p99: 50 },
  sip_call_setup_ms: { p50: 5, p95: 20, p99: 50 },
  sip_bye_ms: { p50: 3, p95: 12, p99: 30 },
} as const satisfies Record<string, Budget>;

export type BudgetName = keyof typeof BUDGETS_MS;

/** A threshold of k6. */
export interface Threshold {
  threshold: string;
  abortOnFail: boolean;
  delayAbortEval: string;
}

/** A run that stops at the first breach goes on at least this long: a few slow calls at its start are no breach. */
const ABORT_AFTER = '10s';

/**
 * Thresholds on the latency of calls, and that all went well. That there were any is one too: k6 has a threshold
 * on nothing pass.
 */
export function callThresholds(scale: number, abortOnFail = false): Record<string, Threshold[]> {
  const names = Object.keys(BUDGETS_MS) as BudgetName[];
  return {
    ...thresholds(names, scale, abortOnFail),
    sip_calls: [threshold('count>0')],
    sip_calls_failed: [threshold('count==0', abortOnFail)],
    ...offered(abortOnFail),
  };
}

/** The same for registrations alone. */
export function registerThresholds(scale: number): Record<string, Threshold[]> {
  return {
    ...thresholds(['sip_register_ms'], scale, false),
    sip_registrations: [threshold('count>0')],
    sip_registrations_failed: [threshold('count==0')],
    ...offered(false),
  };
}

/** That k6 began everything that was due: otherwise the load was not the one asked for. */
function offered(abortOnFail: boolean): Record<string, Threshold[]> {
  return { dropped_iterations: [threshold('count==0', abortOnFail)] };
}

function thresholds(names: BudgetName[], scale: number, abortOnFail: boolean): Record<string, Threshold[]> {
  return Object.fromEntries(
    names.map((name) => {
      const { p50, p95, p99 } = BUDGETS_MS[name];
      const limits = { 50: p50, 95: p95, 99: p99 };
      return [name, Object.entries(limits).map(([p, ms]) => threshold(`p(${p})<${ms * scale}`, abortOnFail))];
    }),
  );
}

function threshold(expression: string, abortOnFail = false): Threshold {
  return { threshold: expression, abortOnFail, delayAbortEval: ABORT_AFTER };
}
