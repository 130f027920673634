import { describe, expect, test } from 'vitest';
import {
  codecImpairment,
  delayImpairment,
  grade,
  lossImpairment,
  mosOf,
  R_DEFAULT,
  rating,
} from '../../softphone/phone/emodel.ts';

const G711 = codecImpairment('PCMU');

describe('the E-model', () => {
  test.each([
    // G.107 annex B, table B.1.
    [90, 4.34],
    [80, 4.03],
    [70, 3.6],
    [60, 3.1],
    [50, 2.58],
  ])('R %i is MOS %f', (r, mos) => {
    expect(Math.abs(mosOf(r) - mos)).toBeLessThan(0.01);
  });

  test('MOS stays within 1 and 4.5', () => {
    expect([mosOf(-5), mosOf(0), mosOf(3), mosOf(100), mosOf(120)]).toEqual([1, 1, 1, 4.5, 4.5]);
  });

  test('delay hurts little up to 177 ms, and much beyond', () => {
    expect(delayImpairment(0)).toBe(0);
    expect(delayImpairment(100)).toBeCloseTo(2.4);
    expect(delayImpairment(177.3)).toBeCloseTo(4.26, 2);
    expect(delayImpairment(277.3)).toBeCloseTo(6.66 + 11, 1);
  });

  test('loss follows G.107 equation 7-29', () => {
    expect(lossImpairment(0, G711)).toBe(0);
    expect(lossImpairment(25.1, G711)).toBeCloseTo(47.5);
    expect(lossImpairment(100, { ie: 11, bpl: 19 })).toBeCloseTo(11 + (84 * 100) / 119);
  });

  test('a perfect call is 4.41, a hopeless one 1', () => {
    expect(rating(0, 0, G711)).toBe(R_DEFAULT);
    expect(mosOf(R_DEFAULT)).toBeCloseTo(4.41, 2);
    expect(mosOf(rating(2_000, 100, G711))).toBe(1);
  });

  test.each([
    [90, 'excellent'],
    [89.9, 'good'],
    [75, 'fair'],
    [60, 'poor'],
    [59, 'bad'],
  ])('R %f is %s', (r, name) => {
    expect(grade(r)).toBe(name);
  });
});
