import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../../switch/test/e2e/harness/ports.ts';
import { readRtp, rtpPacket } from '../../../wasm-core/test/rtp/packets.ts';
import { Edge } from '../../edge/edge.ts';
import type { EdgeEvent, EdgeLegConfig } from '../../edge/types.ts';
import { Peer } from './peers.ts';
import { POISON, trappingCore } from './trapping-core.ts';

describe.runIf(process.platform === 'linux')('an edge thread that traps', () => {
  let wasm: Uint8Array;
  let edge: Edge;
  const peers: Peer[] = [];
  const events: EdgeEvent[] = [];
  beforeAll(async () => {
    wasm = await trappingCore();
  });
  afterEach(async () => {
    await edge.close();
    for (const peer of peers.splice(0)) peer.close();
    events.length = 0;
  });

  const start = async () => {
    const portMin = await freePorts(4);
    const onEvent = (event: EdgeEvent) => events.push(event);
    edge = await Edge.start({
      address: '127.0.0.1',
      portMin,
      portMax: portMin + 3,
      legsMax: 2,
      onEvent,
      wasm,
    });
    const [phone, router] = [await Peer.open(), await Peer.open()];
    peers.push(phone, router);
    const leg = await edge.allocate();
    const config: EdgeLegConfig = {
      vouched: ['127.0.0.1'],
      remote: null,
      inSsrc: 5,
      inPts: [[0, 100]],
      outPts: [[100, 0]],
      clockRates: [[0, 8_000]],
      mediasoup: { ip: '127.0.0.1', port: router.port },
      peer: null,
      latchWindowMs: 1_000,
      sendEnabled: true,
      receiveEnabled: true,
    };
    await leg.configure(config);
    return { phone, router, leg, config };
  };
  const packet = (first: number, sequence = 1) =>
    rtpPacket({ payloadType: 0, sequence, timestamp: 1, ssrc: 1, payload: Buffer.alloc(160, first) });
  const eventCount = async (count: number) => {
    for (let i = 0; i < 300 && events.length < count; i++) await new Promise((r) => setTimeout(r, 10));
    return events;
  };

  it('is begun anew: the same ports and configuration, and the batch set aside', async () => {
    const { phone, router, leg, config } = await start();
    phone.send(packet(0), leg.rtpPort);
    await router.take(1);
    phone.send(packet(POISON), leg.rtpPort);
    const [event] = await eventCount(1);
    expect(event).toMatchObject({ type: 'restarted', message: expect.stringContaining('unreachable') });
    expect(event!.type === 'restarted' && event!.batch).toMatchObject([
      { token: 0, address: '127.0.0.1', port: phone.port, bytes: new Uint8Array(packet(POISON)) },
    ]);
    phone.send(packet(0, 2), leg.rtpPort);
    expect(readRtp((await router.take(1))[0]!.bytes)).toMatchObject({ ssrc: 5, payloadType: 100 });
    await leg.configure({ ...config, inSsrc: 6 });
    phone.send(packet(0, 3), leg.rtpPort);
    expect(readRtp((await router.take(1))[0]!.bytes).ssrc).toBe(6);
    const second = await edge.allocate();
    expect(second.rtpPort).not.toBe(leg.rtpPort);
    await leg.free();
    expect((await edge.totals()).legs).toBe(1);
  });

  it('answers what was asked while it was being begun anew', async () => {
    const { phone, leg, config } = await start();
    phone.send(packet(POISON), leg.rtpPort);
    for (let i = 0; i < 40; i++) {
      await leg.configure({ ...config, inSsrc: i });
      expect(await edge.stats()).toHaveLength(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await eventCount(1)).toMatchObject([{ type: 'restarted' }]);
  });

  it('is given up after some times, and says so', async () => {
    const { phone, leg } = await start();
    for (let n = 1; n <= 6; n++) {
      phone.send(packet(POISON), leg.rtpPort);
      await eventCount(n);
    }
    expect(events.map(({ type }) => type)).toEqual([...new Array(5).fill('restarted'), 'failed']);
    await expect(edge.allocate()).rejects.toThrow('unreachable');
  });
});
