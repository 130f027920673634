/** `npm run sim` as a person or CI runs it. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildDefect } from '../../sim/defects/build.ts';
import { DEFECTS } from '../../sim/defects/defects.ts';
import { readScenario } from '../../sim/scenario-file.ts';

const MAIN = join(import.meta.dirname, '../../sim/cli/main.ts');
/** Of fresh seeds, in each run of the tests. */
const SECONDS = 90;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sim-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function sim(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  return new Promise((resolve) => {
    const options = { maxBuffer: 64 << 20 };
    const child = execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', MAIN, ...args],
      options,
      (_, out, error) => resolve({ code: child.exitCode ?? -1, out, error }),
    );
  });
}

describe('npm run sim', () => {
  it('finds nothing in fresh seeds', async () => {
    // Continuous integration plays the same ones each time: what it says must be about the change.
    const from = process.env['STROWGER_SIM_FROM'];
    const { code, out, error } = await sim(
      '--for',
      String(SECONDS),
      '--json',
      ...(from ? ['--from', from] : []),
    );
    expect(code, error).toBe(0);
    const totals = JSON.parse(out) as { seeds: number; callsAnswered: number };
    expect(totals.seeds).toBeGreaterThan(10);
    expect(totals.callsAnswered).toBeGreaterThan(100);
  }, 240_000);

  it('repeats a seed to the bit', async () => {
    const [one, other] = await Promise.all([sim('--seed', '5', '--json'), sim('--seed', '5', '--json')]);
    const hashOf = ({ out }: { out: string }) => (JSON.parse(out) as { hash: string }).hash;
    expect(hashOf(one)).toMatch(/^[0-9a-f]{16}$/);
    expect(hashOf(one)).toBe(hashOf(other));
  });

  it('shows a planted defect, how to repeat it, and a small scenario in which it shows', async () => {
    const core = join(folder, 'defect.wasm');
    writeFileSync(core, buildDefect(DEFECTS.find(({ name }) => name === 'leaked-block')!));
    const found = await sim('--seeds', '50', '--from', '1', '--core', core, '--out', folder);
    expect(found.code).toBe(1);
    expect(found.out).toContain('FAILED tables-empty');
    expect(found.out).toMatch(/repeat: npm run sim -- --seed \d+/);
    const file = /shrunk to .*: (\S+\.json)/.exec(found.out)![1]!;
    const scenario = readScenario(readFileSync(file, 'utf8'));
    expect(scenario.calls.length).toBeLessThanOrEqual(2);
    expect((await sim('--scenario', file, '--core', core, '--no-shrink')).code).toBe(1);
    expect((await sim('--scenario', file)).code).toBe(0);
  });

  it('says what is wrong with its command line and with a scenario', async () => {
    expect(await sim('--speed', '3')).toMatchObject({
      code: 2,
      error: expect.stringContaining("Unknown option '--speed'"),
    });
    const file = join(folder, 'wrong.json');
    writeFileSync(file, '{"version":1}');
    expect(await sim('--scenario', file)).toMatchObject({
      code: 2,
      error: expect.stringContaining('scenario.title'),
    });
    expect((await sim('--scenario', join(folder, 'nowhere.json'))).error).toContain('no such file');
  });
});
