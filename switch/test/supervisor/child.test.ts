import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Child } from '../../supervisor/child.ts';
import { createLogger } from '../../control/log.ts';
import { until } from '../support/wait.ts';

const SPARE_TS = resolve(import.meta.dirname, '../../supervisor/spare.ts');
/** Says when it was started, and waits for its turn. */
const PROGRAM = `
import { turn } from ${JSON.stringify(SPARE_TS)};
const startedMs = Date.now();
await turn();
process.send({ pid: process.pid, startedMs, start: Number(process.argv[2]) });
setInterval(() => undefined, 1000);
`;

interface Said {
  pid: number;
  startedMs: number;
  start: number;
}

let folder: string;
let said: Said[];
let child: Child;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'strowger-child-'));
  writeFileSync(join(folder, 'program.ts'), PROGRAM);
  said = [];
  child = new Child(
    {
      name: 'program',
      file: join(folder, 'program.ts'),
      args: (starts) => [String(starts)],
      spare: true,
      message: (message) => said.push(message as Said),
      gaveUp: () => undefined,
    },
    createLogger({ level: 'silent', pretty: false }, 'test'),
  );
  child.start();
});
afterEach(async () => {
  await child.stop(1_000);
  rmSync(folder, { recursive: true });
});

describe('a child process with a spare', () => {
  it('is replaced by one that was started before its death', async () => {
    await until(() => said.length === 1);
    await new Promise((done) => setTimeout(done, 3_000));
    expect(said.map(({ start }) => start)).toEqual([1]);
    const killedMs = Date.now();
    child.kill();
    await until(() => said.length === 2);
    expect(said[1]).toMatchObject({ start: 2, pid: child.pid });
    expect(said[1]!.startedMs).toBeLessThan(killedMs);
  });

  it('that dies before there is one is started anew', async () => {
    await until(() => said.length === 1);
    const killedMs = Date.now();
    child.kill();
    await until(() => said.length === 2);
    expect(said[1]!.startedMs).toBeGreaterThanOrEqual(killedMs);
  });
});
