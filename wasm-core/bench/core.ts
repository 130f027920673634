/**
 * `npm run bench:core [-- --rounds N --json --save]`: what the signalling core costs, without sockets and threads, in
 * builds with and without SIMD. Times are also given as multiples of a calibration loop measured in the same run, and
 * compared in these with the baseline that `--save` has written: a report, not a test, as machines are noisy.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { BATCH, type Cost, type Costs, callCosts, registerCosts, timed } from './flow.ts';
import { type Memory, memoryOf } from './memory.ts';
import { invite } from './messages.ts';
import { Rig } from './rig.ts';
import { buildVariant } from './variants.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const BASELINE = join(import.meta.dirname, 'baseline.json');
/** Rounds of the calibration loop that are one unit. */
const UNIT_ROUNDS = 1000;
const ROUNDS_DEFAULT = 9;

/** What one run of the bench has found. */
interface Report {
  date: string;
  commit: string;
  machine: string;
  node: string;
  inviteBytes: number;
  wasmBytes: number;
  rounds: number;
  /** ns of 1,000 rounds of the calibration loop. */
  calibration: Cost;
  /** ns by build and by what was measured. */
  costs: Record<string, Costs>;
  memory: Memory;
}

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: String(ROUNDS_DEFAULT) },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
});
const rounds = Math.max(1, Number.parseInt(options.rounds, 10) || ROUNDS_DEFAULT);

async function run(): Promise<Report> {
  const [simd, scalar] = [buildVariant(true), buildVariant(false)];
  const rig = await Rig.start(simd.wasm);
  const calibration = () => timed(rounds, 1000, () => rig.stages.benchCalibrate(1000 * UNIT_ROUNDS));
  const before = calibration();
  const costs: Record<string, Costs> = {};
  for (const { name, wasm } of [simd, scalar]) {
    costs[name] = { ...(await callCosts(wasm, rounds)), ...(await registerCosts(wasm, rounds)) };
  }
  costs['host'] = {
    'two reads of the clock': timed(rounds, 100_000, () => twice(nowUs)),
    'a step without events': timed(rounds, 100_000, () => {
      for (let i = 0; i < 100_000; i++) rig.core.step(rig.nowUs, 0, 0);
    }),
  };
  const after = calibration();
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim(),
    machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    node: process.version,
    inviteBytes: invite(10_000, '1002').length,
    wasmBytes: statSync(join(ROOT, 'build/core.wasm')).size,
    rounds,
    calibration: before.median < after.median ? before : after,
    costs,
    memory: await memoryOf(simd.wasm),
  };
}

let sink = 0;

/** A read of the clock as the realtime thread makes it, before and after a step. */
function nowUs(): number {
  return (performance.timeOrigin + performance.now()) * 1000;
}

function twice(clock: () => number): void {
  for (let i = 0; i < 100_000; i++) sink += clock() - clock();
}

/** Change of a multiple against the baseline's, percent. */
function change(report: Report, base: Report | null, build: string, name: string): string {
  const then = base?.costs[build]?.[name];
  if (base === null || then === undefined) return '';
  const multiple = report.costs[build]![name]!.median / report.calibration.median;
  const percent = (multiple / (then.median / base.calibration.median) - 1) * 100;
  return `${percent < 0 ? '-' : '+'}${Math.abs(percent).toFixed(0)} %`;
}

function print(report: Report, base: Report | null): void {
  const { calibration, memory } = report;
  console.log(
    `core.wasm ${report.wasmBytes} bytes; INVITE ${report.inviteBytes} bytes; ${report.rounds} rounds; ` +
      `unit: 1,000 calibration rounds, ${calibration.median.toFixed(0)} ns (min ${calibration.min.toFixed(0)})`,
  );
  if (base !== null)
    console.log(`baseline: ${base.date}, commit ${base.commit}, ${base.machine}, Node ${base.node}`);
  for (const [build, costs] of Object.entries(report.costs)) {
    console.log(`\n${build.padEnd(32)}   median ns    min ns     units   to baseline`);
    for (const [name, { median, min }] of Object.entries(costs)) {
      const figures = [median.toFixed(0), min.toFixed(0), (median / calibration.median).toFixed(2)];
      const [a, b, c] = figures.map((text) => text.padStart(10)) as [string, string, string];
      console.log(`${name.padEnd(32)}  ${a}${b}${c}   ${change(report, base, build, name).padStart(10)}`);
    }
  }
  const host = Object.values(report.costs['host']!).reduce((sum, { median }) => sum + median, 0);
  const alone = host + report.costs['simd']!['INVITE']!.median;
  console.log(
    `\nclock and host call: ${((host / alone) * 100).toFixed(0)} % of a step with one INVITE, ` +
      `${((host / (host + BATCH * report.costs['simd']!['INVITE']!.median)) * 100).toFixed(1)} % of one with ${BATCH}`,
  );
  console.log('\nmemory');
  for (const [name, bytes] of Object.entries(memory))
    console.log(`${name.padEnd(64)} ${bytes.toLocaleString('en').padStart(12)} bytes`);
}

const base = existsSync(BASELINE) ? (JSON.parse(readFileSync(BASELINE, 'utf8')) as Report) : null;
const report = await run();
if (!Number.isFinite(sink)) throw new Error('the clock went back');
if (options.save) writeFileSync(BASELINE, `${JSON.stringify(report, null, 2)}\n`);
if (options.json) console.log(JSON.stringify(report, null, 2));
else print(report, base);
