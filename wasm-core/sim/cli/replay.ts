/**
 * `npm run replay FILE`: replays a recording of a production node, and says whether the core does again what it did then.
 * Exit code 0: all effects are equal, and a core that trapped traps again; 1: a difference; 2: the file can't be replayed.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as abi from '../../assembly/abi.ts';
import { type Difference, framesOf } from '../recording/difference.ts';
import { Recording } from '../recording/file.ts';
import { compileForReplay, type ReplayModule } from '../recording/globals.ts';
import type { ReplayedStep } from '../recording/recorded-core.ts';
import { RecordingError } from '../recording/records.ts';
import { newProgress, replay, type ReplayProgress } from '../recording/replay.ts';
import { printEffect, printEvent } from './print-frame.ts';

const USAGE = `npm run replay -- FILE [--key FILE] [--core FILE] [--anyway] [--json]
  --key FILE   key that the recording is encrypted with; default: recording.key beside the recording
  --core FILE  replay with this core; default: build/core.wasm
  --anyway     replay even if the core is not the one that was recorded: shows what the two do differently
  --json       print the result as JSON`;
const EXIT_DIFFERENT = 1;
const EXIT_UNUSABLE = 2;
const CORE = resolve(import.meta.dirname, '../../../build/core.wasm');
const PROGRESS_MS = 500;
const EVENTS_SHOWN_MAX = 3;

interface Arguments {
  file: string;
  key: string;
  core: string;
  anyway: boolean;
  json: boolean;
}

/** What is counted of a replay. */
interface Totals {
  steps: number;
  events: number;
  messagesIn: number;
  messagesOut: number;
  effectBytes: number;
}

/** @returns null when they make no sense. */
function readArguments(): Arguments | null {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        key: { type: 'string' },
        core: { type: 'string', default: CORE },
        anyway: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const [file, ...more] = positionals;
    if (file === undefined || more.length > 0) return null;
    return { file, ...values, key: values.key ?? join(dirname(file), 'recording.key') };
  } catch {
    return null;
  }
}

