/**
 * `npm run load`: one of the k6 scripts against a switch of its own, or with --target against any. Prints k6's summary,
 * writes it with the settings to loadtest/results, and ends with k6's exit code: 0, or 99 when a threshold is broken.
 * See loadtest/README.md.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { Switch } from '../../switch/test/e2e/harness/switch.ts';
import { foreground, which } from '../../tools/lib/process.mjs';
import { runInfo } from '../bench/run-info.ts';
import { RESULTS_FOLDER } from '../bench/results.ts';
import { startEcho } from './echo.ts';
import { readSettings, SETTINGS, type SettingName, variable } from './lib/settings.ts';
import { askSwitch, type SwitchSide, switchLines } from './switch-side.ts';

const SCRIPTS = {
  smoke: 'sixty calls: does everything work?',
  register: 'a storm of registrations',
  ramp: 'calls at a rising rate',
  soak: 'a moderate rate for a long time',
  breakpoint: 'a rate that rises until a threshold breaks',
} as const;
type Script = keyof typeof SCRIPTS;

const EXIT_USAGE = 2;

const NAMES = Object.keys(SETTINGS) as SettingName[];

const USAGE = `npm run load -- [SCRIPT] [options]

scripts (default: smoke)
${Object.entries(SCRIPTS)
  .map(([name, what]) => `  ${name.padEnd(12)} ${what}`)
  .join('\n')}

options (defaults of a script are in its file in loadtest/k6)
${NAMES.map((name) => `  ${`--${name} ${SETTINGS[name].value}`.padEnd(24)} ${SETTINGS[name].what}`).join('\n')}
`;

interface Arguments {
  script: Script;
  /** What was given, by name of the environment variable. */
  given: Record<string, string>;
}

/** @throws Error for what is no script, no option or no value of one; undefined when help is wanted */
function readArguments(): Arguments | undefined {
  const flags = NAMES.map((name): [string, { type: 'string' }] => [name, { type: 'string' }]);
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { ...Object.fromEntries(flags), help: { type: 'boolean', short: 'h' } },
  });
  if (values['help']) return undefined;
  const [script = 'smoke', ...more] = positionals;
  if (!(script in SCRIPTS)) throw new Error(`no script "${script}"`);
  if (more.length > 0) throw new Error(`one script at a time, not also "${more.join(' ')}"`);
  const texts = values as Record<string, string | undefined>;
  const given = Object.fromEntries(
    NAMES.flatMap((name) => (texts[name] === undefined ? [] : [[variable(name), texts[name]]])),
  ) as Record<string, string>;
  readSettings(given); // a mistake is found before anything is started
  return { script: script as Script, given };
}

/** Runs k6 and gives its exit code; the summary that it writes is at `export`. */
function runK6(script: Script, env: Record<string, string>, summary: string): Promise<number> {
  const k6 = which('k6', process.env);
  if (!k6) throw new Error('there is no k6 on the PATH; npm run load brings one');
  const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  // No usage report to its makers, and no API server, which two runs at a time would quarrel about.
  const flags = ['--no-usage-report', '--address', '', ...variables];
  return foreground(k6, ['run', ...flags, join(import.meta.dirname, `${script}.ts`)], {
    env: { ...process.env, K6_SUMMARY_EXPORT: summary },
    shielded: true,
  });
}

/** What is kept of a run, beside the metrics of k6's summary. */
interface Result {
  script: Script;
  /** What was given on the command line, by name of the environment variable. */
  settings: Record<string, string>;
  exitCode: number;
  /** Undefined for a switch that is not ours. */
  switch: SwitchSide | undefined;
}

/** Puts k6's summary together with how it came about. Returns the path of the file. */
function writeResult(result: Result, summary: string): string {
  const run = runInfo();
  const { metrics } = JSON.parse(readFileSync(summary, 'utf8')) as { metrics: unknown };
  rmSync(summary);
  const name = `load-${result.script}-${run.date.slice(0, 19).replaceAll(':', '')}.json`;
  const file = join(RESULTS_FOLDER, name);
  writeFileSync(file, `${JSON.stringify({ run, ...result, metrics }, null, 2)}\n`);
  return relative(process.cwd(), file);
}

async function main({ script, given }: Arguments): Promise<number> {
  mkdirSync(RESULTS_FOLDER, { recursive: true });
  const summary = join(RESULTS_FOLDER, `.k6-${process.pid}.json`);
  const ours = given['TARGET'] ? undefined : await Switch.start({ base: 'load.yaml' });
  const echo = ours && (await startEcho());
  try {
    const places: Record<string, string> = ours && echo ? { TARGET: ours.webSocket, ECHO: echo.url } : {};
    const exitCode = await runK6(script, { ...given, ...places }, summary);
    const side = ours && (await askSwitch(ours));
    if (side) console.log(`\n${switchLines(side).join('\n')}`);
    console.log(`\nresults: ${writeResult({ script, settings: given, exitCode, switch: side }, summary)}`);
    return exitCode;
  } finally {
    echo?.stop();
    await ours?.stop();
  }
}

try {
  const options = readArguments();
  if (options) process.exitCode = await main(options);
  else console.log(USAGE);
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = EXIT_USAGE;
}
