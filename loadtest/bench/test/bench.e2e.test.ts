/** That the benchmarks measure: at rates which any machine manages, with every peer. */
import { describe, expect, it } from 'vitest';
import { CALL_PEERS, registrarPeers } from '../../peers/peer.ts';
import { measureCalls } from '../calls.ts';
import { treeMemory } from '../memory.ts';
import { registerAll } from '../registrations.ts';
import { SIPP } from '../sipp-generator.ts';

const MEGABYTE = 1e6;

describe('the calls part of the benchmark', () => {
  it('places calls through each proxy and measures what they cost', async () => {
    const peers = CALL_PEERS.filter(({ id }) => id !== 'strowger-no-wait');
    const part = await measureCalls({ generator: SIPP, peers, rates: [300], seconds: 1 });
    expect(part.rows.map(({ peer }) => peer)).toEqual(peers.map(({ id }) => id));
    for (const row of part.rows) {
      expect(row).toMatchObject({ callsPerSecond: 300, calls: 300, failed: 0 });
      expect(row.cpuUsPerCall).toBeGreaterThan(0);
      expect(row.peakBytes).toBeGreaterThan(MEGABYTE);
    }
  });
});

describe('the generator of registrations', () => {
  const load = { first: 1_000_000, count: 200, registrationsPerSecond: 400 };

  for (const digest of [false, true]) {
    for (const kind of registrarPeers(digest).slice(0, 2)) {
      it(`registers with ${kind.title}, ${digest ? 'with' : 'without'} digest`, async () => {
        const peer = await kind.start();
        try {
          const all = { completed: load.count, refused: 0, lost: 0 };
          expect(await registerAll({ ...load, proxy: peer.sip, round: 1 })).toEqual(all);
          expect(await registerAll({ ...load, proxy: peer.sip, round: 2 })).toEqual(all);
          expect(treeMemory(peer.pid).nowBytes).toBeGreaterThan(MEGABYTE);
        } finally {
          await peer.stop();
        }
      });
    }
  }

  it('counts users who are refused, and requests that nobody answers', async () => {
    const [ours] = registrarPeers(true);
    const peer = await ours!.start();
    try {
      // The range of users ends at 1099999.
      const result = await registerAll({ ...load, first: 1_099_990, count: 20, proxy: peer.sip });
      expect(result).toEqual({ completed: 10, refused: 10, lost: 0 });
    } finally {
      await peer.stop();
    }
    expect(await registerAll({ ...load, count: 20, proxy: peer.sip })).toEqual({
      completed: 0,
      refused: 0,
      lost: 20,
    });
  });
});
