/**
 * `npm run load`: one of the k6 scripts against a switch of its own, or with --target against any. Prints k6's summary,
 * writes it with the settings to loadtest/results, and ends with k6's exit code: 0, or 99 when a threshold is broken.
 * See loadtest/README.md.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Switch } from '../../switch/test/e2e/harness/switch.ts';
import { foreground, which } from '../../tools/lib/process.mjs';
import { RESULTS_FOLDER } from '../bench/results.ts';
import { runInfo } from '../bench/run-info.ts';
import { type Arguments, readArguments, type Script, USAGE } from './arguments.ts';
import { startEcho } from './echo.ts';
import { askSwitch, type SwitchSide, switchLines } from './switch-side.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

/** Runs k6 and gives its exit code; it writes its summary to a file. */
function runK6(script: Script, variables: Record<string, string>, summary: string): Promise<number> {
  const k6 = which('k6', process.env);
  if (!k6) throw new Error('there is no k6 on the PATH; npm run load brings one');
  const flags = [
    '--no-usage-report', // nothing is sent to its makers
    ...['--address', ''], // no API server: two runs at a time would quarrel about its port
    '--include-system-env-vars=false', // a variable of the shell is no setting
    ...Object.entries(variables).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
  ];
  return foreground(k6, ['run', ...flags, join(import.meta.dirname, `${script}.ts`)], {
    env: { ...process.env, K6_SUMMARY_EXPORT: summary },
    shielded: true,
  });
}

/** What is kept of a run, beside the metrics of k6's summary. */
interface Result {
  script: Script;
  /** What was given on the command line, as variables of k6. */
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
  const { PASSWORD, ...settings } = result.settings; // it may be a real one
  const name = `load-${result.script}-${run.date.slice(0, 19).replaceAll(':', '')}.json`;
  const file = join(RESULTS_FOLDER, name);
  writeFileSync(file, `${JSON.stringify({ run, ...result, settings, metrics }, null, 2)}\n`);
  return relative(process.cwd(), file);
}

async function main({ script, given }: Arguments): Promise<number> {
  mkdirSync(RESULTS_FOLDER, { recursive: true });
  const summary = join(RESULTS_FOLDER, `.k6-${process.pid}.json`);
  // k6 gets the signals while it runs. At other times they must not keep the switch from being stopped.
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (interrupted = true));
  const ours = given['TARGET'] ? undefined : await Switch.start({ base: 'load.yaml' });
  const echo = ours && (await startEcho());
  try {
    if (interrupted) return EXIT_INTERRUPTED;
    const places: Record<string, string> = ours && echo ? { TARGET: ours.webSocket, ECHO: echo.url } : {};
    const exitCode = await runK6(script, { ...given, ...places }, summary);
    const side = ours && (await askSwitch(ours));
    if (side) console.log(`\n${switchLines(side).join('\n')}`);
    // Without a summary it could not even begin, and has said why.
    if (!existsSync(summary)) return exitCode;
    console.log(`\nresults: ${writeResult({ script, settings: given, exitCode, switch: side }, summary)}`);
    return exitCode;
  } finally {
    echo?.stop();
    await ours?.stop();
  }
}

function complain(error: unknown, more = ''): void {
  console.error(`${(error as Error).message}${more}`);
}

let options: Arguments | undefined;
try {
  options = readArguments(process.argv.slice(2));
  if (!options) console.log(USAGE);
} catch (error) {
  complain(error, `\n\n${USAGE}`);
  process.exitCode = EXIT_USAGE;
}
if (options) {
  try {
    process.exitCode = await main(options);
  } catch (error) {
    complain(error);
    process.exitCode = EXIT_FAILED;
  }
}
