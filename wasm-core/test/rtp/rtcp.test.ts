import { beforeEach, describe, expect, it } from 'vitest';
import * as abi from '../../assembly/rtp/abi.ts';
import { byePacket, isRtcp, type Report, readReport, readRtp, reportPacket } from './packets.ts';
import { CONSUMER_SSRC, IN_SSRC, OUT_SSRC, PHONE, PHONE_PORT, PHONE_SSRC, Rig, START_US } from './rig.ts';

const RTCP_TOKEN = abi.TOKEN_RTCP;
let rig: Rig;
beforeEach(async () => {
  rig = await Rig.create();
  rig.allocate(0);
  rig.configure(0);
});

/** Lets time pass in small steps until reports are sent; those to the phone and to mediasoup. */
function nextReports(withinMs = 8_000): { phone: Report | null; mediasoup: Report | null; at: number } {
  for (let ms = 0; ms < withinMs; ms += 50) {
    rig.pass(50);
    const sent = rig.step().filter(({ bytes }) => isRtcp(bytes));
    if (sent.length === 0) continue;
    const find = (mediasoup: boolean) =>
      sent.find(({ token }) => (token === abi.TOKEN_MEDIASOUP) === mediasoup);
    const read = (found: ReturnType<typeof find>) => (found === undefined ? null : readReport(found.bytes));
    return { phone: read(find(false)), mediasoup: read(find(true)), at: rig.nowUs };
  }
  throw new Error('no report came');
}

const block = (over: object) => ({
  ssrc: OUT_SSRC,
  fractionLost: 0,
  lost: 0,
  highest: 0,
  jitter: 0,
  lastReport: 0,
  delay: 0,
  ...over,
});

function talk(packets: number, every = 1): void {
  for (let n = 0; n < packets; n++) {
    if (n % every === 0) rig.phone({ sequence: n, timestamp: 160 * n });
    rig.mediasoup({ sequence: n, timestamp: 160 * n });
    rig.pass(20);
  }
}

describe('reports of the edge', () => {
  it('stay away while nothing was sent either way', () => {
    expect(() => nextReports(10_000)).toThrow('no report');
  });

  it('come every five seconds, give or take half', () => {
    talk(1);
    expect(nextReports().at - START_US).toBeLessThanOrEqual(3_900_000);
    const times = Array.from({ length: 12 }, () => nextReports().at);
    const gaps = times.slice(1).map((at, i) => (at - times[i]!) / 1e6);
    for (const gap of gaps) {
      expect(gap).toBeGreaterThanOrEqual(2.5);
      expect(gap).toBeLessThanOrEqual(7.6);
    }
    expect(new Set(gaps.map((gap) => gap.toFixed(2))).size).toBeGreaterThan(4);
  });

  it('go to the RTCP port of the phone, from ours', () => {
    talk(1);
    for (let ms = 0; ms < 8_000; ms += 50) {
      rig.pass(50);
      const toPhone = rig.step().find(({ token }) => token !== abi.TOKEN_MEDIASOUP);
      if (toPhone === undefined) continue;
      expect(toPhone).toMatchObject({ token: RTCP_TOKEN, to: `${PHONE}:${PHONE_PORT + 1}` });
      return;
    }
    expect.unreachable();
  });

  it('say what was sent, at a timestamp that fits the time', () => {
    let last = readRtp(rig.mediasoup({ sequence: 1, timestamp: 0 })[0]!.bytes);
    rig.pass(20);
    last = readRtp(rig.mediasoup({ sequence: 2, timestamp: 160 })[0]!.bytes);
    const sentUs = rig.nowUs;
    const { phone, at } = nextReports();
    expect(phone).toMatchObject({
      ssrc: OUT_SSRC,
      sender: { packets: 2, octets: 320 },
      cname: 'cname-of-leg-0..',
    });
    expect(phone!.sender!.timestamp).toBe(last.timestamp + ((at - sentUs) * 8) / 1_000);
    const seconds = phone!.sender!.ntp >> 32n;
    expect(Number(seconds)).toBe(Math.floor(at / 1e6) + 2_208_988_800);
    const fraction = Number(phone!.sender!.ntp & 0xffff_ffffn) / 2 ** 32;
    expect(fraction).toBeCloseTo((at % 1e6) / 1e6, 5);
  });

  it('say what was heard, and since when', () => {
    talk(40, 2);
    rig.rtcp(
      reportPacket({
        ssrc: PHONE_SSRC,
        sender: { ntp: 0xaabb_ccdd_eeff_0011n, timestamp: 0, packets: 20, octets: 0 },
        blocks: [],
      }),
    );
    const heardUs = rig.nowUs;
    const { phone, at } = nextReports();
    expect(phone!.blocks).toHaveLength(1);
    expect(phone!.blocks[0]).toMatchObject({
      ssrc: PHONE_SSRC,
      lost: 19,
      highest: 38,
      lastReport: 0xccdd_eeff,
    });
    expect(phone!.blocks[0]!.fractionLost).toBe(Math.floor((19 * 256) / 39));
    expect(phone!.blocks[0]!.delay / 65_536).toBeCloseTo((at - heardUs) / 1e6, 3);
    expect(nextReports().phone!.blocks[0]!.fractionLost).toBe(0); // nothing more since
  });

  it('are receiver reports once nothing was sent for two intervals', () => {
    talk(2);
    const kinds = Array.from({ length: 4 }, () => nextReports().phone!.sender !== null);
    expect(kinds).toEqual([true, true, false, false]);
  });

  it('to mediasoup carry the producer’s SSRC and a block for the consumer', () => {
    talk(3);
    expect(nextReports().mediasoup).toMatchObject({
      ssrc: IN_SSRC,
      sender: { packets: 3 },
      blocks: [{ ssrc: CONSUMER_SSRC, lost: 0, highest: 2 }],
    });
  });

  it('to mediasoup pass on what the phone reports, while it is fresh', () => {
    talk(3);
    rig.rtcp(
      reportPacket({
        ssrc: PHONE_SSRC,
        sender: null,
        blocks: [block({ fractionLost: 51, lost: 7, jitter: 33 })],
      }),
    );
    expect(nextReports().mediasoup!.blocks).toMatchObject([
      { ssrc: CONSUMER_SSRC, fractionLost: 51, lost: 7, jitter: 33 },
    ]);
    rig.pass(20_000);
    expect(nextReports().mediasoup!.blocks).toMatchObject([{ fractionLost: 0, lost: 0 }]);
  });

  it('have no block for a source that said goodbye', () => {
    talk(3);
    rig.rtcp(
      Buffer.concat([reportPacket({ ssrc: PHONE_SSRC, sender: null, blocks: [] }), byePacket(PHONE_SSRC)]),
    );
    expect(nextReports().phone!.blocks).toEqual([]);
    rig.phone({ sequence: 10 });
    expect(nextReports().phone!.blocks).toHaveLength(1);
  });

  it('of many legs are spread over steps, and each has its turn', async () => {
    rig = await Rig.create(100);
    for (let slot = 0; slot < 100; slot++) {
      rig.allocate(slot);
      rig.configure(slot, { mediasoupPort: 40_000 + slot });
      rig.phone({}, { slot });
    }
    rig.pass(10_000);
    const seen = new Set<number>();
    for (let step = 0; step < 20; step++) {
      const sent = rig.step();
      expect(sent.length).toBeLessThanOrEqual(2 * abi.REPORTS_PER_STEP_MAX);
      for (const { token } of sent) if (token !== abi.TOKEN_MEDIASOUP) seen.add(token);
    }
    expect(seen.size).toBe(100);
  });
});

