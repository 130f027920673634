import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { F_LENGTH } from '../../assembly/abi.ts';
import * as abi from '../../assembly/rtp/abi.ts';
import { byePacket, isRtcp, readRtp, reportPacket, rtpPacket } from './packets.ts';
import { IN_SSRC, MEDIASOUP, PHONE, PHONE_PORT, PHONE_SSRC, Rig, SETTING } from './rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.create();
  rig.allocate(0);
  rig.configure(0);
});

const voice = rtpPacket({ payloadType: 0, sequence: 1, timestamp: 1, ssrc: PHONE_SSRC });

describe('malformed RTP', () => {
  const refused: [string, Buffer][] = [
    ['one byte', Buffer.from([0x80])],
    ['cut in the fixed header', voice.subarray(0, 11)],
    ['version 0', Buffer.from(voice).fill(0x00, 0, 1)],
    ['version 1', Buffer.from(voice).fill(0x40, 0, 1)],
    ['version 3', Buffer.from(voice).fill(0xc0, 0, 1)],
    ['CSRCs beyond the end', Buffer.from(voice.subarray(0, 68)).fill(0x8f, 0, 1)],
    ['extension header beyond the end', Buffer.from(voice.subarray(0, 15)).fill(0x90, 0, 1)],
    [
      'extension beyond the end',
      Buffer.concat([
        Buffer.from(voice.subarray(0, 12)).fill(0x90, 0, 1),
        Buffer.from([0, 0, 0, 2, 1, 2, 3, 4]),
      ]),
    ],
    [
      'extension of the largest length',
      Buffer.concat([
        Buffer.from(voice.subarray(0, 12)).fill(0x90, 0, 1),
        Buffer.from([0, 0, 255, 255]),
        Buffer.alloc(40),
      ]),
    ],
    ['padding of 0', Buffer.concat([Buffer.from(voice).fill(0xa0, 0, 1), Buffer.from([0])])],
    [
      'padding longer than the payload',
      Buffer.concat([Buffer.from(voice.subarray(0, 12)).fill(0xa0, 0, 1), Buffer.from([1, 1, 5])]),
    ],
    ['padding without payload', Buffer.from(voice.subarray(0, 12)).fill(0xa0, 0, 1)],
  ];
  for (const [what, packet] of refused) {
    it(`is refused: ${what}`, () => {
      rig.receive(0, packet, PHONE, PHONE_PORT);
      expect(rig.step()).toEqual([]);
      expect(rig.count(abi.K_BAD_PACKET)).toBe(1);
      expect(rig.source()).toBeNull();
    });
  }

  it('is not what is only small: no payload, or nothing but padding', () => {
    expect(rig.phone({ payload: Buffer.alloc(0) })).toHaveLength(1);
    const padded = Buffer.concat([
      Buffer.from(voice.subarray(0, 12)).fill(0xa0, 0, 1),
      Buffer.from([0, 0, 3]),
    ]);
    rig.receive(0, padded, PHONE, PHONE_PORT);
    expect(rig.step()).toHaveLength(1);
  });

  it('is not an empty datagram: it keeps a NAT open', () => {
    rig.receive(0, Buffer.alloc(0), PHONE, PHONE_PORT);
    expect(rig.step()).toEqual([]);
    expect(rig.count(abi.K_BAD_PACKET)).toBe(0);
    expect(rig.source()).toBeNull();
  });

  it('is a length that a slot can’t have', () => {
    const view = new DataView(rig.core.memory.buffer);
    for (const length of [abi.EDGE_PAYLOAD_BYTES + 1, 0xffffffff]) {
      rig.receive(0, voice, PHONE, PHONE_PORT);
      view.setUint32(rig.core.slotsPtr + F_LENGTH, length, true);
      expect(rig.step()).toEqual([]);
    }
    expect(rig.count(abi.K_BAD_PACKET)).toBe(2);
  });
});

/** Bytes of which some are changed, and perhaps the end cut off or something added. */
function mutated(seeds: Buffer[]) {
  return fc
    .record({
      seed: fc.constantFrom(...seeds),
      changes: fc.array(fc.tuple(fc.nat(79), fc.nat(255)), { maxLength: 6 }),
      cut: fc.option(fc.nat(200), { freq: 2 }),
      extra: fc.option(fc.uint8Array({ maxLength: 12 }), { freq: 2 }),
    })
    .map(({ seed, changes, cut, extra }) => {
      const bytes = Buffer.concat([seed.subarray(0, cut ?? seed.length), extra ?? Buffer.alloc(0)]);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      return bytes;
    });
}

