/** What a node records is replayed by `npm run replay`, byte for byte; a trap leaves such a recording. */
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TRAPPING_METHOD, trappingCore } from '../../../wasm-core/test/support/trapping-core.ts';
import { copyWithCore } from './harness/copy.ts';
import { removeFolder } from './harness/folder.ts';
import { Program } from './harness/program.ts';
import { REPOSITORY } from './harness/repository.ts';
import { sipp, ua } from './harness/rig.ts';
import { type ConfigFile, Switch, type SwitchOptions } from './harness/switch.ts';
import { bye, establish } from './harness/wire-call.ts';

interface Replayed {
  code: number | null;
  ended: string;
  steps: number;
  messagesIn: number;
  calls: number;
  equal: boolean;
  trap: string | null;
  detail: string | null;
}

interface ApiRecordings {
  recording: boolean;
  recordings: { name: string; bytes: number; ended: string }[];
}

async function start(options: SwitchOptions): Promise<Switch> {
  const instance = await Switch.start(options);
  onTestFinished(async () => {
    await instance.stop();
  });
  return instance;
}

function recording(config: ConfigFile, settings: ConfigFile['recording']): void {
  config.recording = settings!;
  config.logs = { level: 'info', pretty: false };
}

/** Files in the folder of recordings, oldest first. */
function files(at: Switch): string[] {
  const folder = join(at.folder, 'recordings');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.strec'))
    .sort()
    .map((name) => join(folder, name));
}

function keyOf(at: Switch): string {
  return join(at.folder, 'recordings/recording.key');
}

/** `npm run replay FILE --json`. */
async function replay(file: string, ...args: string[]): Promise<Replayed> {
  const cli = join(REPOSITORY, 'wasm-core/sim/cli/replay.ts');
  const program = new Program({
    name: 'replay',
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', cli, file, '--json', ...args],
  });
  const code = await program.exited;
  const text = program.lines.join('\n');
  if (!text.startsWith('{')) throw new Error(text);
  return { ...(JSON.parse(text) as Replayed), code };
}