describe('reports of the phone', () => {
  const report = (over: object) =>
    rig.rtcp(reportPacket({ ssrc: PHONE_SSRC, sender: null, blocks: [block({ ssrc: 99 }), block(over)] }));

  it('give the round trip: arrival minus LSR minus DLSR', () => {
    talk(2);
    const sent = nextReports().phone!.sender!;
    rig.pass(530);
    report({ lastReport: Number((sent.ntp >> 16n) & 0xffff_ffffn), delay: 0.5 * 65_536 });
    expect(rig.stat(abi.S_RTT_MS)).toBeCloseTo(30, 1);
  });

  it('give none without LSR, or when it makes no sense', () => {
    talk(2);
    const sent = nextReports().phone!.sender!;
    const lastReport = Number((sent.ntp >> 16n) & 0xffff_ffffn);
    rig.pass(100);
    report({ lastReport: 0, delay: 5 });
    report({ lastReport, delay: 65_536 }); // held longer than it is old
    report({ lastReport: lastReport - 100 * 65_536, delay: 0 });
    expect(rig.stat(abi.S_RTT_MS)).toBe(-1);
    report({ lastReport, delay: Math.round(0.101 * 65_536) }); // a little: the resolution of the clocks
    expect(rig.stat(abi.S_RTT_MS)).toBe(0);
  });

  it('give loss and jitter at its end', () => {
    talk(2);
    expect(rig.stat(abi.S_FAR_LOSS_PCT)).toBe(-1);
    expect(rig.stat(abi.S_FAR_JITTER_MS)).toBe(-1);
    report({ fractionLost: 128, jitter: 400, lost: -3 });
    expect(rig.stat(abi.S_FAR_LOSS_PCT)).toBe(50);
    expect(rig.stat(abi.S_FAR_JITTER_MS)).toBe(50);
  });

  it('are not about somebody else’s SSRC', () => {
    talk(2);
    report({ ssrc: 98, fractionLost: 128 });
    expect(rig.stat(abi.S_FAR_LOSS_PCT)).toBe(-1);
  });

  it('are refused whole when any part of them is cut short', () => {
    talk(2);
    const good = reportPacket({ ssrc: PHONE_SSRC, sender: null, blocks: [block({ fractionLost: 128 })] });
    const bad = [
      good.subarray(0, good.length - 1),
      Buffer.concat([good, Buffer.from([0x80])]),
      Buffer.concat([good, Buffer.from([0x81, 203, 0, 0])]), // BYE with one SSRC that isn't there
      Buffer.concat([Buffer.from([0xa0, 201, 0, 1, 0, 0, 0, 1]), good]), // padding before the end
      Buffer.from(good).fill(0x82, 0, 1), // two blocks announced
      Buffer.from(good).fill(0x41, 0, 1), // version 1
    ];
    for (const packet of bad) rig.rtcp(packet);
    expect(rig.count(abi.K_BAD_PACKET)).toBe(bad.length);
    expect(rig.stat(abi.S_FAR_LOSS_PCT)).toBe(-1);
    rig.rtcp(good);
    expect(rig.stat(abi.S_FAR_LOSS_PCT)).toBe(50);
  });
});
