/** The command line of `npm run load`. */
import { parseArgs } from 'node:util';
import { readSettings, SETTINGS, type SettingName, variable } from './lib/settings.ts';

/** The scripts of k6: a file each. */
export const SCRIPTS = {
  smoke: 'sixty calls: does everything work?',
  register: 'a storm of registrations',
  ramp: 'calls at a rising rate',
  soak: 'a moderate rate for a long time',
  breakpoint: 'a rate that rises until a threshold breaks',
} as const;

export type Script = keyof typeof SCRIPTS;

const NAMES = Object.keys(SETTINGS) as SettingName[];

export const USAGE = `npm run load -- [SCRIPT] [options]

scripts (default: smoke)
${Object.entries(SCRIPTS)
  .map(([name, what]) => `  ${name.padEnd(12)} ${what}`)
  .join('\n')}

options (defaults of a script are in its file in loadtest/k6)
${NAMES.map((name) => `  ${`--${name} ${SETTINGS[name].value}`.padEnd(24)} ${SETTINGS[name].what}`).join('\n')}
`;

export interface Arguments {
  script: Script;
  /** What was given, as variables for k6. */
  given: Record<string, string>;
}

/**
 * Reads it; undefined when help is wanted.
 * @throws Error for what is no script, no option or no value of one
 */
export function readArguments(argv: string[]): Arguments | undefined {
  const flags = NAMES.map((name): [string, { type: 'string' }] => [name, { type: 'string' }]);
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: { ...Object.fromEntries(flags), help: { type: 'boolean', short: 'h' } },
  });
  if (values['help']) return undefined;
  const [script = 'smoke', ...more] = positionals;
  if (!Object.hasOwn(SCRIPTS, script)) throw new Error(`no script "${script}"`);
  if (more.length > 0) throw new Error(`one script at a time, not also "${more.join(' ')}"`);
  const texts = values as Record<string, string | undefined>;
  const given = Object.fromEntries(
    NAMES.flatMap((name) => {
      const text = texts[name];
      return text === undefined ? [] : [[variable(name), text]];
    }),
  );
  readSettings(given); // a mistake is found before anything is started
  return { script: script as Script, given };
}
