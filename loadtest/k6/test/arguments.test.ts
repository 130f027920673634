import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readArguments, SCRIPTS, USAGE } from '../arguments.ts';
import { SETTINGS } from '../lib/settings.ts';

describe('the command line of npm run load', () => {
  it('is a script and settings for k6', () => {
    expect(readArguments([])).toEqual({ script: 'smoke', given: {} });
    expect(readArguments(['ramp', '--rate', '7', '--answer-delay', '1s'])).toEqual({
      script: 'ramp',
      given: { RATE: '7', ANSWER_DELAY: '1s' },
    });
  });

  it('explains itself', () => {
    expect(readArguments(['ramp', '--help'])).toBeUndefined();
    for (const name of Object.keys(SETTINGS)) expect(USAGE).toContain(`  --${name} `);
  });

  it('names scripts that are there', () => {
    for (const name of Object.keys(SCRIPTS))
      expect(existsSync(join(import.meta.dirname, `../${name}.ts`)), name).toBe(true);
  });

  it.each([
    [['nonsense'], 'no script "nonsense"'],
    [['toString'], 'no script "toString"'],
    [['smoke', 'ramp'], 'one script at a time, not also "ramp"'],
    [['smoke', '--rate', 'fast'], 'RATE: "fast" is not N'],
    [['smoke', '--speed', '3'], "Unknown option '--speed'"],
  ])('%j is refused', (argv, message) => {
    expect(() => readArguments(argv)).toThrow(message);
  });
});
