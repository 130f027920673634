import { expect, test } from 'vitest';
import { backoffMs, DEFAULT_BACKOFF } from '../../softphone/phone/backoff.ts';

test('doubles, and is spread between half and all of the limit', () => {
  const options = { baseMs: 1_000, maxMs: 8_000 };
  const spans = [0, 1, 2, 3, 4, 100].map((n) => [backoffMs(n, 0, options), backoffMs(n, 1, options)]);
  expect(spans).toEqual([
    [500, 1_000],
    [1_000, 2_000],
    [2_000, 4_000],
    [4_000, 8_000],
    [4_000, 8_000],
    [4_000, 8_000],
  ]);
});

test('begins within a second, and never waits longer than half a minute', () => {
  expect(backoffMs(0, 0.999)).toBeLessThanOrEqual(1_000);
  expect(backoffMs(1_000, 1)).toBe(DEFAULT_BACKOFF.maxMs);
});