const block = { ssrc: 1, fractionLost: 1, lost: 1, highest: 1, jitter: 1, lastReport: 1, delay: 1 };
const seeds = [
  voice,
  rtpPacket({
    payloadType: 96,
    sequence: 9,
    timestamp: 3,
    ssrc: PHONE_SSRC,
    csrcs: [1, 2, 3],
    extension: Buffer.alloc(8),
  }),
  reportPacket({
    ssrc: PHONE_SSRC,
    sender: { ntp: 1n, timestamp: 1, packets: 1, octets: 1 },
    blocks: [block],
  }),
  Buffer.concat([
    reportPacket({ ssrc: PHONE_SSRC, sender: null, blocks: [block, block] }),
    byePacket(PHONE_SSRC),
  ]),
];
const datagram = fc.record({
  bytes: fc.oneof(
    fc.constantFrom(...seeds),
    mutated(seeds),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  ),
  token: fc.constantFrom(0, 0, 0, 1, 1, 2, 3, 7, 0x7fffffff, abi.TOKEN_MEDIASOUP),
  address: fc.constantFrom(PHONE, PHONE, PHONE, MEDIASOUP, '::1', '198.51.100.1'),
  port: fc.constantFrom(
    PHONE_PORT,
    PHONE_PORT,
    PHONE_PORT,
    PHONE_PORT + 1,
    SETTING.mediasoupPort!,
    0,
    65_535,
  ),
  passMs: fc.constantFrom(0, 0, 0, 20, 6_000),
});

describe('any datagrams whatever', () => {
  it('never trap the core, and what is sent on is sound', async () => {
    const legsRig = await Rig.create(2);
    legsRig.allocate(0);
    legsRig.configure(0, { vouched: [PHONE, '::1'] });
    legsRig.allocate(1);
    legsRig.configure(1, { mux: true, mediasoupPort: 65_535 });
    fc.assert(
      fc.property(
        fc.array(datagram, { minLength: 1, maxLength: abi.EDGE_SLOTS, size: 'max' }),
        (datagrams) => {
          for (const { bytes, token, address, port, passMs } of datagrams) {
            legsRig.receive(token, bytes, address, port);
            legsRig.pass(passMs);
          }
          const sent = legsRig.step();
          expect(sent.length).toBeLessThanOrEqual(abi.OUT_MAX);
          for (const { token, bytes, to } of sent) {
            expect(bytes[0]! >> 6).toBe(2);
            expect(to.endsWith(':0')).toBe(false);
            if (isRtcp(bytes)) continue;
            const packet = readRtp(bytes);
            expect(packet.extended).toBe(false);
            if (token === abi.TOKEN_MEDIASOUP) expect(packet.ssrc).toBe(IN_SSRC);
            expect([0, 96, 100, 101, 110, 111]).toContain(packet.payloadType);
          }
          for (const slot of [0, 1]) {
            expect(Number.isFinite(legsRig.stat(abi.S_JITTER_MS, slot))).toBe(true);
            expect(legsRig.stat(abi.S_EXPECTED, slot)).toBeGreaterThanOrEqual(0);
          }
        },
      ),
      { numRuns: 200 },
    );
    expect(legsRig.count(abi.K_PACKETS_IN)).toBeGreaterThan(50); // the seeds do come through
    expect(legsRig.count(abi.K_RTCP_IN)).toBeGreaterThan(50);
    expect(legsRig.count(abi.K_BAD_PACKET)).toBeGreaterThan(50);
  });

  it('change nothing about a good packet afterwards', () => {
    fc.assert(
      fc.property(mutated(seeds), (bytes) => {
        rig.receive(0, bytes, PHONE, PHONE_PORT);
        rig.step();
        rig.pass(20);
        // After a jump of sequence numbers the second packet is followed at the latest.
        rig.phone({ ssrc: PHONE_SSRC, sequence: 30_000 });
        const [sent] = rig.phone({ ssrc: PHONE_SSRC, sequence: 30_001 });
        expect(readRtp(sent!.bytes)).toMatchObject({ ssrc: IN_SSRC, payloadType: 100 });
      }),
      { numRuns: 300 },
    );
  });
});
