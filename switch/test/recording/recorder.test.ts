import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { testBank } from '../../../wasm-core/test/support/driver.ts';
import { request } from '../../../wasm-core/test/support/phone.ts';
import { trappingCore } from '../../../wasm-core/test/support/trapping-core.ts';
import { createLogger } from '../../control/log.ts';
import { Realtime, type TrapReport } from '../../realtime/realtime.ts';
import { listRecordings } from '../../recording/folder.ts';
import { Recorder, type RecorderOptions } from '../../recording/recorder.ts';
import { KEY, replayed } from './tape.ts';

const WASM = new Uint8Array(readFileSync(resolve(import.meta.dirname, '../../../build/core.wasm')));
const log = createLogger({ level: 'silent', pretty: false }, 'test');

let folder: string;
let phone: Socket;
const ends: (() => Promise<void>)[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'strowger-recorder-'));
  phone = createSocket('udp4').bind(0, '127.0.0.1');
  await once(phone, 'listening');
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  phone.close();
  rmSync(folder, { recursive: true });
});

interface Recorded {
  recorder: Recorder;
  realtime: Realtime;
  port: number;
  /** What the thread failed with. */
  trap: Promise<TrapReport>;
}

/** A realtime thread with a recorder. */
async function start(options: Partial<RecorderOptions> = {}, wasm = WASM): Promise<Recorded> {
  const settings = {
    mode: 'memory',
    bytesMax: 64 << 20,
    folder,
    filesMax: 100,
    node: 'a',
    key: KEY,
  } as const;
  const recorder = await Recorder.start({ ...settings, wasm, ...options }, log);
  ends.push(() => recorder.end('stop'));
  const { promise: trap, resolve: trapped } = Promise.withResolvers<TrapReport>();
  const port = await freePort();
  const bank = testBank();
  const shared = new SharedArrayBuffer(bank.length);
  new Uint8Array(shared).set(bank);
  const realtime = await Realtime.start({
    wasm,
    init: {
      secret: new Uint8Array(16),
      listeners: [{ transport: abi.TRANSPORT_UDP, host: '127.0.0.1', port }],
    },
    udp: [{ address: '127.0.0.1', port, listener: 0 }],
    bank: shared,
    recording: recorder,
    onTrap: trapped,
    onFailure: (error) => {
      throw error;
    },
  });
  ends.push(() => realtime.close());
  return { recorder, realtime, port, trap };
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

function options(): string {
  const { port } = phone.address();
  return request({ method: 'OPTIONS', uri: 'sip:strowger.test', port, headers: [`X: ${'y'.repeat(2_000)}`] });
}

/** Sends OPTIONS and waits for their answers, a few at a time. */
async function ask(port: number, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 20) {
    let open = Math.min(left, 20);
    const answered = new Promise<void>((done) => {
      phone.on('message', () => --open === 0 && done());
    });
    for (let n = 0; n < Math.min(left, 20); n++) phone.send(options(), port);
    await answered;
    phone.removeAllListeners('message');
  }
}

async function fileOf(name: string): Promise<Uint8Array> {
  return new Uint8Array(readFileSync(join(folder, name)));
}

describe('a recorder in memory', () => {
  it('writes what it has on request, and goes on', async () => {
    const { recorder, port } = await start();
    await ask(port, 40);
    const first = await recorder.dump();
    await ask(port, 40);
    const second = await recorder.dump();
    const [one, two] = await Promise.all(
      [first, second].map(async ({ name }) => replayed(WASM, await fileOf(name))),
    );
    expect(one).toMatchObject({ found: null, progress: { ended: 'operator' } });
    expect(two!.found).toBeNull();
    expect(two!.steps).toBeGreaterThan(one!.steps);
    expect(recorder.read()).toMatchObject({ recording: true, differences: 0, lost: 0, files: 2 });
  });

  it('forgets the oldest, and begins with the state that the core had then', async () => {
    const { recorder, realtime, port } = await start({ bytesMax: 1 << 19 });
    await ask(port, 400);
    const { name } = await recorder.dump();
    expect(recorder.read().keptBytes).toBeLessThan(1 << 20);
    const result = await replayed(WASM, await fileOf(name));
    expect(result.found).toBeNull();
    const counted = abi.C_REQUESTS_IN + abi.METHOD_OPTIONS * 8;
    expect(result.progress.countersBefore![counted]).toBeGreaterThan(0);
    expect(result.progress.counters![counted]).toBe(400);
    expect(realtime.read().counters[counted]).toBeLessThanOrEqual(400);
  });

  it('writes a recording that traps, when the core has', async () => {
    const wasm = trappingCore();
    const { recorder, port, trap } = await start({}, wasm);
    await ask(port, 20);
    phone.send('TRAP me', port);
    expect((await trap).message).toBe('unreachable');
    await recorder.end('trap');
    const [file] = await listRecordings(folder);
    expect(file!.ended).toBe('trap');
    const result = await replayed(wasm, await fileOf(file!.name));
    expect(result.found!.difference).toBeNull();
    expect(result.found!.trap).not.toBeNull();
    expect(recorder.read().recording).toBe(false);
  }, 60_000);

  it('ends with what came before, when it was too slow', async () => {
    const { recorder, realtime, port } = await start({ ringBytes: 1 << 16 });
    // The bank is in; now more at once than the ring holds.
    for (let n = 0; n < 400; n++) phone.send(options(), port);
    await expect.poll(() => recorder.read().recording, { timeout: 10_000 }).toBe(false);
    expect(recorder.read().lost).toBeGreaterThan(0);
    await expect(recorder.dump()).rejects.toThrow('has ended');
    const [file] = await listRecordings(folder);
    expect(file!.ended).toBe('gap');
    expect((await replayed(WASM, await fileOf(file!.name))).found).toBeNull();
    await ask(port, 20); // the switch goes on
    expect(realtime.read().counters[abi.C_MALFORMED]).toBe(0);
  });
});

describe('a recorder to files', () => {
  it('begins the next file when one is full, each to be replayed on its own', async () => {
    const { recorder, port } = await start({ mode: 'file', bytesMax: 10_000 });
    for (let round = 0; round < 4; round++) await ask(port, 200);
    await recorder.end('stop');
    const files = await listRecordings(folder);
    expect(files.length).toBeGreaterThan(2);
    expect(files.length).toBeLessThan(20); // the state with which each begins doesn't count
    expect(files.map(({ ended }) => ended)).toEqual([...Array(files.length - 1).fill('size'), 'stop']);
    let steps = 0;
    for (const { name } of files) {
      const result = await replayed(WASM, await fileOf(name));
      expect(result.found, name).toBeNull();
      steps += result.steps;
    }
    expect(steps).toBeGreaterThan(40);
  });

  it('ends, and says so, when it cannot write', async () => {
    writeFileSync(join(folder, 'file'), '');
    const { recorder, port } = await start({ mode: 'file', folder: join(folder, 'file/below') });
    await ask(port, 20);
    await expect.poll(() => recorder.read().recording, { timeout: 10_000 }).toBe(false);
    await ask(port, 20);
  });
});
