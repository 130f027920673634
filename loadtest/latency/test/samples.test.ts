import { describe, expect, it } from 'vitest';
import { joined, latencyOf, Samples } from '../samples.ts';

describe('samples', () => {
  it('give exact percentiles by nearest rank, less what is to be taken off', () => {
    const samples = new Samples(2_000);
    for (let us = 1_000; us >= 1; us--) samples.add(us);
    expect(latencyOf(samples.all)).toEqual({ count: 1_000, p50: 500, p99: 990, p999: 999, max: 1_000 });
    expect(latencyOf(samples.all, 600)).toEqual({ count: 1_000, p50: 0, p99: 390, p999: 399, max: 400 });
  });

  it('are 0 when there are none, and no more than there is room for', () => {
    const samples = new Samples(2);
    expect(latencyOf(samples.all)).toEqual({ count: 0, p50: 0, p99: 0, p999: 0, max: 0 });
    for (const us of [1, 2, 3]) samples.add(us);
    expect(Array.from(samples.all)).toEqual([1, 2]);
    expect(Array.from(joined([samples.all, samples.all]))).toEqual([1, 2, 1, 2]);
  });
});
