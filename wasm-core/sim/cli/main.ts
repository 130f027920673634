/**
 * `npm run sim`: plays seeds or a scenario; a failure is shown with the command that repeats it, shrunk, and written to a file.
 * Ends with 0 when nothing failed, 1 when a checker spoke, 2 for a wrong command line.
 */
import { createHash, randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { TRANSPORT_NAMES } from '../../host/names.ts';
import type { Flight } from '../network.ts';
import { type Outcome, play } from '../play.ts';
import type { Scenario } from '../scenario.ts';
import { busyScenario } from '../busy.ts';
import { readScenario, ScenarioError, writeScenario } from '../scenario-file.ts';
import { shrink } from '../shrink.ts';
import type { Observer } from '../simulation.ts';
import { drawScenario } from '../swarm.ts';
import { type Arguments, readArguments, USAGE } from './arguments.ts';
import { runFresh, type Totals } from './fresh.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const CORE = join(ROOT, 'build/core.wasm');
const OUT = join(ROOT, 'build/sim');
const PROGRESS_MS = 2_000;
const BUSY_MINUTES = 60;
/** Seeds by chance are below this: short enough to type. */
const SEED_MAX = 2 ** 31;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** For people: on standard error when standard output is JSON. */
type Say = (line: string) => void;

async function main(options: Arguments): Promise<number> {
  const say: Say = options.json ? console.error : console.log;
  const wasm = readFileSync(options.core ?? CORE);
  const core = createHash('sha256').update(wasm).digest('hex');
  say(`core ${core.slice(0, 16)} (${relative(process.cwd(), options.core ?? CORE)})`);
  const { what } = options;
  if (what.kind === 'fresh') {
    const { totals, failed } = await runFresh(wasm, what.from ?? randomInt(SEED_MAX), what, progress(say));
    say(totalsLine(totals));
    if (failed === undefined) say(`no failure in seeds ${totals.from} to ${totals.from + totals.seeds - 1}`);
    const found =
      failed && report(failed, drawScenario(failed.seed), `--seed ${failed.seed}`, wasm, options, say);
    if (options.json) print({ core, ...totals, ...(failed && { failed, ...found }) });
    return failed === undefined ? 0 : EXIT_FAILED;
  }
  const scenario = scenarioOf(what);
  const began = performance.now();
  const outcome = play(scenario, new WebAssembly.Module(wasm), options.trace ? [tracer(say)] : []);
  const seconds = (performance.now() - began) / 1_000;
  say(
    `seed ${outcome.seed}: ${hours(outcome.virtualUs / 3.6e9)} in ${seconds.toFixed(1)} s ` +
      `(${Math.round(outcome.virtualUs / 1e6 / seconds)} times real time), ${outcome.callsPlaced} calls placed, ` +
      `${outcome.callsAnswered} answered, ${outcome.messages} messages, trace ${outcome.hash}`,
  );
  const repeat =
    what.kind === 'file'
      ? `--scenario ${what.file}`
      : `--seed ${what.seed}${what.busy ? ' --busy' : ''}${what.minutes ? ` --hours ${what.minutes / 60}` : ''}`;
  const found = outcome.failure && report(outcome, scenario, repeat, wasm, options, say);
  if (options.json) print({ core, seconds, ...outcome, ...found });
  return outcome.failure === undefined ? 0 : EXIT_FAILED;
}

function scenarioOf(what: Exclude<Arguments['what'], { kind: 'fresh' }>): Scenario {
  if (what.kind === 'file') return readScenario(readFileSync(what.file, 'utf8'));
  if (what.busy) return busyScenario(what.seed, what.minutes ?? BUSY_MINUTES);
  return drawScenario(what.seed, what.minutes === undefined ? {} : { minutes: what.minutes });
}

/** Says what failed and how to see it again; shrinks it and writes the file. */
function report(
  outcome: Outcome,
  scenario: Scenario,
  repeat: string,
  wasm: Uint8Array<ArrayBuffer>,
  options: Arguments,
  say: Say,
): { file?: string } {
  const failure = outcome.failure!;
  say(`\nFAILED ${failure.checker} at ${seconds(failure.atUs)}: ${failure.text}`);
  say(`  rule:   docs/checkers/${failure.checker}.md`);
  say(`  repeat: npm run sim -- ${repeat}`);
  if (!options.shrink) return {};
  const module = new WebAssembly.Module(wasm);
  let saidMs = performance.now();
  const small = shrink(scenario, failure, (candidate) => play(candidate, module).failure, {
    onProgress(runs, best) {
      if (performance.now() - saidMs < PROGRESS_MS) return;
      saidMs = performance.now();
      say(`  shrinking: ${runs} runs, ${sizeOf(best)}`);
    },
  });
  const folder = options.out ?? OUT;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${failure.checker}-${outcome.seed}.json`);
  const title = `${small.failure.checker}: ${small.failure.text}`;
  writeFileSync(file, writeScenario({ ...small.scenario, title }));
  const path = relative(process.cwd(), file);
  say(`  shrunk to ${sizeOf(small.scenario)} in ${small.runs} runs: ${path}`);
  say(`  ${seconds(small.failure.atUs)}: ${small.failure.text}`);
  say(`  replay: npm run sim -- --scenario ${path} --trace`);
  return { file: path };
}

function sizeOf({ nodes, phones, calls, faults, durationMs }: Scenario): string {
  return `${nodes.length} nodes, ${phones.length} phones, ${calls.length} calls, ${faults.length} faults, ${durationMs / 1_000} s`;
}

function progress(say: Say): (totals: Totals) => void {
  let saidMs = performance.now();
  return (totals) => {
    if (performance.now() - saidMs < PROGRESS_MS) return;
    saidMs = performance.now();
    say(totalsLine(totals));
  };
}

function totalsLine({ seeds, virtualHours, seconds: real, callsAnswered, messages }: Totals): string {
  const perMinute = real > 0 ? (virtualHours / real) * 60 : 0;
  return (
    `${seeds} seeds, ${hours(virtualHours)} in ${Math.round(real)} s (${perMinute.toFixed(1)} virtual hours per minute), ` +
    `${callsAnswered} calls answered, ${messages} messages`
  );
}

function hours(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} virtual hours`;
}

function seconds(us: number): string {
  return `${(us / 1e6).toFixed(6)} s`;
}

/** Prints messages, notes and faults as they happen. */
function tracer(say: Say): Observer {
  const at = { us: 0 };
  return {
    flight(flight: Flight) {
      at.us = flight.sentUs;
      const first = new TextDecoder().decode(flight.packet.bytes).split('\r\n', 1)[0];
      const way = `${flight.from} > ${flight.to || `${flight.toIp}:${flight.toPort}`}`;
      const fate =
        flight.fate === 'arrives'
          ? `+${((flight.arrivesUs - flight.sentUs) / 1_000).toFixed(1)} ms`
          : flight.fate;
      say(
        `${seconds(flight.sentUs)}  ${way.padEnd(12)} ${TRANSPORT_NAMES[flight.transport]}  ${first}  ` +
          `[${flight.packet.sip?.callId ?? ''} ${flight.packet.sip?.header('cseq') ?? ''}] ${fate}`,
      );
    },
    note(note) {
      say(`${seconds(at.us)}  * ${JSON.stringify(note)}`);
    },
    fault(fault, begins) {
      say(`${seconds(at.us)}  ! ${begins ? 'begin' : 'end'} ${JSON.stringify(fault)}`);
    },
  };
}

function print(document: unknown): void {
  console.log(JSON.stringify(document, null, 2));
}

let options: Arguments | undefined;
try {
  options = readArguments(process.argv.slice(2));
  if (!options) console.log(USAGE);
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = EXIT_USAGE;
}
if (options) {
  try {
    process.exitCode = await main(options);
  } catch (error) {
    if (!(error instanceof ScenarioError) && (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    console.error((error as Error).message);
    process.exitCode = EXIT_USAGE;
  }
}
