/** What is made in mediasoup and the edge for calls, and that nothing of it stays. */
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RouterPts } from '../../control/agreement.ts';
import { MediasoupEngine } from '../../control/mediasoup/engine.ts';
import { MediaFull } from '../../control/engine.ts';
import { Edge } from '../../edge/edge.ts';
import { assignPayloadTypes } from '../../sdp/codec.ts';

const OPTIONS = {
  workers: 1,
  address: '127.0.0.1',
  announcedAddress: '198.51.100.7',
  webrtcPort: 45_570,
  portMin: 31_500,
  portMax: 31_507,
  plainToPlain: 'edge' as const,
};
const PTS: RouterPts = assignPayloadTypes([]);

let edge: Edge;
let engine: MediasoupEngine;

beforeAll(async () => {
  const onEvent = () => undefined;
  edge = await Edge.start({ ...OPTIONS, legsMax: 4, onEvent });
  engine = new MediasoupEngine(OPTIONS, edge, pino({ level: 'silent' }));
  await engine.pool.ready;
});
afterAll(async () => {
  engine?.close();
  await edge?.close();
});

/** What mediasoup holds, by getters that it has for tests and leaves out of its types. */
interface Held {
  webRtcServer: { webRtcTransportsForTesting: Map<string, unknown> };
  worker: { routersForTesting: Set<unknown> };
}

/** WebRTC transports and Routers of the only worker. */
async function held(): Promise<[transports: number, routers: number]> {
  const { webRtcServer, worker } = (await engine.pool.seats[0]!.current) as unknown as Held;
  return [webRtcServer.webRtcTransportsForTesting.size, worker.routersForTesting.size];
}

test('a call that is closed leaves nothing in mediasoup and the edge', async () => {
  const call = engine.openCall(PTS);
  await Promise.all([call.open('plain'), call.open('webrtc'), call.open('plain')]);
  expect(await held()).toEqual([1, 1]);
  expect((await edge.totals()).legs).toBe(2);
  await call.close();
  expect(await held()).toEqual([0, 0]);
  expect((await edge.totals()).legs).toBe(0);
  expect(engine.pool.seats[0]!.users.size).toBe(0);
});

test('a call of phones has nothing in mediasoup while the edge carries it', async () => {
  const call = engine.openCall(PTS);
  const phones = await Promise.all([call.open('plain'), call.open('plain')]);
  expect(await held()).toEqual([0, 0]);
  const browser = await call.open('webrtc');
  expect(await held()).toEqual([1, 1]);
  await call.bridge({ endpoint: phones[0]!, flow: null }, { endpoint: phones[1]!, flow: null });
  await call.release(browser);
  expect(await held()).toEqual([0, 0]);
  expect(engine.pool.seats[0]!.users.size).toBe(0);
  await call.close();
});

test('candidates carry the announced address', async () => {
  const call = engine.openCall(PTS);
  const { local } = await call.open('webrtc');
  expect(local).toMatchObject({
    variant: 'webrtc',
    candidates: [
      { protocol: 'udp', address: '198.51.100.7', port: 45_570 },
      { protocol: 'tcp', address: '198.51.100.7', port: 45_570 },
    ],
  });
  await call.close();
});

test('an endpoint that is released gives its port back while the call goes on', async () => {
  const call = engine.openCall(PTS);
  const endpoints = await Promise.all(Array.from({ length: 4 }, () => call.open('plain')));
  await expect(call.open('plain')).rejects.toThrow(MediaFull);
  await call.release(endpoints[0]!);
  await call.open('plain');
  await call.close();
  expect((await edge.totals()).legs).toBe(0);
});

test('endpoints of another call are not touched', async () => {
  const [one, other] = [engine.openCall(PTS), engine.openCall(PTS)];
  const endpoint = await one.open('plain');
  await expect(other.silence(endpoint)).rejects.toThrow('not of this call');
  await Promise.all([one.close(), other.close()]);
});
