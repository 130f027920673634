/** The command line of `npm run sim`. */
import { parseArgs } from 'node:util';

export const USAGE = `npm run sim -- [options]

  --seed S          one seed, 0 to 2^53 - 1
  --scenario FILE   one scenario file
  --busy            with --seed: not what the seed draws, but one node, 100 phones and a call a second
  --seeds N         N fresh seeds, over all cores of the machine (default: 100)
  --hours H         with --seed: hours of load; else fresh seeds until H virtual hours are done
  --for S           fresh seeds for S seconds of real time
  --from S          fresh seeds begin with this one, to repeat a run; default: drawn
  --core FILE       another core than build/core.wasm
  --out FOLDER      where shrunk scenarios are written (default: build/sim)
  --no-shrink       report a failing seed as it is
  --trace           with --seed or --scenario: print every message
  --json            one JSON document at the end, progress to standard error
  --help
`;

export interface Arguments {
  /** What to play: one seed or file, or fresh seeds up to one of these limits. */
  what:
    | { kind: 'seed'; seed: number; minutes?: number; busy: boolean }
    | { kind: 'file'; file: string }
    | { kind: 'fresh'; from?: number; seeds?: number; hours?: number; seconds?: number };
  core?: string;
  out?: string;
  shrink: boolean;
  trace: boolean;
  json: boolean;
}

const SEEDS = 100;

/**
 * Reads it; undefined when help is wanted.
 * @throws Error for what is no option or no value of one
 */
export function readArguments(argv: string[]): Arguments | undefined {
  const { values } = parseArgs({
    args: argv,
    options: {
      seed: { type: 'string' },
      scenario: { type: 'string' },
      busy: { type: 'boolean', default: false },
      seeds: { type: 'string' },
      hours: { type: 'string' },
      for: { type: 'string' },
      from: { type: 'string' },
      core: { type: 'string' },
      out: { type: 'string' },
      'no-shrink': { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const whole = (name: 'seed' | 'seeds' | 'from') => numberOf(name, values[name], Number.isSafeInteger);
  const positive = (name: 'hours' | 'for') => numberOf(name, values[name], (value) => value > 0);
  if (values.seed !== undefined && values.scenario !== undefined)
    throw new Error('give --seed or --scenario, not both');
  const single = values.seed ?? values.scenario;
  for (const name of ['seeds', 'for', 'from'] as const) {
    if (single !== undefined && values[name] !== undefined)
      throw new Error(`--${name} is for fresh seeds, not for one`);
  }
  const hours = positive('hours');
  const common = {
    ...(values.core !== undefined && { core: values.core }),
    ...(values.out !== undefined && { out: values.out }),
    shrink: !values['no-shrink'],
    trace: values.trace,
    json: values.json,
  };
  if (values.busy && values.seed === undefined) throw new Error('--busy is for one --seed');
  if (values.trace && single === undefined) throw new Error('--trace is for one --seed or --scenario');
  if (values.scenario !== undefined) return { what: { kind: 'file', file: values.scenario }, ...common };
  const seed = whole('seed');
  if (seed !== undefined)
    return {
      what: { kind: 'seed', seed, busy: values.busy, ...(hours !== undefined && { minutes: hours * 60 }) },
      ...common,
    };
  const from = whole('from');
  const seconds = positive('for');
  const seeds = whole('seeds') ?? (hours === undefined && seconds === undefined ? SEEDS : undefined);
  return {
    what: {
      kind: 'fresh',
      ...(from !== undefined && { from }),
      ...(seeds !== undefined && { seeds }),
      ...(hours !== undefined && { hours }),
      ...(seconds !== undefined && { seconds }),
    },
    ...common,
  };
}

function numberOf(
  name: string,
  text: string | undefined,
  fits: (value: number) => boolean,
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !fits(value) || value < 0)
    throw new Error(`--${name}: "${text}" is no such number`);
  return value;
}
