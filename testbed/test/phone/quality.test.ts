import { describe, expect, test } from 'vitest';
import {
  measure,
  QualityMonitor,
  readStats,
  type StatsSample,
  WINDOW_MS,
} from '../../softphone/phone/quality.ts';

const SAMPLE: StatsSample = {
  atMs: 0,
  ssrc: 7,
  packetsReceived: 0,
  packetsLost: 0,
  packetsSent: 0,
  bytesReceived: 0,
  bytesSent: 0,
  jitterMs: 0,
  bufferDelayS: 0,
  bufferCount: 0,
  rttMs: null,
  sentLossPct: null,
  codec: 'opus/48000/2',
};

const report = (...entries: { id: string; [key: string]: unknown }[]) =>
  new Map(entries.map((entry) => [entry.id, entry]));

describe('readStats', () => {
  const inbound = {
    id: 'in',
    type: 'inbound-rtp',
    kind: 'audio',
    timestamp: 5_000,
    ssrc: 7,
    lastPacketReceivedTimestamp: 4_990,
    codecId: 'c',
    packetsReceived: 100,
    packetsLost: 4,
    bytesReceived: 8_000,
    jitter: 0.0035,
    jitterBufferDelay: 9,
    jitterBufferEmittedCount: 300,
  };
  const outbound = { id: 'out', type: 'outbound-rtp', kind: 'audio', packetsSent: 90, bytesSent: 7_000 };
  const codec = { id: 'c', type: 'codec', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 };

  test('reads what browsers report', () => {
    const remote = {
      id: 'r',
      type: 'remote-inbound-rtp',
      kind: 'audio',
      roundTripTime: 0.04,
      fractionLost: 0.02,
    };
    expect(readStats(report(inbound, outbound, codec, remote))).toEqual({
      atMs: 5_000,
      ssrc: 7,
      packetsReceived: 100,
      packetsLost: 4,
      packetsSent: 90,
      bytesReceived: 8_000,
      bytesSent: 7_000,
      jitterMs: 3.5,
      bufferDelayS: 9,
      bufferCount: 300,
      rttMs: 40,
      sentLossPct: 2,
      codec: 'opus/48000/2',
    });
  });

  test('takes the round trip of ICE until a receiver report came', () => {
    const transport = { id: 't', type: 'transport', selectedCandidatePairId: 'p2' };
    const other = {
      id: 'p1',
      type: 'candidate-pair',
      state: 'succeeded',
      nominated: true,
      currentRoundTripTime: 9,
    };
    const pair = { id: 'p2', type: 'candidate-pair', state: 'succeeded', currentRoundTripTime: 0.012 };
    expect(readStats(report(inbound, other, pair, transport)).rttMs).toBe(12);
    expect(readStats(report(inbound, other)).rttMs).toBe(9_000);
  });

  test('reads the stream that is heard now, not one that has ended', () => {
    const ended = { ...inbound, id: 'old', ssrc: 3, lastPacketReceivedTimestamp: 1_000 };
    expect(readStats(report(ended, inbound)).ssrc).toBe(7);
    expect(readStats(report(inbound, ended)).ssrc).toBe(7);
  });

  test('mono codecs are named without channels', () => {
    const mono = { ...codec, mimeType: 'audio/PCMU', clockRate: 8_000, channels: 1 };
    expect(readStats(report(inbound, mono)).codec).toBe('PCMU/8000');
  });

  test('of nothing is nothing', () => {
    expect(readStats([])).toMatchObject({ packetsReceived: 0, rttMs: null, codec: null });
  });
});

describe('measure', () => {
  test('loss and rates are those of the window', () => {
    const from = { ...SAMPLE, atMs: 1_000, packetsReceived: 1_000, packetsLost: 500, bytesReceived: 10_000 };
    const to = {
      ...from,
      atMs: 3_000,
      packetsReceived: 1_095,
      packetsLost: 505,
      bytesReceived: 18_000,
      rttMs: 20,
    };
    expect(measure(from, to)).toMatchObject({ lossPct: 5, receivedKbps: 32, rttMs: 20 });
  });

  test('delay is half the round trip, the jitter buffer and a frame', () => {
    const clean = { ...SAMPLE, atMs: 2_000, packetsReceived: 100 };
    const slow = { ...clean, rttMs: 500, bufferDelayS: 96, bufferCount: 480 };
    expect(measure(SAMPLE, slow).bufferMs).toBe(200);
    expect(measure(SAMPLE, clean).mos!).toBeGreaterThan(4.3);
    expect(measure(SAMPLE, slow).mos!).toBeLessThan(3);
  });

  test('says nothing about quality before enough packets came', () => {
    expect(measure(SAMPLE, { ...SAMPLE, atMs: 500, packetsReceived: 24 })).toMatchObject({
      mos: null,
      grade: null,
    });
    expect(measure(SAMPLE, { ...SAMPLE, atMs: 500, packetsReceived: 25 })).toMatchObject({
      grade: 'excellent',
    });
  });

  test('a counter that falls counts as none', () => {
    const from = { ...SAMPLE, packetsLost: 5, packetsReceived: 50 };
    expect(measure(from, { ...from, atMs: 1_000, packetsLost: 3, packetsReceived: 100 }).lossPct).toBe(0);
  });
});

test('the monitor begins anew with another source', () => {
  const monitor = new QualityMonitor();
  monitor.add({ ...SAMPLE, packetsReceived: 5_000 });
  monitor.add({ ...SAMPLE, atMs: 1_000, ssrc: 8, packetsReceived: 10 });
  expect(monitor.add({ ...SAMPLE, atMs: 2_000, ssrc: 8, packetsReceived: 60 }).grade).toBe('excellent');
});

test('the monitor forgets what is older than its window', () => {
  const monitor = new QualityMonitor();
  const lossy = Array.from({ length: 40 }, (_, second) => {
    const lost = Math.min(second, 5) * 10;
    return monitor.add({ ...SAMPLE, atMs: second * 1_000, packetsReceived: second * 50, packetsLost: lost })
      .lossPct;
  });
  expect(lossy[5]).toBeCloseTo(100 / 6, 1);
  expect(lossy[5 + WINDOW_MS / 1_000]).toBe(0);
});
