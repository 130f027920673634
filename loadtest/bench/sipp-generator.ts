/**
 * SIPp as the generator of calls (loadtest/sipp/call.xml and answer.xml). Its clock has ticks of 4 ms, so calls begin in
 * bunches and latency can't be measured with it.
 */
import { treeCpuUs } from '../../switch/test/e2e/harness/processes.ts';
import { Sipp, type SippStats } from '../../switch/test/e2e/harness/sipp.ts';
import { Ua } from '../../switch/test/e2e/harness/ua.ts';
import { sleep } from '../../switch/test/e2e/harness/wait.ts';
import type { Peer } from '../peers/peer.ts';
import type { CallRun, Generator, Load } from './generator.ts';

/** The pause in call.xml. */
const HOLD_MS = 100;
/** Calls that SIPp has not got through this long after the last began count as failed. */
const PATIENCE_MS = 10_000;

export const SIPP: Generator = {
  title: 'SIPp',
  async run(peer, load) {
    if (load.holdMs !== HOLD_MS) throw new Error(`calls of loadtest/sipp/call.xml take ${HOLD_MS} ms`);
    const callee = await Sipp.start({ scenario: 'answer' });
    const registrar = await Ua.open({ user: 'bob', proxy: peer.sip });
    try {
      const registered = await registrar.register({ contacts: [`<sip:bob@127.0.0.1:${callee.port}>`] });
      if (registered.status !== 200) throw new Error(`REGISTER was answered ${registered.startLine}`);
      return await call(peer, load);
    } finally {
      registrar.close();
      await callee.stop();
    }
  },
};

async function call(peer: Peer, { callsPerSecond, seconds }: Load): Promise<CallRun> {
  const cpuBefore = treeCpuUs(peer.pid);
  const calls = Math.round(callsPerSecond * seconds);
  const caller = await Sipp.start({
    scenario: 'call',
    remote: peer.sip,
    calls,
    rate: callsPerSecond,
    service: 'bob',
  });
  const stats = await statsOf(caller, calls, seconds);
  await sleep(200);
  const cpuUs = treeCpuUs(peer.pid) - cpuBefore;
  return {
    calls,
    failed: stats.failed,
    lost: 0,
    retransmissions: stats.retransmissions,
    cpuUsPerCall: cpuUs / Math.max(stats.successful, 1),
  };
}

async function statsOf(caller: Sipp, calls: number, seconds: number): Promise<SippStats> {
  try {
    return await caller.finished(seconds * 1_000 + PATIENCE_MS);
  } catch (error) {
    const stats = caller.stats();
    if (stats.successful === 0) throw error;
    return { ...stats, failed: calls - stats.successful };
  } finally {
    await caller.stop();
  }
}
