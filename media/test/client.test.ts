/** Client and server of the protocol over a real socket, with a media that is none. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RoleKeeper } from '../../switch/control/role-keeper.ts';
import { keepSoleRole } from '../../switch/control/sole-role.ts';
import type { RoleEvent } from '../../switch/mirror/role.ts';
import { MediaClient, type MediaClientOptions } from '../client.ts';
import { CallTable } from '../control/call-table.ts';
import { Lease } from '../control/lease.ts';
import { MediaServer } from '../control/server.ts';
import { MediaService } from '../control/service.ts';
import { encodeFrame, FrameReader } from '../frames.ts';
import { plainBody } from './support/bodies.ts';
import { FakeEngine } from './support/fake-engine.ts';

/** Longer than anything that keeps a busy machine from renewing it. */
const LEASE_MS = 10_000;
const log = pino({ level: 'silent' });
const edge = {
  totals: async () => ({ legs: 0, legsMax: 10, packetsIn: 0, packetsOut: 0, dropped: { source: 2 } }),
};

let folder: string;
let path: string;
let server: MediaServer | null;
let silent: Server | null;
let calls: CallTable | null;
const clients: MediaClient[] = [];
const keepers: RoleKeeper[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'strowger-client-'));
  path = join(folder, 'media.sock');
  server = null;
  calls = null;
  silent = null;
});
afterEach(async () => {
  for (const keeper of keepers.splice(0)) keeper.close();
  for (const client of clients.splice(0)) client.close();
  await server?.close();
  await new Promise((resolve) => (silent ? silent.close(resolve) : resolve(null)));
  rmSync(folder, { recursive: true, force: true });
});

async function serve(generation = 1): Promise<void> {
  calls ??= new CallTable(new FakeEngine(), 10);
  const lease = new Lease({ leaseMs: LEASE_MS, generation });
  server = new MediaServer(
    new MediaService(
      { calls, edge, workers: () => [], portsMax: 10, lease, offers: { again: () => undefined } },
      log,
    ),
    log,
  );
  await server.listen(path);
}

/** A client that does nothing by itself, as that of a standby. */
function connect(options: Partial<MediaClientOptions> = {}): MediaClient {
  const client = new MediaClient({
    socket: path,
    node: 'a',
    leaseMs: LEASE_MS,
    retryMinMs: 5,
    retryMaxMs: 20,
    ...options,
  });
  clients.push(client);
  return client;
}

/** A client of a node without a peer. */
function connectSole(options: Partial<MediaClientOptions> = {}): MediaClient {
  const client = connect(options);
  keepers.push(keepSoleRole(client, LEASE_MS));
  return client;
}

const connected = (client: MediaClient) => expect.poll(() => client.connected, { timeout: 3_000 }).toBe(true);
const active = (client: MediaClient) =>
  expect.poll(() => client.epoch, { timeout: 3_000 }).toBeGreaterThan(0);

