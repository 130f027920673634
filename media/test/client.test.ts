/** Client and server of the protocol over a real socket, with a media that is none. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MediaClient, type MediaClientOptions } from '../client.ts';
import { CallTable } from '../control/call-table.ts';
import { MediaServer } from '../control/server.ts';
import { MediaService } from '../control/service.ts';
import { encodeFrame, FrameReader } from '../frames.ts';
import { plainBody } from './support/bodies.ts';
import { FakeEngine } from './support/fake-engine.ts';

const log = pino({ level: 'silent' });
const edge = {
  totals: async () => ({ legs: 0, legsMax: 10, packetsIn: 0, packetsOut: 0, dropped: { source: 2 } }),
};

let folder: string;
let path: string;
let server: MediaServer | null;
let silent: Server | null;
let calls: CallTable;
const clients: MediaClient[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'strowger-client-'));
  path = join(folder, 'media.sock');
  server = null;
  silent = null;
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server?.close();
  await new Promise((resolve) => (silent ? silent.close(resolve) : resolve(null)));
  rmSync(folder, { recursive: true, force: true });
});

async function serve(): Promise<void> {
  calls = new CallTable(new FakeEngine(), 10);
  server = new MediaServer(new MediaService({ calls, edge, workers: () => [], portsMax: 10 }, log), log);
  await server.listen(path);
}

function connect(options: Partial<MediaClientOptions> = {}): MediaClient {
  const client = new MediaClient({ socket: path, node: 'a', retryMinMs: 5, retryMaxMs: 20, ...options });
  clients.push(client);
  return client;
}

const connected = (client: MediaClient) => expect.poll(() => client.connected, { timeout: 3_000 }).toBe(true);

function invite(client: MediaClient, call = '1.1') {
  return client.sdp({
    call,
    leg: 0,
    legVariant: 'plain',
    targetLeg: 255,
    targetVariants: ['plain'],
    method: 'INVITE',
    cseq: 1,
    status: 0,
    sdp: plainBody(),
    source: '192.0.2.1',
  });
}

describe('a node', () => {
  test('is granted an epoch, and commands', async () => {
    await serve();
    const client = connect();
    await connected(client);
    expect(client).toMatchObject({ epoch: 1, pid: process.pid });
    expect(await invite(client)).toMatchObject({
      status: 200,
      bodies: { plain: expect.stringContaining('v=0') },
    });
    expect((await client.stats()).totals).toMatchObject({
      calls: 1,
      legs: 2,
      plainLegs: 2,
      dropped: { source: 2 },
    });
    expect((await client.stats('1.1')).legs).toMatchObject([{ leg: 0, codec: null, mos: null }]);
    expect(await client.closeCall('1.1')).toMatchObject({ status: 200 });
    expect((await client.stats()).totals.calls).toBe(0);
  });

  test('that asks before it is connected is told so', async () => {
    const client = connect();
    await expect(client.stats()).rejects.toThrow('not connected');
  });

  test('connects when the media process appears, and again when it was away; calls are not closed by that', async () => {
    const states: boolean[] = [];
    const client = connect({ onState: (state) => states.push(state) });
    await new Promise((resolve) => setTimeout(resolve, 30));
    await serve();
    await connected(client);
    await invite(client);
    const lost = invite(client, '2.1').catch((error: Error) => error.message);
    await server!.close();
    await lost;
    const kept = calls;
    server = new MediaServer(
      new MediaService({ calls: kept, edge, workers: () => [], portsMax: 10 }, log),
      log,
    );
    await server.listen(path);
    await connected(client);
    expect(states).toEqual([true, false, true]);
    expect((await client.stats()).totals.calls).toBeGreaterThan(0);
  });

  test('that starts afresh finds no calls of its predecessor', async () => {
    await serve();
    const first = connect();
    await connected(first);
    await invite(first);
    const second = connect();
    await connected(second);
    expect(second.epoch).toBe(2);
    expect((await second.stats()).totals.calls).toBe(0);
  });

  test('that takes over keeps the calls, and the older one is shut out', async () => {
    await serve();
    const first = connect();
    await connected(first);
    await invite(first);
    const second = connect({ node: 'b', fresh: false });
    await connected(second);
    expect((await second.stats()).totals.calls).toBe(1);
    expect(await invite(first, '2.1')).toMatchObject({ status: 409 });
    await expect.poll(() => first.connected).toBe(false);
    expect((await second.stats()).totals.calls).toBe(1);
  });

  test('only the active node hears of events', async () => {
    await serve();
    const first = connect();
    await connected(first);
    const second = connect({ node: 'b' });
    await connected(second);
    const heard: string[] = [];
    first.onEvent = () => heard.push('first');
    second.onEvent = ({ event }) => heard.push(event);
    server!.emit({ event: 'mediaTimeout', call: '1.1' });
    await expect.poll(() => heard).toEqual(['mediaTimeout']);
  });
});

describe('a media process that does not answer', () => {
  /** Grants an epoch and then is silent. */
  async function serveSilence(): Promise<void> {
    silent = createServer((socket) => {
      const reader = new FrameReader();
      socket.on('data', (chunk: Buffer) => {
        for (const message of reader.push(chunk) as { op: string; id: number }[]) {
          if (message.op !== 'hello') continue;
          socket.write(encodeFrame({ id: message.id, status: 200, v: 1, epoch: 1, pid: 1, workers: [] }));
        }
      });
    });
    await new Promise<void>((resolve) => silent!.listen(path, resolve));
  }

  test('is given up after a time', async () => {
    await serveSilence();
    const client = connect({ requestTimeoutMs: 50 });
    await connected(client);
    await expect(client.stats()).rejects.toThrow('no answer within 50 ms');
  });

  test('gets no more requests than agreed', async () => {
    await serveSilence();
    const client = connect({ requestTimeoutMs: 50, outstandingMax: 2 });
    await connected(client);
    const waiting = [client.stats(), client.stats()].map((reply) =>
      reply.catch((error: Error) => error.message),
    );
    await expect(client.stats()).rejects.toThrow('too many requests');
    expect(await Promise.all(waiting)).toEqual(['no answer within 50 ms', 'no answer within 50 ms']);
  });
});

describe('the server', () => {
  /** Sends bytes and collects what comes until the connection closes, or for a moment. */
  async function talk(...frames: (object | Buffer)[]): Promise<{ replies: object[]; closed: boolean }> {
    const socket = createConnection(path);
    const reader = new FrameReader();
    const replies: object[] = [];
    let closed = false;
    socket.on('data', (chunk: Buffer) => replies.push(...reader.push(chunk)));
    socket.on('close', () => (closed = true));
    for (const frame of frames) socket.write(Buffer.isBuffer(frame) ? frame : encodeFrame(frame));
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
    return { replies, closed };
  }

  test('refuses what is said before a hello, and in another version', async () => {
    await serve();
    const { replies } = await talk(
      { op: 'closeCall', id: 1, epoch: 0, call: '1.1' },
      { op: 'hello', id: 2, v: 99, node: 'a', epoch: 0 },
      { op: 'dance', id: 3 },
    );
    // Answers come as they are ready.
    const byId = (replies as { id: number }[]).sort((a, b) => a.id - b.id);
    expect(byId).toMatchObject([
      { id: 1, status: 409 },
      { id: 2, status: 400, reason: 'version 99 is not spoken here, only 1' },
      { id: 3, status: 400, reason: 'op "dance" is not known' },
    ]);
  });

  test('hangs up on what is no frame', async () => {
    await serve();
    expect(await talk(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toEqual({ replies: [], closed: true });
  });
});
