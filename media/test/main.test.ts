/** The media process as nodes see it: real edge, real mediasoup, RTP in at one side and out at the other. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MediaClient } from '../client.ts';
import type { LegStats, MediaPath } from '../protocol.ts';
import { parseSdp } from '../sdp/parse.ts';
import { CHROMIUM, plainBody } from './support/bodies.ts';
import { MediaProcess, nextEvent } from './support/media-process.ts';
import { RtpPeer } from './support/rtp-peer.ts';

/** Who carries media between two phones: what follows holds for both. */
const PATHS: MediaPath[] = ['edge', 'mediasoup'];
const LOCAL = { address: '127.0.0.1' };
const EVENTS = ['a=rtpmap:101 telephone-event/8000'];

let media: MediaProcess;
let client: MediaClient;
let caller: RtpPeer;
let callee: RtpPeer;

beforeAll(async () => {
  media = new MediaProcess({ ports: '31000-31199', webrtcPort: 45_500, timeoutS: 2 });
  client = await media.client();
});
afterAll(() => media.stop());

let calls = 0;

interface Connected {
  call: string;
  /** Where the caller and the callee send to. */
  callerPort: number;
  calleePort: number;
}

type Body = Parameters<MediaClient['sdp']>[0];

const base: Pick<Body, 'legVariant' | 'targetVariants' | 'method' | 'source'> = {
  legVariant: 'plain',
  targetVariants: ['plain'],
  method: 'INVITE',
  source: '127.0.0.1',
};

async function body(request: Body): Promise<string> {
  const reply = await client.sdp(request);
  expect(reply).toMatchObject({ status: 200 });
  return Object.values(reply.bodies!)[0]!;
}

const portOf = (sdp: string) => parseSdp(sdp).audio!.port;

/** Two phones that talk PCMA, with other payload types for events. */
async function connect(): Promise<Connected> {
  caller = await RtpPeer.open();
  callee = await RtpPeer.open();
  const call = `${++calls}.1`;
  const offer = plainBody({ ...LOCAL, port: caller.port, formats: '0 8 101', lines: EVENTS });
  const answer = plainBody({
    ...LOCAL,
    port: callee.port,
    formats: '8 97',
    lines: ['a=rtpmap:97 telephone-event/8000'],
  });
  const toCallee = await body({ ...base, call, leg: 0, targetLeg: 255, cseq: 1, status: 0, sdp: offer });
  const toCaller = await body({ ...base, call, leg: 1, targetLeg: 0, cseq: 1, status: 200, sdp: answer });
  return { call, callerPort: portOf(toCaller), calleePort: portOf(toCallee) };
}

async function hold(call: string, direction: string, cseq: number): Promise<void> {
  const offer = plainBody({ ...LOCAL, port: caller.port, formats: '8', lines: [`a=${direction}`] });
  const reverse = direction === 'sendonly' ? 'recvonly' : direction;
  const answer = plainBody({ ...LOCAL, port: callee.port, formats: '8', lines: [`a=${reverse}`] });
  await body({ ...base, call, leg: 0, targetLeg: 1, cseq, status: 0, sdp: offer });
  await body({ ...base, call, leg: 1, targetLeg: 0, cseq, status: 200, sdp: answer });
}