function readKey(file: string): Uint8Array<ArrayBuffer> {
  const digits = readFileSync(file, 'utf8').trim();
  if (!/^[0-9a-f]{64}$/i.test(digits)) throw new RecordingError('key', `${file} is no key (64 hex digits)`);
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

function countStep(totals: Totals, step: ReplayedStep): void {
  totals.steps++;
  totals.events += step.taken;
  for (const event of step.events.slice(0, step.taken))
    if (event[abi.F_KIND] === abi.EV_MESSAGE) totals.messagesIn++;
  for (const effect of framesOf(step.effects)) if (effect[abi.F_KIND] === abi.EF_SEND) totals.messagesOut++;
  totals.effectBytes += step.effects.length;
}

/** What differs, in words. */
function explain({ what, offset, recorded, replayed, frame }: Difference): string {
  switch (what) {
    case 'effects':
      return `byte ${offset} of the effects, in effect ${frame}: recorded ${recorded}, replayed ${replayed}`;
    case 'length':
      return `recorded ${recorded} bytes of effects, replayed ${replayed}; up to there they are equal`;
    case 'taken':
      return `recorded: ${recorded} events taken, replayed: ${replayed}`;
    case 'trap':
      return 'the core traps here; it did not when it was recorded';
    case 'no-trap':
      return 'the core does not trap here; it did when it was recorded';
  }
}

/** A step with a difference or a trap, for people: what went in, and what came out then and now. */
function describe(step: ReplayedStep): string {
  const lines = [`step ${step.index} at ${new Date(step.nowUs / 1000).toISOString()}`];
  const { difference, trap, trapEvent } = step;
  if (difference !== null) lines.push(explain(difference));
  if (trap !== null) lines.push(`${trap.name}: ${trap.message}`);
  if (trapEvent !== null) lines.push('the event that it happened in:', printEvent(trapEvent));
  else if (trap instanceof WebAssembly.RuntimeError) lines.push('it happened in a timer');
  else {
    lines.push(`events of the step: ${step.events.length}`);
    lines.push(...step.events.slice(0, EVENTS_SHOWN_MAX).map(printEvent));
  }
  if (difference?.recordedFrame) lines.push('effect as recorded:', printEffect(difference.recordedFrame));
  if (difference?.replayedFrame) lines.push('effect as replayed:', printEffect(difference.replayedFrame));
  return lines.join('\n');
}

function note(args: Arguments, text: string): void {
  if (!args.json) console.log(text);
}

/** A replay as it goes on. */
interface Run {
  totals: Totals;
  progress: ReplayProgress;
  /** The step with which it ended early. */
  found: ReplayedStep | null;
  fromUs: number;
  untilUs: number;
}

/** Replays until the end, a difference or a trap. */
async function replayAll(args: Arguments, core: ReplayModule, recording: Recording): Promise<Run> {
  const totals: Totals = { steps: 0, events: 0, messagesIn: 0, messagesOut: 0, effectBytes: 0 };
  const run: Run = { totals, progress: newProgress(), found: null, fromUs: 0, untilUs: 0 };
  let shownMs = performance.now();
  for await (const step of replay(core, recording, run.progress, args.anyway)) {
    countStep(totals, step);
    run.fromUs ||= step.nowUs;
    run.untilUs = step.nowUs;
    if (step.difference !== null || step.trap !== null) {
      run.found = step;
      break;
    }
    if (performance.now() - shownMs < PROGRESS_MS) continue;
    shownMs = performance.now();
    const percent = Math.round((100 * run.progress.readBytes) / recording.bytes);
    note(args, `${percent} %: ${totals.steps} steps, ${totals.messagesIn} messages`);
  }
  return run;
}

function callsOf({ counters, countersBefore }: ReplayProgress): number {
  return (counters?.[abi.C_CALLS_TOTAL] ?? 0) - (countersBefore?.[abi.C_CALLS_TOTAL] ?? 0);
}

function resultOf(run: Run, recording: Recording, replayS: number) {
  const { found, progress } = run;
  const difference = found?.difference ?? null;
  return {
    node: recording.front.node,
    startedAt: recording.front.startedAt,
    ended: progress.ended ?? 'open',
    cut: recording.cut,
    ...run.totals,
    calls: callsOf(progress),
    recordedS: (run.untilUs - run.fromUs) / 1e6,
    replayS,
    fileBytes: recording.bytes,
    equal: difference === null,
    trap: found?.trap?.message ?? null,
    difference: difference && {
      step: found?.index,
      ...difference,
      recordedFrame: undefined,
      replayedFrame: undefined,
    },
    detail: found && describe(found),
  };
}

function summary(result: ReturnType<typeof resultOf>): string {
  const { steps, messagesIn, messagesOut, calls, recordedS, replayS, fileBytes, effectBytes } = result;
  const lines = [
    `${steps} steps, ${messagesIn} messages in, ${messagesOut} out, ${calls} calls in ${recordedS.toFixed(1)} s`,
    `${(fileBytes / 1e6).toFixed(1)} MB, replayed in ${replayS.toFixed(1)} s`,
    `the recording ended: ${result.ended}${result.cut ? ' (its last block is cut off)' : ''}`,
  ];
  if (result.detail !== null) lines.push('', result.detail, '');
  if (!result.equal) lines.push('DIFFERENT');
  else if (result.ended === 'stuck') lines.push('EQUAL: all effects, up to the step that it got stuck in');
  else if (result.trap !== null) lines.push('EQUAL: all effects, and the core traps again where it did');
  else lines.push(`EQUAL: all effects, ${effectBytes} bytes`);
  return lines.join('\n');
}

async function run(args: Arguments): Promise<number> {
  const recording = await Recording.open(new Uint8Array(readFileSync(args.file)), readKey(args.key));
  const { front } = recording;
  const core = await compileForReplay(new Uint8Array(readFileSync(args.core)));
  note(args, `recorded by ${front.node} from ${front.startedAt}, core ${front.core.slice(0, 16)}`);
  const beganMs = performance.now();
  const done = await replayAll(args, core, recording);
  const result = resultOf(done, recording, (performance.now() - beganMs) / 1000);
  console.log(args.json ? JSON.stringify(result, null, 2) : summary(result));
  return result.equal ? 0 : EXIT_DIFFERENT;
}

async function main(): Promise<number> {
  const args = readArguments();
  if (args === null) {
    console.error(USAGE);
    return EXIT_UNUSABLE;
  }
  try {
    return await run(args);
  } catch (error) {
    const known = error instanceof RecordingError || 'code' in (error as Error);
    const hint =
      error instanceof RecordingError && error.code === 'core' ? ' (--core FILE, or --anyway)' : '';
    console.error(known ? `${(error as Error).message}${hint}` : error);
    return EXIT_UNUSABLE;
  }
}

process.exitCode = await main();
