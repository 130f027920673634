import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { effectsOf, KEY, Tape, traffic } from './tape.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const CLI = join(ROOT, 'wasm-core/sim/cli/replay.ts');
const WASM = new Uint8Array(readFileSync(join(ROOT, 'build/core.wasm')));

let folder: string;
let good: Uint8Array;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'strowger-replay-'));
  writeFileSync(join(folder, 'recording.key'), `${Buffer.from(KEY).toString('hex')}\n`);
  const tape = await Tape.start(WASM);
  traffic(tape, 5);
  good = await tape.file(tape.blocks());
  writeFileSync(join(folder, 'good.strec'), good);
  effectsOf(tape.intake.blocks, 3)[abi.FRAME_HEADER_BYTES + 9]! = 0x58;
  writeFileSync(join(folder, 'different.strec'), await tape.file(tape.intake.blocks));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', CLI, ...args],
    { cwd: folder, encoding: 'utf8' },
  );
  return { code: status, out: stdout, err: stderr };
}

describe('npm run replay', () => {
  it('ends with 0 when all effects are equal', () => {
    const { code, out } = run('good.strec');
    expect(code).toBe(0);
    expect(out).toMatch(/5 calls/);
    expect(out).toMatch(/EQUAL: all effects/);
  });

  it('ends with 1 at a difference, and shows both messages', () => {
    const { code, out } = run('different.strec');
    expect(code).toBe(1);
    expect(out).toMatch(/^step \d+ at /m);
    expect(out).toMatch(/byte 73 of the effects, in effect 0: recorded 88, replayed \d+/);
    expect(out).toMatch(/effect as recorded:[\s\S]*effect as replayed:/);
    expect(out).toMatch(/DIFFERENT/);
  });

  it('prints the same as JSON', () => {
    const result = JSON.parse(run('different.strec', '--json').out) as Record<string, unknown>;
    expect(result).toMatchObject({ equal: false, difference: { what: 'effects', offset: 73, recorded: 88 } });
    expect(JSON.parse(run('good.strec', '--json').out)).toMatchObject({
      equal: true,
      calls: 5,
      difference: null,
    });
  });

  it('ends with 2 when the file cannot be replayed, and says why', () => {
    const damaged = good.slice();
    damaged[damaged.length - 100]! ^= 1;
    writeFileSync(join(folder, 'damaged.strec'), damaged);
    writeFileSync(join(folder, 'other.key'), '00'.repeat(32));
    expect(run('damaged.strec')).toMatchObject({ code: 2, err: expect.stringMatching(/was changed/) });
    expect(run('good.strec', '--key', 'other.key').err).toMatch(/another key/);
    expect(run('good.strec', '--core', 'good.strec').err).toMatch(/not a signalling core/);
    expect(run('none.strec').err).toMatch(/ENOENT/);
    expect(run()).toMatchObject({ code: 2, err: expect.stringMatching(/--key FILE/) });
    expect(run('good.strec', '--wrong').code).toBe(2);
  });
});
