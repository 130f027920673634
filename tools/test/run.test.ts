import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { cacheFolder, createContext, ROOT } from '../lib/context.mjs';
import { attempt, foreground } from '../lib/process.mjs';
import { fits } from '../setup/node.mjs';
import { setUpWorker } from '../setup/worker.mjs';
import { TASKS } from '../tasks.mjs';
import { readReport } from '../test.mjs';

const folder = mkdtempSync(join(tmpdir(), 'strowger-run-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('tasks', () => {
  test('each npm script runs the task of its name', () => {
    expect(packageJson.scripts).toEqual(
      Object.fromEntries(Object.keys(TASKS).map((name) => [name, `node tools/run.mjs ${name}`])),
    );
  });

  test('an unknown task: the list of tasks, exit code 2', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'tools/run.mjs'), 'nonsense'], {
      encoding: 'utf8',
    });
    expect(status).toBe(2);
    for (const name of Object.keys(TASKS)) expect(stderr).toContain(`  ${name} `);
  });

  test('tests that can not even be set up end in the summary line all the same', () => {
    const { status, stdout } = spawnSync(process.execPath, [join(ROOT, 'tools/run.mjs'), 'test'], {
      encoding: 'utf8',
      env: { ...process.env, MEDIASOUP_WORKER_BIN: '/bin/false' },
    });
    expect(status).toBe(1);
    expect(stdout).toBe('0 passed, 1 failed\n');
  });
});

test('a worker that does not run is refused by its name', async () => {
  const context = createContext({ ...process.env, MEDIASOUP_WORKER_BIN: '/bin/false' });
  await expect(setUpWorker(context)).rejects.toThrow('MEDIASOUP_WORKER_BIN is /bin/false');
});

test.each([
  [{ STROWGER_CACHE: '/c', XDG_CACHE_HOME: '/x' }, '/c'],
  [{ XDG_CACHE_HOME: '/x' }, '/x/strowger'],
])('cache folder from %j', (env, expected) => {
  expect(cacheFolder(env)).toBe(expected);
});

test.each([
  ['20.20.2', false],
  ['22.17.9', false],
  ['22.18.0', true],
  ['22.23.3', true],
  ['23.1.0', false],
  ['24.0.0', false],
])('Node %s fits: %s', (version, expected) => {
  expect(fits(version)).toBe(expected);
});

describe('attempt', () => {
  test('a program that takes too long is ended', async () => {
    const { code, error } = await attempt(process.execPath, ['-e', 'setTimeout(() => {}, 9000)'], {
      timeoutMs: 50,
    });
    expect(code).toBeNull();
    expect(error).toBe('ended by SIGKILL (limit 50 ms)');
  });

  test('a program that can not be started holds nothing up', () => {
    const script = `import { attempt } from ${JSON.stringify(join(ROOT, 'tools/lib/process.mjs'))};
      const { error } = await attempt('/does/not/exist', [], { timeoutMs: 60_000 });
      console.log(error);`;
    const { stdout, error } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 5_000,
    });
    expect(error).toBeUndefined();
    expect(stdout).toContain('ENOENT');
  });
});

describe('foreground', () => {
  const script = (code: string) => foreground(process.execPath, ['-e', code], {});

  test('passes the exit code on', async () => {
    expect(await script('process.exit(7)')).toBe(7);
  });

  test('a program ended by a signal: 128 + its number', async () => {
    expect(await script('process.kill(process.pid, "SIGTERM")')).toBe(128 + 15);
  });

  /**
   * A process that runs `child` in the foreground, in a process group of its own; `signal` is called when the
   * child is up.
   */
  function parentOf(child: string, options: object, signal: (pid: number) => void): Promise<number | null> {
    const code = `
      import { foreground } from ${JSON.stringify(join(ROOT, 'tools/lib/process.mjs'))};
      const child = ${JSON.stringify(`${child}; setTimeout(() => {}, 9000); console.log('up')`)};
      process.exitCode = await foreground(process.execPath, ['-e', child], ${JSON.stringify(options)});`;
    const file = join(folder, 'parent.mjs');
    writeFileSync(file, code);
    const parent = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    parent.stdout.once('data', () => signal(parent.pid as number));
    return new Promise((done) => parent.once('exit', done));
  }

  test('hands a signal to the program and waits for it', async () => {
    const child = 'process.on("SIGTERM", () => process.exit(5))';
    expect(await parentOf(child, {}, (pid) => process.kill(pid, 'SIGTERM'))).toBe(5);
  });

  test('a shielded program gets one signal, however often and to whomever it was sent', async () => {
    const child = 'let n = 0; process.on("SIGINT", () => { n++; setTimeout(() => process.exit(n), 300); })';
    const signal = (pid: number) => {
      process.kill(-pid, 'SIGINT');
      setTimeout(() => process.kill(pid, 'SIGINT'), 100);
    };
    expect(await parentOf(child, { shielded: true }, signal)).toBe(1);
  });
});

describe('readReport', () => {
  const report = (testResults: object[]) => {
    const file = join(folder, 'report.json');
    writeFileSync(file, JSON.stringify({ testResults }));
    return readReport(file);
  };
  const one = (status: string) => ({ status, fullName: `a ${status} test` });

  test('counts passed, failed and skipped', () => {
    const result = report([
      {
        name: 'x.test.ts',
        status: 'failed',
        assertionResults: [one('passed'), one('failed'), one('skipped')],
      },
      { name: 'y.test.ts', status: 'passed', assertionResults: [one('passed')] },
    ]);
    expect(result).toEqual({
      passed: 2,
      failed: 1,
      skippedTests: [{ file: 'x.test.ts', name: 'a skipped test' }],
    });
  });

  test('a file that could not be loaded is a failure', () => {
    expect(report([{ name: 'x.test.ts', status: 'failed', assertionResults: [] }]).failed).toBe(1);
  });

  test('no report is an error', () => {
    expect(() => readReport(join(folder, 'absent.json'))).toThrow('without a report');
  });
});
