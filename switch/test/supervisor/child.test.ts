import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Child } from '../../supervisor/child.ts';
import { createLogger } from '../../control/log.ts';
import { until } from '../support/wait.ts';

const SPARE_TS = resolve(import.meta.dirname, '../../supervisor/spare.ts');
/** Leaves a file when it has started, waits for its turn, and says so. */
const PROGRAM = `
import { turn } from ${JSON.stringify(SPARE_TS)};
import { writeFileSync } from 'node:fs';
const start = Number(process.argv[2]);
writeFileSync(import.meta.dirname + '/started-' + start, '');
await turn();
process.send({ pid: process.pid, start });
setInterval(() => undefined, 1000);
`;

const PATIENCE_MS = 15_000;

interface Said {
  pid: number;
  start: number;
}

let folder: string;
let said: Said[];
let child: Child;
const hasStarted = (start: number) => existsSync(join(folder, `started-${start}`));

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

describe('a child process with a spare', { timeout: 40_000 }, () => {
  it('is replaced by one that was started before its death', async () => {
    await until(() => said.length === 1 && hasStarted(2), PATIENCE_MS);
    expect(said.map(({ start }) => start)).toEqual([1]);
    child.kill();
    await until(() => said.length === 2, PATIENCE_MS);
    expect(said[1]).toEqual({ start: 2, pid: child.pid });
  });

  it('that dies before there is one is started anew', async () => {
    await until(() => said.length === 1, PATIENCE_MS);
    const { pid } = child;
    child.kill();
    await until(() => said.length === 2, PATIENCE_MS);
    expect(said[1]!.pid).not.toBe(pid);
  });
});
