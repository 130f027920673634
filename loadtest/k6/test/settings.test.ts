import { describe, expect, it } from 'vitest';
import { parseTimeMs, readSettings, SETTINGS, type SettingName, variable } from '../lib/settings.ts';

describe('settings of a load run', () => {
  it('come from the table, then from the script, then from the environment', () => {
    expect(readSettings({})).toEqual({
      target: 'ws://127.0.0.1:8080/sip',
      ratePerS: 10,
      durationS: 10,
      holdMs: 0,
      answerDelayMs: 0,
      budgetScale: 1,
      digest: 'both',
      domain: 'strowger.test',
      firstUser: 1_000_000,
      userCount: 100_000,
      password: 'bench-<user>',
    });
    expect(readSettings({}, { rate: '50', hold: '2s' })).toMatchObject({ ratePerS: 50, holdMs: 2_000 });
    expect(readSettings({ RATE: '7', ANSWER_DELAY: '300ms' }, { rate: '50' })).toMatchObject({
      ratePerS: 7,
      answerDelayMs: 300,
    });
  });

  it('have one variable each', () => {
    const names = Object.keys(SETTINGS) as SettingName[];
    expect(new Set(names.map(variable)).size).toBe(names.length);
    expect(variable('answer-delay')).toBe('ANSWER_DELAY');
  });

  it.each([
    ['RATE', '0'],
    ['RATE', 'fast'],
    ['DURATION', '0s'],
    ['DURATION', '10'],
    ['HOLD', '-1s'],
    ['BUDGET_SCALE', '-2'],
    ['DIGEST', 'sha-512'],
    ['USERS', '1000'],
    ['USERS', '1000-1000'],
    ['TARGET', 'http://127.0.0.1/sip'],
  ])('refuse %s=%s by name', (name, value) => {
    expect(() => readSettings({ [name]: value })).toThrow(`${name}: "${value}"`);
  });

  it.each([
    ['500ms', 500],
    ['1.5s', 1_500],
    ['10m', 600_000],
    ['8h', 28_800_000],
    ['0s', 0],
    ['s', undefined],
    ['1d', undefined],
  ])('read the time %s', (text, ms) => {
    expect(parseTimeMs(text)).toBe(ms);
  });
});
