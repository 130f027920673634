import { describe, expect, it } from 'vitest';
import { Random } from '../../sim/random.ts';

const words = (random: Random) => Array.from({ length: 5 }, () => random.word());

describe('random numbers', () => {
  it('are the same for the same seed and name, and others for another', () => {
    expect(words(new Random(7, 'a'))).toEqual(words(new Random(7, 'a')));
    expect(words(new Random(7, 'a'))).not.toEqual(words(new Random(8, 'a')));
    expect(words(new Random(7, 'a'))).not.toEqual(words(new Random(7, 'b')));
    expect(words(new Random(7 + 2 ** 40, 'a'))).not.toEqual(words(new Random(7, 'a')));
  });

  it('do not change from version to version: kept scenarios depend on them', () => {
    expect(words(new Random(1, 'network'))).toMatchInlineSnapshot(`
      [
        5373376,
        3120890090,
        2253271611,
        1897411144,
        3895618010,
      ]
    `);
  });

  it('fill their ranges', () => {
    const random = new Random(3, 'range');
    const seen = new Set(Array.from({ length: 1_000 }, () => random.between(3, 7)));
    expect([...seen].sort()).toEqual([3, 4, 5, 6, 7]);
    const often = Array.from({ length: 10_000 }, () => random.chance(250)).filter(Boolean).length;
    expect(often).toBeGreaterThan(2_200);
    expect(often).toBeLessThan(2_800);
    expect(random.chance(0)).toBe(false);
    expect(random.hex(12)).toMatch(/^[0-9a-f]{12}$/);
    expect(() => random.pick([])).toThrow('nothing');
  });
});