/** Asks for the lease as a standby does that takes over. */
async function ask(client: MediaClient, seen: number): Promise<RoleEvent> {
  const answer = new Promise<RoleEvent>((resolve) => {
    client.onLease = (event) => (event.type === 'granted' || event.type === 'refused') && resolve(event);
  });
  client.lease({ type: 'ask', request: 77, seen });
  return await answer;
}

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
  test('that connects is told that nobody has the lease, but not that somebody has', async () => {
    await serve();
    const told: string[] = [];
    const first = connect({ node: 'a' });
    first.onLease = ({ type }) => told.push(`a ${type}`);
    await expect.poll(() => told).toEqual(['a grantorUp', 'a free']);
    expect(await ask(first, 0)).toMatchObject({ type: 'granted' });
    const second = connect({ node: 'b' });
    second.onLease = ({ type }) => told.push(`b ${type}`);
    await expect.poll(() => told).toContain('b grantorUp');
    expect(await ask(second, 0)).toMatchObject({ type: 'refused' });
    expect(told).not.toContain('b free');
  });

  test('is granted an epoch, and commands', async () => {
    await serve();
    const client = connectSole();
    await active(client);
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

  test('that asks before it is connected, or is not active, is told so', async () => {
    const client = connect();
    await expect(client.stats()).rejects.toThrow('not connected');
    await serve();
    await connected(client);
    await expect(client.stats()).rejects.toThrow('does not hold the lease');
    expect(client).toMatchObject({ epoch: 0, pid: process.pid });
  });

  test('goes on with its epoch and its calls when the media process was away', async () => {
    const states: boolean[] = [];
    const client = connectSole({ onState: (state) => states.push(state) });
    await new Promise((resolve) => setTimeout(resolve, 30));
    await serve();
    await active(client);
    await invite(client);
    const lost = invite(client, '2.1').catch((error: Error) => error.message);
    await server!.close();
    await lost;
    await expect.poll(() => client.epoch).toBe(0);
    await serve(2);
    await active(client);
    expect(states).toEqual([true, false, true]);
    expect(client.epoch).toBe(1);
    expect((await client.stats()).totals.calls).toBeGreaterThan(0);
  });

  test('that lost its connection by a fault of the other side keeps the lease', async () => {
    await serve();
    const client = connectSole();
    await active(client);
    const standby = connect({ node: 'b' });
    await connected(standby);
    const back = new Promise<void>((resolve) => {
      standby.onLease = ({ type }) => type === 'grantorUp' && resolve();
    });
    server!.disconnectAll();
    await back;
    expect(await ask(standby, 1)).toMatchObject({ type: 'refused', epoch: 1 });
    const status = () => client.stats().then((reply) => reply.status, String);
    await expect.poll(status).toBe(200);
    expect(client.epoch).toBe(1);
  });

  test('that starts when its predecessor has died finds no calls of it, and may name its own like them', async () => {
    await serve();
    const first = connectSole();
    await active(first);
    await invite(first);
    await invite(first, '2.1');
    await first.closeCall('2.1');
    first.close();
    const second = connectSole();
    await active(second);
    expect(second.epoch).toBe(2);
    expect((await second.stats()).totals.calls).toBe(0);
    expect(await invite(second, '2.1')).toMatchObject({ status: 200 });
  });

  test('that waits for the lease hears when it is free', async () => {
    await serve();
    const first = connectSole();
    await active(first);
    const second = connect({ node: 'b' });
    await connected(second);
    expect(await ask(second, 1)).toMatchObject({ type: 'refused', epoch: 1 });
    const free = new Promise<RoleEvent>((resolve) => (second.onLease = resolve));
    first.close();
    expect(await free).toEqual({ type: 'free' });
    expect(await ask(second, 1)).toEqual({ type: 'granted', request: 77, epoch: 2 });
  });

  test('that takes over keeps the calls that it knows, however many, and no others', async () => {
    await serve();
    const first = connectSole();
    await active(first);
    for (const call of ['1.1', '2.1', '3.1']) await invite(first, call);
    const second = connect({ node: 'b' });
    await connected(second);
    keepers[0]!.feed({ type: 'stop' });
    first.lease({ type: 'release', epoch: 1 });
    await expect.poll(async () => (await ask(second, 1)).type).toBe('granted');
    const others = Array.from({ length: 10_000 }, (_, i) => `9.${i}`);
    second.activate(2, ['1.1', ...others, '3.1']);
    await expect.poll(async () => (await second.stats()).totals.calls).toBe(2);
    expect((await second.stats('2.1')).legs).toEqual([]);
    expect((await second.stats('3.1')).legs).toHaveLength(1);
  });

  test('whose epoch is not the newest is refused, and hears that there is a newer one', async () => {
    await serve();
    const first = connect();
    await connected(first);
    await ask(first, 0);
    first.activate(1, null);
    const heard: RoleEvent[] = [];
    first.onLease = (event) => heard.push(event);
    first.lease({ type: 'release', epoch: 1 });
    const second = connectSole({ node: 'b' });
    await active(second);
    expect(await invite(first)).toMatchObject({ status: 409 });
    expect(heard).toContainEqual({ type: 'outdated', epoch: 2 });
    expect((await second.stats()).totals.calls).toBe(0);
  });

  test('only the active node hears of events', async () => {
    await serve();
    const first = connectSole();
    await active(first);
    const second = connect({ node: 'b' });
    await connected(second);
    const heard: string[] = [];
    first.onEvent = ({ event }) => heard.push(event);
    second.onEvent = () => heard.push('second');
    server!.emit({ event: 'mediaTimeout', call: '1.1' });
    await expect.poll(() => heard).toEqual(['mediaTimeout']);
  });

  test('with a longer lease than the media process is refused', async () => {
    await serve();
    const reasons: string[] = [];
    const client = connect({ leaseMs: LEASE_MS + 1, onState: (_, reason) => reasons.push(reason) });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(client.connected).toBe(false);
  });
});

