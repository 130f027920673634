/** What an operator does with the `strowger` command while calls go on. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ApiNode, PAIR, synced } from './harness/pair.ts';
import { sipp, ua, useSwitch } from './harness/rig.ts';
import { API_TOKEN, type Switch } from './harness/switch.ts';

const MAIN = join(import.meta.dirname, '../../cli/main.ts');

interface Done {
  code: number | null;
  out: string;
  err: string;
}

async function strowgerCommand(at: Switch, ...args: string[]): Promise<Done> {
  const program = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      MAIN,
      '--url',
      `http://${at.web}/`,
      '--token',
      API_TOKEN,
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const done: Done = { code: null, out: '', err: '' };
  program.stdout.on('data', (bytes) => (done.out += bytes));
  program.stderr.on('data', (bytes) => (done.err += bytes));
  done.code = await new Promise((resolve) => program.on('close', resolve));
  return done;
}

describe('the strowger command', () => {
  const strowger = useSwitch({
    base: 'bench.yaml',
    change: (config) => {
      PAIR.change(config);
    },
  });

  test('shows the nodes, and what the standby has', async () => {
    await synced(strowger());
    const { code, out } = await strowgerCommand(strowger(), 'status');
    expect(code).toBe(0);
    expect(out).toMatch(/^\S+ +active +running +\d+/m);
    expect(out).toMatch(/^\S+ +standby +running .* has everything$/m);
    expect(out).toContain('0 calls, 0 registrations');
  });

  for (const words of [['switchover'], ['restart', '--rolling']]) {
    test(`${words.join(' ')}: no request fails, and nobody notices`, async () => {
      const at = strowger();
      const callee = await sipp({ scenario: 'answer' });
      const registrar = await ua(at, { user: 'bob' });
      await registrar.register({ contacts: [`<sip:bob@127.0.0.1:${callee.port}>`] });
      const before = await synced(at);
      const load = { scenario: 'call', remote: at.sip, service: 'bob', rate: 50, holdMs: 1_000 } as const;
      const caller = await sipp({ ...load, calls: 500 });
      const { code, err, out } = await strowgerCommand(at, ...words, '--json');
      expect(code, err).toBe(0);
      const { nodes } = JSON.parse(out) as { nodes: ApiNode[] };
      const active = nodes.find(({ role }) => role === 'active')!;
      expect(active.pid).not.toBe(before.pid);
      expect(active.mirror?.synced).toBe(true);
      if (words.includes('--rolling')) {
        const pids = nodes.filter(({ role }) => role !== 'media').map(({ pid }) => pid);
        expect(pids).not.toContain(before.pid);
      }
      const stats = await caller.finished(60_000);
      expect(stats, caller.report()).toMatchObject({ successful: 500, failed: 0 });
      await registrar.register({ contacts: ['*'], expires: 0 });
    });
  }

  test('says what is wrong: no such call, no token', async () => {
    const at = strowger();
    expect(await strowgerCommand(at, 'hangup', '1.1')).toMatchObject({ code: 1 });
    expect(await strowgerCommand(at, 'call', 'nonsense')).toMatchObject({ code: 1 });
    const refused = await strowgerCommand(at, 'status', '--token', 'wrong');
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('API token');
  });
});
