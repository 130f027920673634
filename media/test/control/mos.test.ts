import { describe, expect, test } from 'vitest';
import {
  delayImpairment,
  equipmentImpairment,
  meanOpinionScore,
  mosOfRating,
  R_DEFAULT,
} from '../../control/mos.ts';

describe('G.107 annex B: rating to mean opinion score', () => {
  // Table B.1, and the 4.41 that G.107 gives for its default values.
  test.each([
    [93.2, 4.41],
    [90, 4.34],
    [80, 4.02],
    [70, 3.6],
    [60, 3.1],
    [50, 2.58],
  ])('R %d is %d', (r, mos) => {
    expect(mosOfRating(r)).toBeCloseTo(mos, 2);
  });

  test('stays within 1 to 4.5 and never falls as R grows', () => {
    for (let r = -50; r <= 150; r += 0.5) {
      expect(mosOfRating(r)).toBeGreaterThanOrEqual(1);
      expect(mosOfRating(r)).toBeLessThanOrEqual(4.5);
      expect(mosOfRating(r + 0.5)).toBeGreaterThanOrEqual(mosOfRating(r) - 1e-9);
    }
  });
});

describe('G.107 clause 7.4: delay', () => {
  // Worked by hand from the formula with mT 100 ms and sT 1.
  test.each([
    [0, 0],
    [100, 0],
    [150, 0.16],
    [200, 3.04],
    [400, 24.07],
  ])('%d ms costs %d', (ms, idd) => {
    expect(delayImpairment(ms)).toBeCloseTo(idd, 1);
  });

  test('G.114: below 150 ms hardly anything, at 400 ms many are dissatisfied (R below 70)', () => {
    expect(R_DEFAULT - delayImpairment(150)).toBeGreaterThan(90);
    expect(R_DEFAULT - delayImpairment(400)).toBeLessThan(70);
  });
});

describe('G.107 clause 7.5: loss', () => {
  const g711 = { ie: 0, bpl: 25.1 };
  const g729 = { ie: 11, bpl: 19 };
  test.each([
    [g711, 0, 0],
    [g711, 1, 3.64],
    [g711, 5, 15.78],
    [g711, 100, 75.94],
    [g729, 0, 11],
    [g729, 2, 19],
  ])('%o with %d %% is %d', (codec, lossPct, ieEff) => {
    expect(equipmentImpairment(codec, lossPct)).toBeCloseTo(ieEff, 2);
  });
});

describe('a call', () => {
  const good = { codec: 'PCMU/8000', lossPct: 0, jitterMs: 1, rttMs: 10 } as const;
  test('without faults has the default score', () => {
    expect(meanOpinionScore(good)).toBeCloseTo(4.41, 2);
    expect(meanOpinionScore({ ...good, rttMs: null })).toBeCloseTo(4.41, 2);
  });

  test('loses by loss, delay and jitter', () => {
    expect(meanOpinionScore({ ...good, lossPct: 5 })).toBeCloseTo(3.93, 1);
    expect(meanOpinionScore({ ...good, rttMs: 700 })).toBeLessThan(3.8);
    expect(meanOpinionScore({ ...good, jitterMs: 150 })).toBeLessThan(4);
    expect(meanOpinionScore({ ...good, lossPct: 100 })).toBeLessThan(1.3);
  });
});
