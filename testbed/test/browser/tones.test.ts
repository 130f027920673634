import { describe, expect, test } from 'vitest';
import { decay, levelOf } from '../../softphone/browser/levels.ts';
import { endToneFor, toneFor } from '../../softphone/browser/tone-choice.ts';
import { DTMF_HZ } from '../../softphone/browser/tones.ts';
import { KEYS } from '../../softphone/phone/dial.ts';
import type { CallSnapshot } from '../../softphone/phone/call.ts';

const call = (change: Partial<CallSnapshot>): CallSnapshot => ({ ...({} as CallSnapshot), ...change });

describe('toneFor', () => {
  test.each([
    ['nothing', [], null],
    ['a call that comes in', [{ phase: 'incoming' }], 'ring'],
    ['one beside a call that talks', [{ phase: 'active' }, { phase: 'incoming' }], 'waiting'],
    ['a call that is not answered yet', [{ phase: 'ringing' }], 'ringback'],
    ['one whose other side plays its own', [{ phase: 'ringing', earlyMedia: true }], null],
    ['one that was only sent', [{ phase: 'dialing' }], null],
    ['a call that talks', [{ phase: 'active' }], null],
  ] as const)('%s', (_what, calls, tone) => {
    expect(toneFor(calls.map((one) => call(one)))).toBe(tone);
  });
});

test.each([
  [{ outcome: 'failed', direction: 'out' }, 'busy'],
  [{ outcome: 'completed', direction: 'in' }, 'ended'],
  [{ outcome: 'missed', direction: 'in' }, null],
  [{ outcome: 'cancelled', direction: 'out' }, null],
] as const)('endToneFor(%j) is %s', (ended, tone) => {
  expect(endToneFor(call(ended))).toBe(tone);
});

test('every key has the two frequencies of Q.23', () => {
  for (const { tone } of KEYS) expect(DTMF_HZ[tone]).toHaveLength(2);
  expect(DTMF_HZ['5']).toEqual([770, 1336]);
  expect(DTMF_HZ['#']).toEqual([941, 1477]);
});

describe('levels', () => {
  test('are linear in decibels from -60 to 0', () => {
    expect(levelOf(new Float32Array(8))).toBe(0);
    expect(levelOf(new Float32Array(8).fill(1))).toBe(1);
    expect(levelOf(new Float32Array(8).fill(0.1))).toBeCloseTo(2 / 3);
    expect(levelOf(new Float32Array(8).fill(0.0001))).toBe(0);
  });

  test('rise at once and fall slowly', () => {
    expect(decay(0.2, 0.9)).toBe(0.9);
    expect(decay(0.9, 0.2)).toBeCloseTo(0.86);
    expect(decay(0.21, 0.2)).toBe(0.2);
  });
});