describe('a node that records', () => {
  test('in memory: a dump on request is replayed, and shows nobody’s credentials', async () => {
    const strowger = await start({ change: (config) => recording(config, { mode: 'memory' }) });
    const caller = await ua(strowger, { user: '1001' });
    const callee = await ua(strowger, { user: '1002' });
    const registered = await callee.register();
    expect(registered.status).toBe(200);
    const call = await establish(caller, callee);
    await bye(caller, call.callerSide, callee);
    const dump = await strowger.api<{ name: string; bytes: number }>('/recordings', 'POST');
    const list = await strowger.api<ApiRecordings>('/recordings');
    expect(list).toMatchObject({ recording: true, recordings: [{ ...dump, ended: 'operator' }] });

    const file = await strowger.download(`/recordings/${dump.name}`);
    expect(file.length).toBe(dump.bytes);
    const downloaded = join(strowger.folder, 'downloaded.strec');
    writeFileSync(downloaded, file);
    const result = await replay(downloaded, '--key', keyOf(strowger));
    expect(result).toMatchObject({ code: 0, equal: true, calls: 1, ended: 'operator', trap: null });
    expect(result.messagesIn).toBeGreaterThan(7);

    expect(call.invite.header('proxy-authorization')).toMatch(/response="[0-9a-f]{32}"/);
    const response = /response="([0-9a-f]+)"/.exec(call.invite.header('proxy-authorization'))![1]!;
    const ha1 = createHash('md5').update('1001:strowger.test:demo-1001').digest();
    const bytes = Buffer.from(file);
    for (const secret of [
      Buffer.from(response),
      ha1,
      Buffer.from(ha1.toString('hex')),
      Buffer.from('Digest'),
    ])
      expect(bytes.includes(secret)).toBe(false);
    expect(statSync(keyOf(strowger)).mode & 0o777).toBe(0o600);
    expect(statSync(files(strowger)[0]!).mode & 0o777).toBe(0o600);
  });

  test('to files: 10,000 calls of SIPp in several of them, each of which is replayed on its own', async () => {
    const strowger = await start({
      base: 'bench.yaml',
      change: (config) => {
        recording(config, { mode: 'file', bytesMax: 2_000_000 });
        config.logs = { level: 'warn' };
        config.users = [{ user: 'bob', password: 'bob' }] as never; // 100,000 would be the most of each file
      },
    });
    const callee = await sipp({ scenario: 'answer' });
    const registrar = await ua(strowger, { user: 'bob' });
    await registrar.register({ contacts: [`<sip:bob@127.0.0.1:${callee.port}>`] });
    const caller = await sipp({
      scenario: 'call',
      remote: strowger.sip,
      calls: 10_000,
      rate: 500,
      service: 'bob',
    });
    const stats = await caller.finished(60_000);
    expect(stats, caller.report()).toMatchObject({ successful: 10_000, failed: 0 });
    await strowger.api('/recordings', 'POST');
    const metrics = await strowger.metrics();
    expect(metrics.sum('strowger_recording_differences_total')).toBe(0);
    expect(metrics.sum('strowger_recording_lost_total')).toBe(0);

    const { recordings } = await strowger.api<ApiRecordings>('/recordings');
    const closed = recordings.filter(({ ended }) => ended !== 'open');
    expect(closed.length).toBeGreaterThan(1);
    let calls = 0;
    for (const { name, ended } of closed) {
      const result = await replay(join(strowger.folder, 'recordings', name));
      expect(result).toMatchObject({ code: 0, equal: true, ended });
      calls += result.calls;
    }
    expect(calls).toBe(10_000);
  });

  test('a core that traps leaves two recordings that trap again, and its node goes on with another one', async () => {
    const core = trappingCore();
    const copy = copyWithCore(core);
    onTestFinished(() => removeFolder(copy));
    const strowger = await start({
      program: copy,
      change: (config) => recording(config, { mode: 'memory' }),
    });
    const phone = await ua(strowger, { user: '1001' });
    expect((await phone.register()).status).toBe(200);
    const before = await nodePid(strowger);

    const socket = createSocket('udp4');
    const [host, port] = strowger.sip.split(':');
    socket.send(`${TRAPPING_METHOD} sip:strowger.test SIP/2.0\r\n\r\n`, Number(port), host);
    const line = await strowger.program.line(/^.*recording written.*$/, 20_000);
    socket.close();
    const [file] = files(strowger);
    expect(line[0]).toContain(file!.slice(file!.lastIndexOf('/') + 1));
    expect((await phone.register()).status).toBe(200);
    expect(await nodePid(strowger)).toBe(before);

    const coreFile = join(copy, 'build/core.wasm');
    const result = await replay(file!, '--core', coreFile);
    expect(result).toMatchObject({ code: 0, equal: true, ended: 'trap' });
    expect(result.trap).toContain('unreachable');
    expect(result.detail).toContain(`step ${result.steps - 1} `);
    expect(result.detail).toContain(`${TRAPPING_METHOD} sip:strowger.test`);
    // The core of this repository is another one, and does not trap.
    await expect(replay(file!)).rejects.toThrow('recorded by the core');
    expect(await replay(file!, '--anyway')).toMatchObject({ code: 1, equal: false, steps: result.steps });
    expect(readFileSync(file!).includes(TRAPPING_METHOD)).toBe(false);

    // Without what came before, but with the records that the core had.
    const folder = join(strowger.folder, 'crash');
    const [crash] = readdirSync(folder);
    const again = await replay(join(folder, crash!), '--core', coreFile, '--key', keyOf(strowger));
    expect(again).toMatchObject({ code: 0, equal: true, ended: 'trap' });
    expect(again.detail).toContain(`${TRAPPING_METHOD} sip:strowger.test`);
  });
});

async function nodePid(at: Switch): Promise<number> {
  const { nodes } = await at.api<{ nodes: { role: string; pid: number }[] }>('/nodes');
  return nodes.find(({ role }) => role === 'active')!.pid;
}
