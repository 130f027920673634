import { describe, expect, it } from 'vitest';
import { LATENCY_BOUNDS_US, LatencyHistogram } from '../../control/histogram.ts';

describe('latency histogram', () => {
  it('counts into the bucket whose bound is not exceeded, and breaches of the budget', () => {
    const histogram = new LatencyHistogram(300);
    for (const us of [0.5, 1, 1.1, 300, 301, 5_000_000]) histogram.observe(us);
    const { counts, sumUs } = histogram.snapshot();
    const filled = Object.fromEntries(
      [...Array.from(counts)]
        .map((count, i) => [LATENCY_BOUNDS_US[i] ?? 'more', count])
        .filter(([, count]) => count),
    );
    expect(filled).toEqual({ 1: 2, 2: 1, 300: 1, 500: 1, more: 1 });
    expect(sumUs).toBeCloseTo(5_000_603.6);
    expect(histogram.breaches).toBe(2);
  });
});
