import { describe, expect, it } from 'vitest';
import { LATENCY_BOUNDS_US, LatencyHistogram } from '../../control/histogram.ts';

describe('latency histogram', () => {
  it('counts below the bound that is not reached, and breaches of the budget', () => {
    const histogram = new LatencyHistogram(300);
    for (const us of [0.5, 1, 1.1, 300, 301, 5_000_000]) histogram.observe(us);
    const { counts, sumUs } = histogram.snapshot();
    const filled = Object.fromEntries(
      [...Array.from(counts)]
        .map((count, i) => [LATENCY_BOUNDS_US[i] ?? 'more', count])
        .filter(([, count]) => count),
    );
    expect(filled).toEqual({ 1: 1, 2: 2, 512: 2, more: 1 });
    expect(sumUs).toBeCloseTo(5_000_603.6);
    expect(histogram.breaches).toBe(2);
  });

  it('gives quantiles within 3.2 % of the exact ones, over six orders of magnitude', () => {
    const histogram = new LatencyHistogram(0);
    const values = Array.from({ length: 100_000 }, (_, i) => 1.00014 ** i);
    for (const us of values) histogram.observe(us);
    const { summary } = histogram.snapshot();
    for (const [found, rank] of [
      [summary.p50Us, 49_999],
      [summary.p99Us, 98_999],
      [summary.p999Us, 99_899],
    ] as const) {
      expect(found).toBeGreaterThanOrEqual(values[rank]!);
      expect(found).toBeLessThan(values[rank]! * 1.032);
    }
    expect(summary.maxUs).toBe(values.at(-1));
    expect(summary.count).toBe(100_000);
    expect(histogram.breaches).toBe(0);
  });

  it('takes what is out of range at its ends, and says 0 when it is empty', () => {
    const histogram = new LatencyHistogram(10);
    expect(histogram.snapshot().summary).toEqual({ count: 0, p50Us: 0, p99Us: 0, p999Us: 0, maxUs: 0 });
    histogram.observe(-5);
    histogram.observe(1e12);
    const { counts, summary } = histogram.snapshot();
    expect(counts[0]).toBe(1);
    expect(counts[LATENCY_BOUNDS_US.length]).toBe(1);
    expect(summary.maxUs).toBe(1e12);
  });

  it('counts a duration several times at once', () => {
    const histogram = new LatencyHistogram(5);
    histogram.observe(7, 3);
    expect(histogram.snapshot()).toMatchObject({ sumUs: 21, summary: { count: 3 } });
    expect(histogram.breaches).toBe(3);
  });
});
