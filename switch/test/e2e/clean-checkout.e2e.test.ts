import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { expect, onTestFinished, test } from 'vitest';
import { makeFolder, removeFolder } from './harness/folder.ts';
import { freePorts } from './harness/ports.ts';
import { isAlive, processTree, signalAll } from './harness/processes.ts';
import { Program } from './harness/program.ts';
import { REPOSITORY } from './harness/repository.ts';
import { sleep } from './harness/wait.ts';

/** With npm's cache and the mediasoup worker's already there. */
const FIRST_MS = 120_000;
/** Nothing to install any more. */
const SECOND_MS = 20_000;

/** Copies what a clone of the working tree would have: tracked and new files, nothing that is ignored. */
function copySources(target: string): void {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: REPOSITORY,
    encoding: 'utf8',
  });
  for (const file of list.split('\0').filter((name) => name && existsSync(join(REPOSITORY, name)))) {
    cpSync(join(REPOSITORY, file), join(target, file));
  }
}

/** The demo's configuration on free ports. */
async function writeConfig(folder: string): Promise<string> {
  const config = parse(readFileSync(join(folder, 'config/demo.yaml'), 'utf8'));
  const sip = `127.0.0.1:${await freePorts()}`;
  const media = await freePorts(20);
  config.listen = { udp: [sip], tcp: [sip] };
  config.http.listen = `127.0.0.1:${await freePorts()}`;
  config.media = { ...config.media, portMin: media, portMax: media + 19, webrtcPort: await freePorts() };
  const file = join(folder, 'test.yaml');
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** PATH as before our set-up put its Node first, if that has an npm too: as a newcomer has it. */
function plainPath(): string {
  const entries = (process.env['PATH'] ?? '').split(':');
  const plain = entries.filter((entry) => !entry.includes('node_modules'));
  const hasNpm = plain.some((entry) => existsSync(join(entry, 'npm')));
  return [...(hasNpm ? [] : [dirname(process.execPath)]), ...plain].join(':');
}

/** `npm start` until the ready line, then Ctrl-C; returns how long the first part took. */
async function startAndStop(folder: string, config: string, timeoutMs: number): Promise<number> {
  const startAt = performance.now();
  const program = new Program({
    name: 'npm start',
    command: 'npm',
    args: ['start', '--', '--config', config],
    cwd: folder,
    env: { PATH: plainPath() },
  });
  onTestFinished(async () => {
    await program.stop();
  });
  const [line] = await program.line(/strowger ready.*/, timeoutMs);
  const tookMs = performance.now() - startAt;
  expect(line).toMatch(/ws:\/\/127\.0\.0\.1:\d+\/sip/);
  expect(line).toMatch(/token \S+/);
  expect(line).toMatch(/1001-1010/);
  const processes = processTree(program.pid);
  signalAll(processes, 'SIGINT'); // as a terminal does with Ctrl-C
  await Promise.race([program.exited, sleep(15_000)]);
  await sleep(200);
  expect(processes.filter(isAlive).map(({ name }) => name)).toEqual([]);
  return tookMs;
}

test('npm start works from a clean checkout, and again', { timeout: 180_000 }, async () => {
  const folder = makeFolder('checkout');
  onTestFinished(() => removeFolder(folder));
  copySources(folder);
  const config = await writeConfig(folder);
  const firstMs = await startAndStop(folder, config, FIRST_MS);
  const secondMs = await startAndStop(folder, config, SECOND_MS);
  console.log(
    `npm start: first ${(firstMs / 1_000).toFixed(1)} s, second ${(secondMs / 1_000).toFixed(1)} s until ready`,
  );
  expect(secondMs).toBeLessThan(10_000);
});