describe('a media process that does not answer', () => {
  /** Greets, grants an epoch, and is silent else. */
  async function serveSilence(): Promise<void> {
    silent = createServer((socket) => {
      const reader = new FrameReader();
      socket.on('data', (chunk: Buffer) => {
        for (const message of reader.push(chunk) as { op: string; id: number }[]) {
          if (message.op === 'lease') socket.write(encodeFrame({ id: message.id, status: 200, epoch: 1 }));
          if (message.op !== 'hello') continue;
          const hello = { id: message.id, status: 200, v: 3, epoch: 0, pid: 1, workers: [] };
          socket.write(encodeFrame(hello));
        }
      });
    });
    await new Promise<void>((resolve) => silent!.listen(path, resolve));
  }

  test('is given up after a time', async () => {
    await serveSilence();
    const client = connect({ requestTimeoutMs: 50 });
    await connected(client);
    client.activate(1, null);
    await expect(client.stats()).rejects.toThrow('no answer within 50 ms');
  });

  test('gets no more requests than agreed', async () => {
    await serveSilence();
    const client = connect({ requestTimeoutMs: 50, outstandingMax: 2 });
    await connected(client);
    client.activate(1, null);
    const waiting = [client.stats(), client.stats()].map((reply) =>
      reply.catch((error: Error) => error.message),
    );
    await expect(client.stats()).rejects.toThrow('too many requests');
    expect(await Promise.all(waiting)).toEqual(['no answer within 50 ms', 'no answer within 50 ms']);
  });
});

describe('a media process that sends what is no message', () => {
  let socket: Socket | null;

  async function serveGarbage(): Promise<void> {
    socket = null;
    silent = createServer((accepted) => {
      socket = accepted;
      const reader = new FrameReader();
      accepted.on('data', (chunk: Buffer) => {
        for (const { op, id } of reader.push(chunk) as { op: string; id: number }[]) {
          const hello = { v: 3, pid: 1, workers: [] };
          accepted.write(encodeFrame({ id, status: 200, epoch: 1, ...(op === 'hello' ? hello : {}) }));
        }
      });
    });
    await new Promise<void>((resolve) => silent!.listen(path, resolve));
  }

  test('is no longer listened to; an active node closes its connection only when it serves no longer', async () => {
    await serveGarbage();
    const client = connect();
    await connected(client);
    client.activate(1, null);
    const garbled = new Promise<void>((resolve) => {
      client.onLease = ({ type }) => type === 'garbled' && resolve();
    });
    let ended = false;
    socket!.on('end', () => (ended = true));
    socket!.write('GET / HTTP/1.1\r\n\r\n');
    await garbled;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([ended, client.connected]).toEqual([false, false]);
    client.deactivate();
    await expect.poll(() => ended).toBe(true);
    await connected(client);
  });

  test('is connected to anew by a node without a peer', async () => {
    await serveGarbage();
    const client = connectSole();
    await active(client);
    const before = socket!;
    before.write('GET / HTTP/1.1\r\n\r\n');
    await expect.poll(() => socket !== before && client.connected).toBe(true);
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
      { op: 'hello', id: 2, v: 99, node: 'a', leaseMs: 350 },
      { op: 'dance', id: 3 },
      { op: 'lease', id: 4, want: 'ask', epoch: 0 },
    );
    // Answers come as they are ready.
    const byId = (replies as { id: number }[]).sort((a, b) => a.id - b.id);
    expect(byId).toMatchObject([
      { id: 1, status: 409 },
      { id: 2, status: 400, reason: 'version 99 is not spoken here, only 3' },
      { id: 3, status: 400, reason: 'op "dance" is not known' },
      { id: 4, status: 400, reason: 'no hello came before' },
    ]);
  });

  test('hangs up on what is no frame', async () => {
    await serve();
    expect(await talk(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toEqual({ replies: [], closed: true });
  });
});
