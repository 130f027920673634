/** Results with made-up figures, for tests of what is written of them. */
import type { CallLatency } from '../generator.ts';
import type { CallRow, Latency, Results, RunInfo } from '../results.ts';

export const RUN: RunInfo = {
  date: '2026-01-02T03:04:05.000Z',
  commit: 'abc1234',
  cpu: 'Test CPU',
  cores: 2,
  memoryGb: 8,
  kernel: '6.1',
  versions: { node: '22.0.0', kamailio: '5.6.3' },
};

export function callLatency(p50: number, p99: number, p999: number): CallLatency {
  return { addedUs: latency(p50, p99, p999), addedUsByKind: {}, lateUs: latency(5, 20, 60) };
}

function latency(p50: number, p99: number, p999: number): Latency {
  return { count: 1_000, p50, p99, p999, max: p999 * 2 };
}

export function callRow(peer: string, callsPerSecond: number, change: Partial<CallRow> = {}): CallRow {
  return {
    peer,
    callsPerSecond,
    calls: callsPerSecond * 10,
    failed: 0,
    lost: 0,
    retransmissions: 0,
    cpuUsPerCall: 50,
    latency: callLatency(40, 150, 600),
    peakBytes: 200e6,
    ...change,
  };
}

/** Strowger: 50 µs a call, 6,000 calls/s at most; Kamailio: 100 µs and 4,000. */
export function results(): Results {
  const theirs = { cpuUsPerCall: 100, latency: callLatency(50, 300, 2_000), peakBytes: 700e6 };
  return {
    calls: {
      run: RUN,
      settings: {
        generator: 'prober',
        seconds: 10,
        search: { from: 1_000, max: 16_000, grid: 500, seconds: 5 },
      },
      rows: [1_000, 2_000, 3_000, 4_000].flatMap((rate) => [
        callRow('strowger', rate, { half: rate === 3_000 || rate === 2_000 }),
        callRow('kamailio', rate, { ...theirs, half: rate === 3_000 || rate === 2_000 }),
      ]),
      highest: [
        { peer: 'strowger', passed: 6_000, failed: 6_500, steps: [] },
        { peer: 'kamailio', passed: 4_000, failed: 4_500, steps: [] },
      ],
      held: [{ peer: 'strowger', calls: 10_000, bytesPerCall: 1_900 }],
    },
    register: {
      run: RUN,
      settings: { bindings: 100_000 },
      rows: [false, true].flatMap((digest) => [
        registerRow('strowger', digest, digest ? 30 : 10, 500),
        registerRow('kamailio', digest, digest ? 40 : 15, 900),
      ]),
    },
  };
}

/** Media: 8 µs a packet at 50 calls, and rtpengine 10. */
export function mediaResults(): Results {
  const row = (name: string, calls: number, cpuUsPerPacket: number) => ({
    name,
    calls,
    packets: calls * 1_000,
    lost: 0,
    cpuUsPerPacket,
    addedUs: { p50: 100, p99: 300, p999: 500 },
  });
  return {
    media: {
      run: RUN,
      rows: [
        row('rtpengine userspace', 50, 10),
        row('ours, plain to plain', 50, 8),
        row('ours, plain to WebRTC', 50, 20),
      ],
    },
  };
}

function registerRow(peer: string, digest: boolean, cpuUsPerRegistration: number, bytesPerBinding: number) {
  return {
    peer,
    digest,
    registrationsPerSecond: 3_000,
    bindings: 100_000,
    failed: 0,
    cpuUsPerRegistration,
    bytesPerBinding,
  };
}
