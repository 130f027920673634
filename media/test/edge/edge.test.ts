import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Edge } from '../../edge/edge.ts';
import type { EdgeEvent, EdgeLeg, EdgeLegConfig } from '../../edge/types.ts';
import { freePorts } from '../../../switch/test/e2e/harness/ports.ts';
import { Peer } from './peers.ts';
import {
  byePacket,
  isRtcp,
  readReport,
  readRtp,
  reportPacket,
  rtpPacket,
} from '../../../wasm-core/test/rtp/packets.ts';

const IN_SSRC = 0x11111111;
const PHONE_SSRC = 0xabcdef01;
const CONSUMER_SSRC = 0x22222222;

describe.runIf(process.platform === 'linux')('the RTP edge', () => {
  let edge: Edge;
  let phone: Peer;
  let router: Peer;
  let leg: EdgeLeg;
  const legs: EdgeLeg[] = [];
  const events: EdgeEvent[] = [];
  const peers: Peer[] = [];

  const peer = async (address?: string) => {
    const opened = await Peer.open(address);
    peers.push(opened);
    return opened;
  };
  const allocate = async () => {
    const taken = await edge.allocate();
    legs.push(taken);
    return taken;
  };
  const config = (over: Partial<EdgeLegConfig> = {}): EdgeLegConfig => ({
    vouched: ['127.0.0.1'],
    remote: { address: '127.0.0.1', rtpPort: phone.port, rtcpPort: phone.port, rtcpMux: true },
    inSsrc: IN_SSRC,
    inPts: [
      [0, 100],
      [101, 110],
    ],
    outPts: [
      [100, 0],
      [110, 101],
    ],
    clockRates: [
      [0, 8_000],
      [101, 8_000],
    ],
    mediasoup: { ip: '127.0.0.1', port: router.port },
    peer: null,
    latchWindowMs: 5_000,
    sendEnabled: true,
    receiveEnabled: true,
    ...over,
  });
  /** Drops by cause, once `cause` has been counted so often. */
  const dropped = async (cause: string, count: number) => {
    for (let i = 0; i < 100; i++) {
      const now = (await edge.totals()).dropped;
      if (now[cause]! >= count) return now;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`${cause} was not counted`);
  };
  const fromPhone = (n: number) =>
    rtpPacket({ payloadType: 0, sequence: 65_530 + n, timestamp: 160 * n, ssrc: PHONE_SSRC });
  const fromRouter = (n: number, ssrc = CONSUMER_SSRC) =>
    rtpPacket({ payloadType: 100, sequence: 500 + n, timestamp: 9_000 + 160 * n, ssrc });

  beforeAll(async () => {
    const portMin = await freePorts(12);
    edge = await Edge.start({
      address: '127.0.0.1',
      portMin,
      portMax: portMin + 11,
      legsMax: 8,
      onEvent: (event) => events.push(event),
    });
  });
  afterAll(async () => {
    await edge.close();
    expect(events).toEqual([]);
  });
  const begin = async (over: Partial<EdgeLegConfig> = {}) => {
    phone = await peer();
    router = await peer();
    leg = await allocate();
    await leg.configure(config(over));
  };
  afterEach(async () => {
    for (const taken of legs.splice(0)) await taken.free();
    for (const opened of peers.splice(0)) opened.close();
  });

  it('carries media both ways, with the SSRCs and payload types of the other side', async () => {
    await begin();
    for (let n = 0; n < 20; n++) phone.send(fromPhone(n), leg.rtpPort);
    const inward = (await router.take(20)).map(({ bytes }) => readRtp(bytes));
    expect(inward.every(({ ssrc, payloadType }) => ssrc === IN_SSRC && payloadType === 100)).toBe(true);
    expect(inward.map(({ sequence }) => (sequence - inward[0]!.sequence) & 0xffff)).toEqual(
      Array.from({ length: 20 }, (_, n) => n),
    );
    for (let n = 0; n < 20; n++) router.send(fromRouter(n), edge.mediasoupSide.port);
    const outward = await phone.take(20);
    expect(outward.every(({ port }) => port === leg.rtpPort)).toBe(true);
    const packets = outward.map(({ bytes }) => readRtp(bytes));
    expect(new Set(packets.map(({ ssrc }) => ssrc)).size).toBe(1);
    expect(packets.every(({ payloadType }) => payloadType === 0)).toBe(true);
    expect(packets[19]!.payload).toEqual(Buffer.alloc(160, 0x55));

    const [stats] = await edge.stats([leg.id]);
    expect(stats).toMatchObject({
      id: leg.id,
      remote: `127.0.0.1:${phone.port}`,
      packetsIn: 20,
      packetsOut: 20,
      bytesIn: 20 * 172,
      bytesOut: 20 * 172,
      lost: 0,
      expected: 20,
      rttMs: null,
    });
    expect(stats!.idleMs).toBeLessThan(3_000);
  });

  it('keeps legs apart', async () => {
    await begin();
    const [other, otherRouter, first] = [await peer(), await peer(), leg];
    const second = await allocate();
    await second.configure(
      config({
        remote: { address: '127.0.0.1', rtpPort: other.port, rtcpPort: other.port, rtcpMux: true },
        inSsrc: 7,
        mediasoup: { ip: '127.0.0.1', port: otherRouter.port },
        peer: null,
      }),
    );
    other.send(fromPhone(0), second.rtpPort);
    phone.send(fromPhone(0), first.rtpPort);
    expect(readRtp((await otherRouter.take(1))[0]!.bytes).ssrc).toBe(7);
    expect(readRtp((await router.take(1))[0]!.bytes).ssrc).toBe(IN_SSRC);
    otherRouter.send(fromRouter(0), edge.mediasoupSide.port);
    expect((await other.take(1))[0]!.port).toBe(second.rtpPort);
    expect((await edge.stats()).map(({ id }) => id)).toEqual([first.id, second.id]);
  });

  it('goes on at the same ports with another mediasoup transport, without a gap for the phone', async () => {
    await begin();
    phone.send(fromPhone(0), leg.rtpPort);
    await router.take(1);
    for (let n = 0; n < 3; n++) router.send(fromRouter(n), edge.mediasoupSide.port);
    const before = (await phone.take(3)).map(({ bytes }) => readRtp(bytes)).at(-1)!;

    const replaced = await peer();
    await leg.configure(config({ mediasoup: { ip: '127.0.0.1', port: replaced.port } }));
    router.send(fromRouter(3), edge.mediasoupSide.port);
    replaced.send(fromRouter(40_000, 0x33333333), edge.mediasoupSide.port);
    const [after] = (await phone.take(1)).map(({ bytes }) => readRtp(bytes));
    expect(after!.ssrc).toBe(before.ssrc);
    expect(after!.sequence).toBe((before.sequence + 1) & 0xffff);
    expect(after!.marker).toBe(true);
    phone.send(fromPhone(1), leg.rtpPort);
    expect(await replaced.take(1)).toHaveLength(1);
    expect(phone.received).toEqual([]);
  });

  it('drops what does not belong to the leg, and counts why', async () => {
    const before = (await edge.totals()).dropped;
    await begin({ vouched: [] });
    const stranger = await peer();
    stranger.send(fromPhone(0), leg.rtpPort); // notLatched
    phone.send(fromPhone(0), leg.rtpPort);
    await router.take(1);
    stranger.send(fromPhone(1), leg.rtpPort); // wrongSource
    phone.send(Buffer.from('not RTP at all'), leg.rtpPort); // badPacket
    phone.send(rtpPacket({ payloadType: 8, sequence: 1, timestamp: 1, ssrc: 1 }), leg.rtpPort); // unknownPt
    stranger.send(fromRouter(0), edge.mediasoupSide.port); // noLeg
    phone.send(Buffer.alloc(3_000, 0x80), leg.rtpPort); // truncated
    phone.send(fromPhone(1), leg.rtpPort);
    await router.take(1);
    await leg.configure(config({ vouched: [], receiveEnabled: false }));
    phone.send(fromPhone(2), leg.rtpPort); // held
    await dropped('held', before['held']! + 1);
    await leg.configure(config({ vouched: [], mediasoup: null }));
    phone.send(fromPhone(3), leg.rtpPort); // noPath
    const after = await dropped('noPath', before['noPath']! + 1);
    const added = Object.fromEntries(
      Object.keys(after).map((cause) => [cause, after[cause]! - before[cause]!]),
    );
    expect(added).toEqual({
      notLatched: 1,
      wrongSource: 1,
      badPacket: 1,
      unknownPt: 1,
      noLeg: 1,
      held: 1,
      noPath: 1,
      badSequence: 0,
      truncated: 1,
      sendFailed: 0,
    });
    expect(router.received).toEqual([]);
  });

  it('sends RTCP reports of its own to both sides, and reads theirs', { timeout: 20_000 }, async () => {
    const rtcp = await peer();
    await begin({
      remote: { address: '127.0.0.1', rtpPort: 0xffff, rtcpPort: rtcp.port, rtcpMux: false },
    });
    phone.send(fromPhone(0), leg.rtpPort);
    phone.send(fromPhone(2), leg.rtpPort); // one is lost
    await router.take(2);
    router.send(fromRouter(0), edge.mediasoupSide.port);
    const sent = readRtp((await phone.take(1))[0]!.bytes);
    rtcp.send(
      reportPacket({
        ssrc: PHONE_SSRC,
        sender: { ntp: 0x1234_5678_9abc_def0n, timestamp: 0, packets: 2, octets: 320 },
        blocks: [],
      }),
      leg.rtcpPort,
    );
    const [toPhone] = await rtcp.take(1, 10_000);
    const report = readReport(toPhone!.bytes);
    expect(toPhone!.port).toBe(leg.rtcpPort);
    expect(report.ssrc).toBe(sent.ssrc);
    expect(report.sender).toMatchObject({ packets: 1, octets: 160 });
    expect(report.blocks).toMatchObject([{ ssrc: PHONE_SSRC, lost: 1, lastReport: 0x5678_9abc }]);
    expect(report.cname).toMatch(/^[A-Za-z0-9+/]{16}$/);

    const [toRouter] = await router.take(1, 10_000);
    expect(isRtcp(toRouter!.bytes)).toBe(true);
    expect(readReport(toRouter!.bytes)).toMatchObject({
      ssrc: IN_SSRC,
      sender: { packets: 2 },
      blocks: [{ ssrc: CONSUMER_SSRC }],
    });

    const heldFor = 0.02;
    await new Promise((resolve) => setTimeout(resolve, heldFor * 1_000));
    rtcp.send(
      Buffer.concat([
        reportPacket({
          ssrc: PHONE_SSRC,
          sender: null,
          blocks: [
            {
              ssrc: sent.ssrc,
              fractionLost: 64,
              lost: 1,
              highest: sent.sequence,
              jitter: 80,
              lastReport: Number((report.sender!.ntp >> 16n) & 0xffff_ffffn),
              delay: heldFor * 65_536,
            },
          ],
        }),
        byePacket(PHONE_SSRC),
      ]),
      leg.rtcpPort,
    );
    let stats = (await edge.stats([leg.id]))[0]!;
    for (let i = 0; i < 50 && stats.rttMs === null; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      stats = (await edge.stats([leg.id]))[0]!;
    }
    expect(stats.rttMs).toBeLessThan(500);
    expect(stats).toMatchObject({ farLossPct: 25, farJitterMs: 10, lost: 1, expected: 3 });
  });

  it('gives ports back, and hands out the ones that were free for longest', async () => {
    phone = await peer();
    router = await peer();
    const all = [];
    for (let i = 0; i < 6; i++) all.push(await allocate());
    expect(new Set(all.map(({ rtpPort }) => rtpPort)).size).toBe(6);
    expect(all.every(({ rtpPort, rtcpPort }) => rtpPort % 2 === 0 && rtcpPort === rtpPort + 1)).toBe(true);
    await expect(edge.allocate()).rejects.toThrow('in use');
    await all[3]!.free();
    await all[3]!.free();
    await all[1]!.free();
    await expect(all[3]!.configure(config())).rejects.toThrow('freed');
    expect((await allocate()).rtpPort).toBe(all[3]!.rtpPort);
    expect((await allocate()).rtpPort).toBe(all[1]!.rtpPort);
    expect((await edge.totals()).legs).toBe(6);
    expect(await edge.stats([all[3]!.id])).toEqual([]);
  });

  it('refuses a configuration with a value out of range, by name', async () => {
    await begin();
    await expect(leg.configure(config({ vouched: ['phone.example'] }))).rejects.toThrow('phone.example');
    await expect(leg.configure(config({ inPts: [[128, 0]] }))).rejects.toThrow('inPts 128');
    await expect(leg.configure(config({ mediasoup: { ip: '127.0.0.1', port: 0 } }))).rejects.toThrow(
      'port of',
    );
    await expect(leg.configure(config({ inSsrc: -1 }))).rejects.toThrow('inSsrc');
  });
});

