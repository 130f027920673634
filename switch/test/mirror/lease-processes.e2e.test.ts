/** Lease and roles in real processes, which are killed and stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const PROGRAM = resolve(import.meta.dirname, 'lease-program.ts');
/** Longer than what a busy machine keeps a process waiting. */
const LEASE_MS = 1_000;
const PATIENCE_MS = 15_000;

/** A process and what it has said. */
class Program {
  readonly child: ChildProcess;
  /** `ROLE EPOCH`, in order. */
  readonly said: string[] = [];

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child.stdout!.on('data', (chunk: Buffer) => {
      for (const line of chunk.toString().trim().split('\n'))
        this.said.push(line.split(' ').slice(0, 2).join(' '));
    });
  }

  async says(what: string): Promise<void> {
    await expect.poll(() => this.said.at(-1), { timeout: PATIENCE_MS, interval: 5 }).toBe(what);
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}

let folder: string;
let socket: string;
let grantor: Program;
const programs: Program[] = [];

function run(...args: string[]): Program {
  const program = new Program(...args);
  programs.push(program);
  return program;
}

async function startGrantor(generation: number): Promise<void> {
  grantor = run('grantor', socket, String(LEASE_MS), String(generation));
  await grantor.says('listening 0');
}

const startNode = (name: string) => run('node', socket, String(LEASE_MS), name);
const pass = (leases: number) => new Promise((done) => setTimeout(done, leases * LEASE_MS));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'strowger-lease-'));
  socket = join(folder, 'media.sock');
  await startGrantor(1);
});
afterEach(() => {
  for (const program of programs.splice(0)) program.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** The first of the two is active. */
async function startPair(): Promise<[Program, Program]> {
  const a = startNode('a');
  await a.says('active 1');
  const b = startNode('b');
  await b.says('standby 0');
  return [a, b];
}

test('a node that is killed is followed by the other one', async () => {
  const [a, b] = await startPair();
  await pass(2);
  expect(b.said).toEqual(['standby 0']);
  a.kill();
  await b.says('active 2');
});

test('a node that was stopped is followed by the other one, and is fenced when it wakes up', async () => {
  const [a, b] = await startPair();
  a.child.kill('SIGSTOP');
  await b.says('active 2');
  a.child.kill('SIGCONT');
  await a.says('fenced 0');
  await pass(2);
  expect([a.said, b.said]).toEqual([
    ['standby 0', 'active 1', 'fenced 0'],
    ['standby 0', 'active 2'],
  ]);
});

test('the active goes on without a grantor, and is known to the next one, which then grants to the other', async () => {
  const [a, b] = await startPair();
  grantor.kill();
  await pass(3);
  expect(a.said.at(-1)).toBe('active 1');
  await startGrantor(2);
  await pass(3);
  expect([a.said, b.said]).toEqual([['standby 0', 'active 1'], ['standby 0']]);
  a.kill();
  await b.says('active 65537');
});

test('a grantor that was started again grants when nobody has claimed the lease', async () => {
  const [a, b] = await startPair();
  grantor.kill();
  a.kill();
  await pass(1);
  expect(b.said).toEqual(['standby 0']);
  await startGrantor(2);
  await b.says('active 65537');
});

test('a grantor that hangs fences the active, and goes on with either when it wakes up', async () => {
  const [a, b] = await startPair();
  grantor.child.kill('SIGSTOP');
  await a.says('fenced 0');
  grantor.child.kill('SIGCONT');
  await expect
    .poll(() => [a, b].filter(({ said }) => said.at(-1)?.startsWith('active')).length, {
      timeout: PATIENCE_MS,
    })
    .toBe(1);
});
