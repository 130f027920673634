import { describe, expect, it } from 'vitest';
import { highestRate } from '../search.ts';

/** Searches where everything up to `limit` works, and notes what was tried. */
async function search(limit: number, options = { from: 1_000, max: 16_000, grid: 500 }) {
  const tried: number[] = [];
  const found = await highestRate(options, async (rate) => {
    tried.push(rate);
    return rate <= limit;
  });
  return { ...found, tried };
}

describe('the search for the highest rate', () => {
  it.each([
    [3_200, 3_000, 3_500],
    [4_000, 4_000, 4_500],
    [7_999, 7_500, 8_000],
    [700, 500, 1_000],
    [15_600, 15_500, 16_000],
  ])('with %i as the limit: %i passes, %i does not', async (limit, passed, failed) => {
    expect(await search(limit)).toMatchObject({ passed, failed });
  });

  it('finds nothing where nothing works', async () => {
    expect(await search(100)).toMatchObject({ passed: 0, failed: 500 });
  });

  it('ends at the maximum, with nothing that failed', async () => {
    const found = await search(99_999);
    expect(found).toMatchObject({ passed: 16_000 });
    expect(found.failed).toBeUndefined();
  });

  it('tries each rate once, on the grid', async () => {
    for (let limit = 250; limit < 17_000; limit += 250) {
      const { tried } = await search(limit);
      expect(new Set(tried).size).toBe(tried.length);
      expect(tried.every((rate) => rate % 500 === 0)).toBe(true);
      expect(tried.length).toBeLessThanOrEqual(9);
    }
  });
});