describe.runIf(process.platform === 'linux')('starting and ending the edge', () => {
  const onEvent = (event: EdgeEvent) => {
    throw new Error(event.message);
  };

  it('refuses a range without a port pair', async () => {
    const options = { address: '127.0.0.1', legsMax: 1, onEvent };
    await expect(Edge.start({ ...options, portMin: 40_001, portMax: 40_002 })).rejects.toThrow('no pair');
  });

  it('speaks IPv6', async () => {
    const portMin = await freePorts(4);
    const edge = await Edge.start({
      address: '::1',
      portMin,
      portMax: portMin + 3,
      legsMax: 1,
      onEvent,
    });
    const [phone, router] = [await Peer.open('::1'), await Peer.open()];
    const leg = await edge.allocate();
    await leg.configure({
      vouched: ['::1'],
      remote: null,
      inSsrc: 5,
      inPts: [[0, 0]],
      outPts: [[0, 0]],
      clockRates: [[0, 8_000]],
      mediasoup: { ip: '127.0.0.1', port: router.port },
      peer: null,
      latchWindowMs: 1_000,
      sendEnabled: true,
      receiveEnabled: true,
    });
    phone.send(rtpPacket({ payloadType: 0, sequence: 1, timestamp: 1, ssrc: 1 }), leg.rtpPort, '::1');
    await router.take(1);
    router.send(rtpPacket({ payloadType: 0, sequence: 1, timestamp: 1, ssrc: 2 }), edge.mediasoupSide.port);
    await phone.take(1);
    expect((await edge.stats())[0]!.remote).toBe(`[::1]:${phone.port}`);
    for (const peer of [phone, router]) peer.close();
    await edge.close();
    await edge.close();
    await expect(edge.allocate()).rejects.toThrow('closed');
  });
});
