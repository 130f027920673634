/** The edge while it lets packets gather. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../../switch/test/e2e/harness/ports.ts';
import { readRtp, rtpPacket } from '../../../wasm-core/test/rtp/packets.ts';
import { Edge } from '../../edge/edge.ts';
import { Peer } from './peers.ts';

const BURST = 50;
const BURSTS = 20;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.runIf(process.platform === 'linux')('with packets enough to gather', () => {
  let edge: Edge;
  beforeAll(async () => {
    const portMin = await freePorts(4);
    const portMax = portMin + 3;
    const onEvent = () => undefined;
    edge = await Edge.start({
      address: '127.0.0.1',
      portMin,
      portMax,
      legsMax: 2,
      batchBudgetUs: 2_000,
      onEvent,
    });
  });
  afterAll(() => edge.close());

  it('all of them are passed on in their order, and commands are carried out', async () => {
    const phones = [await Peer.open(), await Peer.open()] as const;
    const legs = [await edge.allocate(), await edge.allocate()] as const;
    for (const side of [0, 1] as const) {
      await legs[side].configure({
        vouched: ['127.0.0.1'],
        remote: {
          address: '127.0.0.1',
          rtpPort: phones[side].port,
          rtcpPort: phones[side].port,
          rtcpMux: true,
        },
        inSsrc: 1,
        inPts: [[0, 100]],
        outPts: [[100, 0]],
        clockRates: [[0, 8_000]],
        mediasoup: null,
        peer: legs[1 - side]!.id,
        latchWindowMs: 5_000,
        sendEnabled: true,
        receiveEnabled: true,
      });
    }
    for (let n = 0; n < BURST * BURSTS; n++) {
      phones[0].send(
        rtpPacket({ payloadType: 0, sequence: n, timestamp: 160 * n, ssrc: 5 }),
        legs[0].rtpPort,
      );
      if (n % BURST === BURST - 1) await sleep(4);
    }
    const heard = (await phones[1].take(BURST * BURSTS)).map(({ bytes }) => readRtp(bytes).sequence);
    expect(heard.map((sequence) => (sequence - heard[0]!) & 0xffff)).toEqual(heard.map((_, n) => n));
    expect(await edge.stats()).toMatchObject([{ packetsIn: heard.length }, { packetsOut: heard.length }]);
    for (const leg of legs) await leg.free();
    for (const phone of phones) phone.close();
  });
});
