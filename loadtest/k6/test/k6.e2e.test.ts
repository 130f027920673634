/** That the load tests run, and that a switch which is late makes them fail. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Program } from '../../../switch/test/e2e/harness/program.ts';
import { createContext } from '../../../tools/lib/context.mjs';
import { SetupError } from '../../../tools/lib/progress.mjs';
import { setUpK6 } from '../../../tools/setup/k6.mjs';
import { BUDGETS_MS } from '../lib/budgets.ts';

const BUILD_TIMEOUT_MS = 900_000;
/** Exit code of k6 when a threshold is broken. */
const BREACHED = 99;

const context = createContext();
/** Why there is no k6. */
let missing: string | undefined;

beforeAll(async () => {
  try {
    await setUpK6(context);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    missing = error.message.split('\n')[0];
  }
}, BUILD_TIMEOUT_MS);

interface Result {
  metrics: Record<string, { count?: number; thresholds?: Record<string, boolean> }>;
  switch: { calls: number; bindings: number; stages: Record<string, { count: number }> };
}

/** Runs `npm run load` with these arguments. */
async function load(...args: string[]): Promise<{ code: number | null; output: string; result?: Result }> {
  const program = new Program({
    name: 'load',
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '../main.ts'), ...args],
    env: { PATH: context.env.PATH! },
  });
  onTestFinished(async () => void (await program.stop()));
  const code = await program.exited;
  const output = program.lines.join('\n');
  const file = /^results: (.+)$/m.exec(output)?.[1];
  if (!file) return { code, output };
  const result = JSON.parse(readFileSync(file, 'utf8')) as Result;
  rmSync(file);
  return { code, output, result };
}

/** Thresholds that were broken: k6 writes true for those. */
function broken({ metrics }: Result): string[] {
  return Object.entries(metrics).flatMap(([name, { thresholds = {} }]) =>
    Object.keys(thresholds).flatMap((one) => (thresholds[one] ? [`${name} ${one}`] : [])),
  );
}

describe('npm run load', () => {
  // How long anything takes on a busy machine is not the point here.
  const patient = ['--budget-scale', '200'];

  it('smoke: calls with both digests go through, and nothing is left behind', async ({ skip }) => {
    skip(missing !== undefined, missing);
    const { code, output, result } = await load('smoke', ...patient);
    expect(code, output).toBe(0);
    expect(result!.metrics['sip_calls']!.count).toBe(60);
    expect(result!.metrics['sip_calls_failed']!.count).toBe(0);
    for (const name of [...Object.keys(BUDGETS_MS), 'sip_options_ms', 'echo_ms'])
      expect(result!.metrics[name]!.count, name).toBeGreaterThan(0);
    expect(result!.switch).toMatchObject({ calls: 0, bindings: 0, stages: { setup: { count: 60 } } });
  });

  it('a called side that answers late breaks the thresholds of set-up, and only those', async ({ skip }) => {
    skip(missing !== undefined, missing);
    const { code, output, result } = await load('smoke', '--budget-scale', '50', '--answer-delay', '400ms');
    expect(code, output).toBe(BREACHED);
    const names = new Set(broken(result!).map((one) => one.split(' ')[0]));
    expect([...names].sort()).toEqual(['sip_call_setup_ms', 'sip_invite_to_180_ms']);
    expect(result!.metrics['sip_calls_failed']!.count).toBe(0);
  });

  it('calls that fail break a run, however quick they are', async ({ skip }) => {
    skip(missing !== undefined, missing);
    const { code, output, result } = await load('smoke', ...patient, '--password', 'wrong');
    expect(code, output).toBe(BREACHED);
    expect(broken(result!)).toEqual(['sip_calls_failed count==0']);
    expect(result!.metrics['sip_calls_failed']!.count).toBe(60);
  });

  it.for([
    ['register', 'sip_registrations'],
    ['ramp', 'sip_calls'],
    ['soak', 'sip_calls'],
    ['breakpoint', 'sip_calls'],
  ] as const)('%s offers its load', async ([script, counter], { skip }) => {
    skip(missing !== undefined, missing);
    const { code, output, result } = await load(
      script,
      ...patient,
      '--rate',
      '20',
      '--duration',
      '3s',
      '--hold',
      '0s',
    );
    expect(code, output).toBe(0);
    expect(result!.metrics[counter]!.count).toBeGreaterThan(20);
    expect(result!.switch).toMatchObject({ calls: 0, bindings: 0 });
  });

  it('refuses what it does not know, before it starts anything', async () => {
    const { code, output } = await load('smoke', '--speed', '3');
    expect(code).toBe(2);
    expect(output).toContain("Unknown option '--speed'");
    expect(output).toContain('npm run load -- [SCRIPT]');
  });
});
