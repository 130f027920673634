import { describe, expect, it } from 'vitest';
import { readArguments, USAGE } from '../../sim/cli/arguments.ts';

const common = { shrink: true, trace: false, json: false };

describe('the command line of npm run sim', () => {
  it.each([
    [[], { what: { kind: 'fresh', seeds: 100 }, ...common }],
    [['--hours', '10'], { what: { kind: 'fresh', hours: 10 }, ...common }],
    [['--for', '60', '--from', '5'], { what: { kind: 'fresh', seconds: 60, from: 5 }, ...common }],
    [['--seed', '7'], { what: { kind: 'seed', seed: 7, busy: false }, ...common }],
    [
      ['--seed', '7', '--hours', '2', '--json'],
      { what: { kind: 'seed', seed: 7, busy: false, minutes: 120 }, ...common, json: true },
    ],
    [['--scenario', 'a.json', '--trace'], { what: { kind: 'file', file: 'a.json' }, ...common, trace: true }],
  ])('%j', (argv, wanted) => {
    expect(readArguments(argv)).toEqual(wanted);
  });

  it.each([
    [['--seed', 'x'], '--seed: "x" is no such number'],
    [['--seed', '-1'], '--seed'],
    [['--hours', '0'], '--hours: "0" is no such number'],
    [['--seed', '1', '--seeds', '2'], '--seeds is for fresh seeds'],
    [['--seed', '1', '--scenario', 'a'], 'not both'],
    [['--busy'], '--busy is for one --seed'],
    [['--trace'], '--trace is for one'],
    [['--speed'], "Unknown option '--speed'"],
  ])('%j is refused', (argv, message) => {
    expect(() => readArguments(argv)).toThrow(message);
  });

  it('explains itself', () => {
    expect(readArguments(['--help'])).toBeUndefined();
    expect(USAGE).toContain('--scenario');
  });
});
