import { beforeEach, describe, expect, it } from 'vitest';
import * as abi from '../../assembly/rtp/abi.ts';
import { readRtp, rtpPacket } from './packets.ts';
import { CONSUMER_SSRC, IN_SSRC, OUT_SSRC, PHONE, PHONE_PORT, PHONE_SSRC, Rig, SETTING } from './rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.create();
  rig.allocate(0);
  rig.configure(0);
});
const inward = (...args: Parameters<Rig['phone']>) => rig.phone(...args).map(({ bytes }) => readRtp(bytes));
const outward = (...args: Parameters<Rig['mediasoup']>) =>
  rig.mediasoup(...args).map(({ bytes }) => readRtp(bytes));

describe('mapping', () => {
  it('gives packets of the phone the SSRC and payload type of the producer', () => {
    const payload = Buffer.from('voice');
    const [sent] = rig.phone({ payloadType: 96, payload, csrcs: [5, 6] });
    expect(sent!.token).toBe(abi.TOKEN_MEDIASOUP);
    expect(sent!.to).toBe(`127.0.0.1:${SETTING.mediasoupPort}`);
    expect(readRtp(sent!.bytes)).toMatchObject({ ssrc: IN_SSRC, payloadType: 111, payload, csrcs: [5, 6] });
  });

  it('gives packets of mediasoup the SSRC of the leg and the payload type of the phone', () => {
    const payload = Buffer.from('voice');
    const [sent] = rig.mediasoup({ payloadType: 110, payload, marker: true });
    expect(sent!.token).toBe(0);
    expect(sent!.to).toBe(`${PHONE}:${PHONE_PORT}`);
    expect(readRtp(sent!.bytes)).toMatchObject({ ssrc: OUT_SSRC, payloadType: 101, payload, marker: true });
  });

  it('drops payload types that were not negotiated, in either direction', () => {
    expect(inward({ payloadType: 8 })).toEqual([]);
    expect(outward({ payloadType: 8 })).toEqual([]);
    expect(rig.count(abi.K_UNKNOWN_PT)).toBe(2);
  });

  it('takes header extensions out: their ids mean nothing to the other side', () => {
    const [packet] = inward({ extension: Buffer.alloc(8, 0x31), csrcs: [9], payload: Buffer.from('voice') });
    expect(packet).toMatchObject({
      extended: false,
      csrcs: [9],
      payload: Buffer.from('voice'),
      ssrc: IN_SSRC,
    });
    expect(outward({ extension: Buffer.alloc(0), payload: Buffer.from('v') })[0]).toMatchObject({
      extended: false,
      payload: Buffer.from('v'),
    });
  });

  it('finds the leg by the port of mediasoup', () => {
    rig.allocate(1);
    rig.configure(1, { mediasoupPort: 40_002 });
    expect(rig.mediasoup({}, 40_002)[0]!.token).toBe(2);
    expect(rig.mediasoup({}, 40_000)[0]!.token).toBe(0);
    expect(rig.mediasoup({}, 40_004)).toEqual([]);
    rig.receive(
      abi.TOKEN_MEDIASOUP,
      rtpPacket({ payloadType: 100, sequence: 1, timestamp: 1, ssrc: 1 }),
      '127.0.0.2',
      40_000,
    );
    expect(rig.step()).toEqual([]);
    expect(rig.count(abi.K_NO_LEG)).toBe(2);
  });

  it('leaves a port to the leg that took it over from a dead worker', () => {
    rig.allocate(1);
    rig.configure(1, { mediasoupPort: 40_000 });
    rig.configure(0, { mediasoupPort: 41_000 });
    expect(rig.mediasoup({}, 40_000)[0]!.token).toBe(2);
    expect(rig.mediasoup({}, 41_000)[0]!.token).toBe(0);
    rig.core.free(1);
    expect(rig.mediasoup({}, 40_000)).toEqual([]);
  });

  it('handles a full batch of several legs in order', () => {
    rig.allocate(1);
    rig.configure(1, { mediasoupPort: 40_002 });
    for (let i = 0; i < abi.EDGE_SLOTS; i++) {
      const packet = rtpPacket({ payloadType: 0, sequence: i >> 1, timestamp: 80 * i, ssrc: i & 1 });
      rig.receive((i & 1) << 1, packet, PHONE, PHONE_PORT);
    }
    const sent = rig.step();
    expect(sent).toHaveLength(abi.EDGE_SLOTS);
    expect(sent.map(({ to }) => to)).toEqual(
      Array.from({ length: abi.EDGE_SLOTS }, (_, i) => `127.0.0.1:${40_000 + 2 * (i & 1)}`),
    );
  });
});

