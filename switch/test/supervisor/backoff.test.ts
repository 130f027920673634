import { describe, expect, it } from 'vitest';
import { Backoff } from '../../supervisor/backoff.ts';

describe('back-off', () => {
  const options = { firstMs: 100, maxMs: 1000, healthyMs: 10_000, attemptsMax: 6 };

  it('grows to its bound, then gives up', () => {
    const backoff = new Backoff(options);
    expect(Array.from({ length: 8 }, () => backoff.next(5))).toEqual([
      100,
      200,
      400,
      800,
      1000,
      1000,
      null,
      null,
    ]);
  });

  it('begins again after a healthy run', () => {
    const backoff = new Backoff(options);
    backoff.next(0);
    backoff.next(0);
    expect(backoff.next(10_000)).toBe(100);
  });
});
