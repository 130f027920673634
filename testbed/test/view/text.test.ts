import { describe, expect, test } from 'vitest';
import { callStatus } from '../../softphone/view/call-status.ts';
import { clock, hueOf, initials, when } from '../../softphone/view/text.ts';
import type { CallSnapshot } from '../../softphone/phone/call.ts';

test.each([
  [0, '0:00'],
  [7_999, '0:07'],
  [725_000, '12:05'],
  [3_725_000, '1:02:05'],
  [-5, '0:00'],
])('clock(%i) is %s', (ms, text) => {
  expect(clock(ms)).toBe(text);
});

describe('when', () => {
  const now = new Date(2026, 10, 23, 15, 0).getTime();
  test.each([
    [new Date(2026, 10, 23, 9, 5), '09:05'],
    [new Date(2026, 10, 22, 23, 59), 'Yesterday'],
    [new Date(2026, 10, 19, 12, 0), 'Thursday'],
    [new Date(2026, 9, 1, 12, 0), '1 Oct 2026'],
  ])('%s is %s', (date, text) => {
    expect(when(date.getTime(), now, 'en-GB')).toBe(text);
  });
});

test.each([
  ['Bea Okafor', '1002', 'BO'],
  ['Ada Mary Lovelace', '1', 'AL'],
  ['cher', '1', 'C'],
  ['', '1002', '02'],
  ['', 'bob@example.org', 'B'],
])('initials(%j, %j) is %s', (name, number, text) => {
  expect(initials(name, number)).toBe(text);
});

test('a number always has the same hue, and neighbours differ', () => {
  expect(hueOf('1002')).toBe(hueOf('1002'));
  expect(Math.abs(hueOf('1002') - hueOf('1003'))).toBeGreaterThan(20);
});

describe('callStatus', () => {
  const call = (change: Partial<CallSnapshot>) =>
    callStatus({ ...({} as CallSnapshot), phase: 'active', answeredAtMs: 1_000, ...change }, 66_000);
  test('shows the time, and who holds', () => {
    expect(call({})).toMatchObject({ text: '1:05', mood: 'talking' });
    expect(call({ held: true }).text).toBe('On hold · 1:05');
    expect(call({ heldByRemote: true }).text).toBe('They put you on hold · 1:05');
    expect(call({ phase: 'ringing', answeredAtMs: null })).toEqual({
      text: 'Ringing…',
      spoken: 'Ringing…',
      mood: 'calm',
    });
  });

  test('does not read the clock aloud', () => {
    expect(call({}).spoken).toBe('In call');
  });
});