describe('directions', () => {
  it('holds back what is switched off, and counts it', () => {
    rig.configure(0, { send: false, receive: false });
    expect(inward()).toEqual([]);
    expect(outward()).toEqual([]);
    expect(rig.count(abi.K_HELD)).toBe(2);
    expect(rig.stat(abi.S_PACKETS_IN)).toBe(1); // heard all the same
    expect(rig.stat(abi.S_PACKETS_OUT)).toBe(0);
  });

  it('has no path before there is a transport', () => {
    rig.configure(0, { mediasoupPort: null });
    expect(inward()).toEqual([]);
    expect(rig.count(abi.K_NO_PATH)).toBe(1);
  });

  it('forgets a leg that was freed', () => {
    inward();
    expect(rig.core.free(0)).toBe(true);
    expect(rig.core.free(0)).toBe(false);
    expect(inward()).toEqual([]);
    expect(outward()).toEqual([]);
    expect(rig.count(abi.K_NO_LEG)).toBe(2);
    expect(rig.core.stats(0, rig.nowUs)).toBe(0);
    expect(rig.configure(0)).toBe(false);
    expect(rig.allocate(0)).toBe(true);
    expect(rig.source()).toBeNull();
    expect(rig.stat(abi.S_PACKETS_IN)).toBe(0);
  });

  it('refuses slots that are taken or out of range', () => {
    expect(rig.allocate(0)).toBe(false);
    expect(rig.allocate(4)).toBe(false);
    expect(rig.configure(3)).toBe(false);
    expect(rig.core.free(0xffffffff)).toBe(false);
  });
});

describe('continuity towards the phone', () => {
  it('begins with the leg’s own sequence number and timestamp', () => {
    expect(outward({ sequence: 40_000, timestamp: 77 })[0]).toMatchObject({
      sequence: 1_000,
      timestamp: 5_000,
    });
    expect(outward({ sequence: 40_001, timestamp: 237 })[0]).toMatchObject({
      sequence: 1_001,
      timestamp: 5_160,
    });
  });

  it('goes on when the consumer changes: next number, time that passed, marker', () => {
    outward({ sequence: 65_535, timestamp: 100 });
    const [first] = outward({ sequence: 0, timestamp: 260 });
    rig.pass(300);
    const [next] = outward({ sequence: 9_000, timestamp: 123_456, ssrc: CONSUMER_SSRC + 1 });
    expect(next!.ssrc).toBe(first!.ssrc);
    expect(next!.sequence).toBe(first!.sequence + 1);
    expect(next!.timestamp).toBe(first!.timestamp + 300 * 8);
    expect(next!.marker).toBe(true);
    const [after] = outward({ sequence: 9_001, timestamp: 123_616, ssrc: CONSUMER_SSRC + 1 });
    expect(after).toMatchObject({
      sequence: next!.sequence + 1,
      timestamp: next!.timestamp + 160,
      marker: false,
    });
  });

  it('keeps losses and reordering as they are', () => {
    const sequences = [10, 11, 14, 13, 15].map(
      (sequence) => outward({ sequence, timestamp: 160 * sequence })[0]!.sequence,
    );
    expect(sequences).toEqual([1_000, 1_001, 1_004, 1_003, 1_005]);
  });

  it('wraps', () => {
    rig.allocate(1, { sequenceOut: 0xfffe, timestampOut: 0xffffffff });
    rig.configure(1, { mediasoupPort: 40_002 });
    const packets = [5, 6, 7].flatMap((n) => outward({ sequence: n, timestamp: 160 * n }, 40_002));
    expect(packets.map(({ sequence }) => sequence)).toEqual([0xffff, 0, 1]);
    expect(packets.map(({ timestamp }) => timestamp)).toEqual([0xffffffff, 159, 319]);
  });

  it('leaves no gap for what was held back', () => {
    const [before] = outward({ sequence: 1, timestamp: 0 });
    rig.configure(0, { send: false });
    for (let n = 2; n < 52; n++) {
      rig.pass(20);
      outward({ sequence: n, timestamp: 160 * n });
    }
    rig.configure(0);
    rig.pass(20);
    const [after] = outward({ sequence: 52, timestamp: 160 * 52 });
    expect(after!.sequence).toBe(before!.sequence + 1);
    expect(after!.timestamp - before!.timestamp).toBe(51 * 160);
  });

  it('leaves no gap for payload types that the other side does not know, and calls them not lost', () => {
    const send = (sequence: number, payloadType: number) =>
      inward({ sequence, payloadType, timestamp: 160 * sequence });
    const [before] = send(10, 0);
    for (const n of [11, 12]) expect(send(n, 13)).toEqual([]); // comfort noise
    const [after] = send(13, 0);
    expect(after).toMatchObject({
      sequence: before!.sequence + 1,
      timestamp: before!.timestamp + 3 * 160,
      marker: false,
    });
    expect(rig.stat(abi.S_EXPECTED)).toBe(4);
    expect(rig.stat(abi.S_LOST)).toBe(0);
    expect(send(15, 0)[0]!.sequence).toBe(after!.sequence + 2); // a real loss stays one
    expect(inward({ sequence: 16, payloadType: 13, ssrc: 5 })).toEqual([]); // of another source: means nothing
    expect(send(16, 0)[0]!.sequence).toBe(after!.sequence + 3);
  });

  it('does the same towards mediasoup when the phone changes its SSRC', () => {
    const [before] = inward({ sequence: 100, timestamp: 1_000 });
    rig.pass(20);
    const [after] = inward({ sequence: 60_000, timestamp: 99, ssrc: PHONE_SSRC + 1 });
    expect(after).toMatchObject({
      sequence: before!.sequence + 1,
      timestamp: before!.timestamp + 160,
      ssrc: IN_SSRC,
    });
  });

  it('drops the first packet after a jump in sequence numbers, and follows the second', () => {
    const [before] = inward({ sequence: 100 });
    expect(inward({ sequence: 20_000 })).toEqual([]);
    expect(rig.count(abi.K_BAD_SEQUENCE)).toBe(1);
    expect(inward({ sequence: 20_001 })[0]!.sequence).toBe(before!.sequence + 1);
    expect(inward({ sequence: 40_000 })).toEqual([]);
    expect(inward({ sequence: 20_002 })[0]!.sequence).toBe(before!.sequence + 2); // a stray one changes nothing
  });
});

