import { describe, expect, it } from 'vitest';
import type { Peer, PeerKind } from '../../peers/peer.ts';
import { halfRates, measureCalls } from '../calls.ts';
import type { CallRun, Generator } from '../generator.ts';
import { type ProbeOptions, proberGenerator } from '../prober-generator.ts';
import { callLatency } from './fixture.ts';

/** A peer that is this process, and notes when it is started and stopped. */
function fakePeer(id: string, log: string[]): PeerKind {
  const peer: Peer = { sip: `${id}:5060`, pid: process.pid, stop: async () => log.push(`${id} stopped`) };
  const start = async () => {
    log.push(`${id} started`);
    return peer;
  };
  return { id, title: id, start };
}

/** A generator for peers that each work up to a rate of their own. */
function fakeGenerator(limits: Record<string, number>): Generator {
  return {
    title: 'fake',
    run: async (peer, { callsPerSecond, seconds }) => {
      const failed = callsPerSecond > (limits[peer.sip.split(':')[0]!] ?? 0) ? 7 : 0;
      return run({ calls: callsPerSecond * seconds, failed });
    },
  };
}

function run(change: Partial<CallRun> = {}): CallRun {
  return { calls: 100, failed: 0, lost: 0, retransmissions: 0, cpuUsPerCall: 50, ...change };
}

describe('the calls part', () => {
  const search = { from: 1_000, max: 8_000, grid: 500, seconds: 1 };

  it('finds the highest rate of each peer and runs all at half of the first of them', async () => {
    const log: string[] = [];
    const part = await measureCalls({
      generator: fakeGenerator({ a: 3_000, b: 2_000 }),
      peers: [fakePeer('a', log), fakePeer('b', log)],
      rates: [500],
      seconds: 1,
      search,
    });
    expect(part.highest.map(({ peer, passed, failed }) => [peer, passed, failed])).toEqual([
      ['a', 3_000, 3_500],
      ['b', 2_000, 2_500],
    ]);
    expect(part.rows.map(({ peer, callsPerSecond, half }) => [peer, callsPerSecond, half])).toEqual([
      ['a', 500, false],
      ['b', 500, false],
      ['a', 1_500, true],
      ['b', 1_500, true],
    ]);
    expect(log.filter((line) => line.endsWith('started'))).toHaveLength(log.length / 2);
  });

  it('gives a rate that fails a second chance', async () => {
    let runs = 0;
    const generator: Generator = {
      title: 'fails the first time',
      run: async () => run({ retransmissions: runs++ === 0 ? 1 : 0 }),
    };
    const peers = [fakePeer('a', [])];
    const part = await measureCalls({
      generator,
      peers,
      rates: [],
      seconds: 1,
      search: { ...search, max: 1_000 },
    });
    expect(part.highest[0]).toMatchObject({ passed: 1_000, steps: [{ passed: false }, { passed: true }] });
  });

  it('stops the proxy when the generator fails', async () => {
    const log: string[] = [];
    const generator: Generator = { title: 'broken', run: () => Promise.reject(new Error('no answer')) };
    const part = measureCalls({ generator, peers: [fakePeer('a', log)], rates: [500], seconds: 1 });
    await expect(part).rejects.toThrow('no answer');
    expect(log).toEqual(['a started', 'a stopped']);
  });

  it('takes half of the highest rates in whole hundreds, without those that are 0', () => {
    const row = (passed: number) => ({ peer: '', passed, steps: [] });
    expect(halfRates([row(4_500), row(0)])).toEqual([2_200]);
    expect(halfRates([row(4_000), row(4_000), row(9_000)])).toEqual([2_000]);
  });
});

describe('the prober as a generator', () => {
  const load = { callsPerSecond: 10, seconds: 1, holdMs: 100 };
  const peer: Peer = { sip: '127.0.0.1:5060', pid: 42, stop: async () => undefined };
  const { addedUs: all, lateUs } = callLatency(40, 150, 600);

  it('is pointed at the proxy, and gives its latency by kind and of all', async () => {
    const asked: ProbeOptions[] = [];
    const generator = proberGenerator(async (options) => {
      asked.push(options);
      return { ...run(), lateUs, added: { all, INVITE: lateUs } };
    });
    const result = await generator.run(peer, load);
    expect(asked).toEqual([{ ...load, proxy: '127.0.0.1:5060', pid: 42 }]);
    expect(result.latency).toEqual({ addedUs: all, addedUsByKind: { INVITE: lateUs }, lateUs });
    expect(result).toMatchObject({ calls: 100, cpuUsPerCall: 50 });
  });

  it('must have measured CPU', async () => {
    const generator = proberGenerator(async () => ({
      ...run({ cpuUsPerCall: undefined }),
      lateUs,
      added: { all },
    }));
    await expect(generator.run(peer, load)).rejects.toThrow('no CPU');
  });
});
