import { describe, expect, it } from 'vitest';
import { BUDGETS_MS, callThresholds, registerThresholds } from '../lib/budgets.ts';

function expressions(thresholds: ReturnType<typeof callThresholds>) {
  return Object.fromEntries(
    Object.entries(thresholds).map(([name, list]) => [name, list.map(({ threshold }) => threshold)]),
  );
}

describe('thresholds', () => {
  it('assert p50, p95 and p99 of each budget, and that calls were made and none failed', () => {
    const all = expressions(callThresholds(1));
    for (const [name, { p50, p95, p99 }] of Object.entries(BUDGETS_MS))
      expect(all[name]).toEqual([`p(50)<${p50}`, `p(95)<${p95}`, `p(99)<${p99}`]);
    expect(all).toMatchObject({
      sip_calls: ['count>0'],
      sip_calls_failed: ['count==0'],
      dropped_iterations: ['count==0'],
    });
  });

  it('scale the latency, not the counts', () => {
    const all = expressions(registerThresholds(2.5));
    const { p50, p95, p99 } = BUDGETS_MS.sip_register_ms;
    expect(all).toEqual({
      sip_register_ms: [`p(50)<${p50 * 2.5}`, `p(95)<${p95 * 2.5}`, `p(99)<${p99 * 2.5}`],
      sip_registrations: ['count>0'],
      sip_registrations_failed: ['count==0'],
      dropped_iterations: ['count==0'],
    });
  });

  it('end a breakpoint run at the first breach, of those that can only get worse', () => {
    const all = callThresholds(1, true);
    expect(all['sip_calls_failed']![0]!.abortOnFail).toBe(true);
    expect(all['sip_bye_ms']!.every(({ abortOnFail }) => abortOnFail)).toBe(true);
    expect(all['sip_calls']![0]!.abortOnFail).toBe(false);
  });
});
