/**
 * SIPp as the generator of calls (loadtest/sipp/call.xml and answer.xml). Its clock has ticks of 4 ms, so calls begin in
 * bunches and latency can't be measured with it.
 */
import { treeCpuUs } from '../../switch/test/e2e/harness/processes.ts';
import { Sipp, type SippStats } from '../../switch/test/e2e/harness/sipp.ts';
import { Ua } from '../../switch/test/e2e/harness/ua.ts';
import { sleep } from '../../switch/test/e2e/harness/wait.ts';
import type { Peer } from '../peers/peer.ts';
import type { Generator, Load } from './generator.ts';

/** Calls that SIPp has not got through this long after the last began count as failed. */
const PATIENCE_MS = 10_000;

export const SIPP: Generator = {
  title: 'SIPp',
  async run(peer, load) {
    const callee = await Sipp.start({ scenario: 'answer' });
    const registrar = await Ua.open({ user: 'bob', proxy: peer.sip });
    try {
      const registered = await registrar.register({ contacts: [`<sip:bob@127.0.0.1:${callee.port}>`] });
      if (registered.status !== 200) throw new Error(`REGISTER was answered ${registered.startLine}`);
      const warmup = load.warmupSeconds ?? 2;
      if (warmup > 0) await place(peer, { ...load, seconds: warmup, onProgress: undefined });
      const cpuBefore = treeCpuUs(peer.pid);
      const stats = await place(peer, load);
      const cpuUs = treeCpuUs(peer.pid) - cpuBefore;
      return {
        calls: callsOf(load),
        failed: stats.failed,
        lost: 0,
        retransmissions: stats.retransmissions,
        cpuUsPerCall: cpuUs / Math.max(stats.successful, 1),
      };
    } finally {
      registrar.close();
      await callee.stop();
    }
  },
};

/** Places the calls, and waits until the last has ended. */
async function place(peer: Peer, load: Load): Promise<SippStats> {
  const { callsPerSecond, seconds, holdMs, onProgress } = load;
  const calls = callsOf(load);
  const caller = await Sipp.start({
    scenario: 'call',
    remote: peer.sip,
    calls,
    rate: callsPerSecond,
    holdMs,
    service: 'bob',
  });
  let done = 0;
  const progress = setInterval(() => onProgress?.(++done), 1_000);
  try {
    const stats = await statsOf(caller, calls, seconds * 1_000 + holdMs + PATIENCE_MS);
    await sleep(200);
    return stats;
  } finally {
    clearInterval(progress);
  }
}

function callsOf({ callsPerSecond, seconds }: Load): number {
  return Math.round(callsPerSecond * seconds);
}

async function statsOf(caller: Sipp, calls: number, timeoutMs: number): Promise<SippStats> {
  try {
    return await caller.finished(timeoutMs);
  } catch (error) {
    const stats = caller.stats();
    if (stats.successful === 0) throw error;
    return { ...stats, failed: calls - stats.successful };
  } finally {
    await caller.stop();
  }
}