describe('statistics (RFC 3550 A.3, A.8)', () => {
  const hear = (sequence: number, timestamp = 160 * sequence, payloadType = 0) =>
    inward({ sequence: sequence & 0xffff, timestamp: timestamp >>> 0, payloadType });

  it('counts what was expected and lost, over the end of the numbers', () => {
    for (const n of [65_533, 65_534, 65_536, 65_538, 65_537, 65_541]) hear(n);
    expect(rig.stat(abi.S_EXPECTED)).toBe(9);
    expect(rig.stat(abi.S_LOST)).toBe(3);
    hear(65_540);
    expect(rig.stat(abi.S_LOST)).toBe(2);
  });

  it('keeps the losses of an earlier source', () => {
    for (const n of [1, 2, 5]) hear(n);
    inward({ ssrc: PHONE_SSRC + 1, sequence: 30_000 });
    inward({ ssrc: PHONE_SSRC + 1, sequence: 30_002 });
    expect(rig.stat(abi.S_EXPECTED)).toBe(5 + 3);
    expect(rig.stat(abi.S_LOST)).toBe(2 + 1);
  });

  it('finds no jitter in a steady stream, whatever its timestamps begin with', () => {
    for (let n = 0; n < 100; n++) {
      hear(n, 0xffffff00 + 160 * n);
      rig.pass(20);
    }
    expect(rig.stat(abi.S_JITTER_MS)).toBeLessThan(0.001);
  });

  it('measures jitter as A.8 does', () => {
    let expected = 0;
    let lateBefore = 0;
    for (let n = 0; n < 200; n++) {
      const late = n % 2 === 0 ? 0 : 6;
      rig.nowUs += (20 + late - lateBefore) * 1_000;
      hear(n);
      if (n > 0) expected += (Math.abs(late - lateBefore) - expected) / 16;
      lateBefore = late;
    }
    expect(rig.stat(abi.S_JITTER_MS)).toBeCloseTo(expected, 6);
    expect(expected).toBeGreaterThan(5.9);
  });

  it('is not misled by telephone events, which repeat their timestamp, nor by another clock rate', () => {
    let sequence = 0;
    const speak = (payloadType: number, timestamps: number[]) => {
      for (const timestamp of timestamps) {
        hear(sequence++, timestamp, payloadType);
        rig.pass(20);
      }
    };
    speak(0, [0, 160, 320]);
    speak(101, [480, 480, 480, 480]);
    speak(0, [1_120, 1_280]);
    speak(96, [960, 1_920, 2_880]);
    expect(rig.stat(abi.S_JITTER_MS)).toBe(0);
  });

  it('tells how long nothing has come, and nothing before the first packet', () => {
    expect(rig.stat(abi.S_IDLE_MS)).toBe(-1);
    hear(1);
    rig.pass(1_234);
    expect(rig.stat(abi.S_IDLE_MS)).toBeCloseTo(1_234, 3);
    expect(rig.stat(abi.S_BYTES_IN)).toBe(172);
  });
});