/** Speaks in both directions until both have heard something new. */
async function talk({ callerPort, calleePort }: Connected): Promise<void> {
  const before = [caller.received.length, callee.received.length] as const;
  await Promise.all([
    caller.sendUntil({ pt: 8, ssrc: 1111 }, callerPort, () => callee.received.length > before[1] + 2),
    callee.sendUntil({ pt: 8, ssrc: 2222 }, calleePort, () => caller.received.length > before[0] + 2),
  ]);
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(PATHS)('two phones, by %s', (path) => {
  let connected: Connected;
  let own: MediaProcess;
  let usual: MediaClient;
  beforeAll(async () => {
    own = new MediaProcess({ ports: '31300-31499', webrtcPort: 45_520, plainToPlain: path });
    [usual, client] = [client, await own.client()];
    connected = await connect();
    await talk(connected);
  });
  afterAll(async () => {
    await client.closeCall(connected.call);
    caller.close();
    callee.close();
    client = usual;
    await own.stop();
  });

  test('hear what the other sends, from the port they were told, with their own payload type', () => {
    const heard = callee.received.at(-1)!;
    expect(heard).toMatchObject({ pt: 8, fromPort: connected.calleePort });
    expect(heard.payload).toMatch(/^packet \d+ of 1111$/);
    expect(caller.received.at(-1)).toMatchObject({ pt: 8, fromPort: connected.callerPort });
    expect(caller.received.at(-1)!.payload).toMatch(/^packet \d+ of 2222$/);
  });

  test('the stream keeps one SSRC, its order and its timestamps', async () => {
    const from = callee.received.length;
    await caller.sendUntil(
      { pt: 8, ssrc: 1111 },
      connected.callerPort,
      () => callee.received.length >= from + 10,
    );
    const heard = callee.received.slice(from);
    expect(new Set(heard.map(({ ssrc }) => ssrc)).size).toBe(1);
    expect(heard.every((packet, i) => i === 0 || packet.seq === ((heard[i - 1]!.seq + 1) & 0xffff))).toBe(
      true,
    );
    expect(heard.every((packet, i) => i === 0 || packet.timestamp - heard[i - 1]!.timestamp === 160)).toBe(
      true,
    );
  });

  test('DTMF passes, under the payload type of the other phone and on the same SSRC', async () => {
    const audio = callee.received.at(-1)!.ssrc;
    await caller.sendUntil(
      { pt: 101, ssrc: 1111 },
      connected.callerPort,
      () => callee.received.at(-1)!.pt === 97,
    );
    expect(callee.received.at(-1)).toMatchObject({ ssrc: audio, payload: expect.stringMatching(/1111$/) });
    await callee.sendUntil(
      { pt: 97, ssrc: 2222 },
      connected.calleePort,
      () => caller.received.at(-1)!.pt === 101,
    );
  });

  test('statistics of both legs', async () => {
    await caller.sendUntil({ pt: 8, ssrc: 1111 }, connected.callerPort, () => callee.received.length > 60);
    const { legs, totals } = await client.stats(connected.call);
    const leg = (number: number) => legs!.find((entry) => entry.leg === number) as LegStats;
    expect(leg(0)).toMatchObject({
      variant: 'plain',
      transport: 'udp',
      path,
      codec: 'PCMA/8000',
      localPort: connected.callerPort,
      remote: `127.0.0.1:${caller.port}`,
      lossPct: 0,
      held: false,
    });
    expect(leg(0).packetsIn).toBeGreaterThan(50);
    expect(leg(0).mos).toBeGreaterThan(4);
    expect(leg(1).packetsOut).toBeGreaterThan(50);
    expect(totals).toMatchObject({
      calls: 1,
      legs: 2,
      plainLegs: 2,
      webrtcLegs: 0,
      portsUsed: 2,
      portsMax: 100,
    });
  });

  test('payload types that were not agreed do not pass', async () => {
    await sleep(50);
    const before = callee.received.length;
    for (let i = 0; i < 5; i++) caller.send({ pt: 0, ssrc: 1111 }, 'not agreed', connected.callerPort);
    await talk(connected);
    expect(callee.received.slice(before).some(({ payload }) => payload === 'not agreed')).toBe(false);
  });

  test('hold: the holder hears nothing, and music on hold passes; then resume', async () => {
    await hold(connected.call, 'sendonly', 2);
    await sleep(50);
    const held = caller.received.length;
    const heard = callee.received.length;
    for (let i = 0; i < 5; i++) callee.send({ pt: 8, ssrc: 2222 }, 'not to be heard', connected.calleePort);
    await caller.sendUntil(
      { pt: 8, ssrc: 1111 },
      connected.callerPort,
      () => callee.received.length > heard + 3,
    );
    expect(caller.received.length).toBe(held);
    await hold(connected.call, 'sendrecv', 3);
    await talk(connected);
    expect(caller.received.some(({ payload }) => payload === 'not to be heard')).toBe(false);
  });

  test('a worker that is killed is replaced, and the call goes on without signalling', async () => {
    const replaced = nextEvent(client, 'workerReplaced');
    const { totals } = await client.stats();
    const throughIt = path === 'mediasoup';
    expect(totals.workers[0]!.routers).toBe(throughIt ? 1 : 0);
    process.kill(totals.workers[0]!.pid, 'SIGKILL');
    // A call in the edge doesn't wait for the next worker: this is before it, or else while it starts.
    if (!throughIt) await talk(connected);
    const event = await replaced;
    expect(event).toMatchObject({ diedPid: totals.workers[0]!.pid, legsMoved: throughIt ? 2 : 0 });
    expect(event.gapMs).toBeLessThan(1_000);
    await talk(connected);
    const routers = throughIt ? 1 : 0;
    expect((await client.stats()).totals.workers).toEqual([{ pid: event.pid, routers, restarts: 1 }]);
  });
});

test('a call on which nothing comes is reported once; one on hold is not', async () => {
  const silent: string[] = [];
  client.onEvent = (event) => event.event === 'mediaTimeout' && silent.push(event.call);
  const held = await connect();
  await hold(held.call, 'inactive', 2);
  const quiet = await connect();
  await sleep(3_500);
  expect(silent).toEqual([quiet.call]);
  await client.closeCall(held.call);
  await client.closeCall(quiet.call);
});

test('a browser gets an answer with ICE and DTLS, and everything is given back at the end', async () => {
  const call = `${++calls}.1`;
  const offer: Body = {
    ...base,
    call,
    leg: 0,
    legVariant: 'webrtc',
    targetLeg: 255,
    cseq: 1,
    status: 0,
    sdp: CHROMIUM,
  };
  expect(await body(offer)).toContain('RTP/AVP 111 9 0 8 110 126');
  const answered = { ...base, call, leg: 1, targetLeg: 0, cseq: 1, status: 200 } as const;
  const answer = await body({
    ...answered,
    targetVariants: ['webrtc'],
    sdp: plainBody({ ...LOCAL, formats: '8' }),
  });
  expect(answer).toContain('a=candidate:udpcandidate 1 udp');
  expect(answer).toContain(' 127.0.0.1 45500 typ host');
  expect(answer).toMatch(/a=fingerprint:sha-256 [0-9A-F:]{95}\r\n/);
  expect((await client.stats()).totals).toMatchObject({ legs: 2, plainLegs: 1, webrtcLegs: 1 });
  await client.closeCall(call);
  expect((await client.stats()).totals).toMatchObject({ calls: 0, legs: 0, portsUsed: 0 });
});

test('a call that rings at a browser and a phone goes through mediasoup until the phone answers', async () => {
  caller = await RtpPeer.open();
  callee = await RtpPeer.open();
  const call = `${++calls}.1`;
  const offer = plainBody({ ...LOCAL, port: caller.port, formats: '8' });
  const forked: Body = { ...base, call, leg: 0, targetLeg: 255, cseq: 1, status: 0, sdp: offer };
  const { bodies } = await client.sdp({ ...forked, targetVariants: ['plain', 'webrtc'] });
  expect((await client.stats()).totals.workers[0]!.routers).toBe(1);
  const answer = plainBody({ ...LOCAL, port: callee.port, formats: '8' });
  const toCaller = await body({ ...base, call, leg: 1, targetLeg: 0, cseq: 1, status: 200, sdp: answer });
  const connected = { call, callerPort: portOf(toCaller), calleePort: portOf(bodies!.plain!) };
  await talk(connected);
  expect((await client.stats()).totals.workers[0]!.routers).toBe(0);
  const { legs } = await client.stats(call);
  expect(legs!.map(({ path }) => path)).toEqual(['edge', 'edge']);
  await client.closeCall(call);
});

test('a call that is set up while the worker dies is set up on the next one', async () => {
  const { workers } = (await client.stats()).totals;
  const replaced = nextEvent(client, 'workerReplaced');
  process.kill(workers[0]!.pid, 'SIGKILL');
  const connected = await connect();
  await talk(connected);
  await replaced;
  await talk(connected);
  await client.closeCall(connected.call);
});

test('a node that starts when another one has ended finds no calls of it', async () => {
  await connect();
  const { epoch } = client;
  client.close();
  client = await media.client({ node: 'next' });
  expect(client.epoch).toBe(epoch + 1);
  await expect
    .poll(async () => (await client.stats()).totals)
    .toMatchObject({ calls: 0, legs: 0, portsUsed: 0 });
});

test('it does not start when a port is taken, and says which', async () => {
  const other = new MediaProcess({ ports: '31220-31229', webrtcPort: 45_500 });
  expect(await once(other.child, 'exit')).toEqual([1, null]);
  expect(other.log).toContain("port 45500 of browsers' media on 127.0.0.1");
  await other.stop();
});

test('it ends with its parent', async () => {
  const other = new MediaProcess({ ports: '31200-31210', webrtcPort: 45_510 });
  await other.client();
  const exited = once(other.child, 'exit');
  other.child.stdin!.end();
  expect(await exited).toEqual([0, null]);
  await other.stop();
});
