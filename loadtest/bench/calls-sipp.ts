/**
 * CPU per call with SIPp as the generator (loadtest/sipp/call.xml and answer.xml). SIPp's clock has ticks of 4 ms, so
 * calls begin in bunches, and its latencies say nothing: the prober's rows (calls.ts) have those.
 */
import { treeCpuUs } from '../../switch/test/e2e/harness/processes.ts';
import { Sipp, type SippStats } from '../../switch/test/e2e/harness/sipp.ts';
import { Ua } from '../../switch/test/e2e/harness/ua.ts';
import { sleep } from '../../switch/test/e2e/harness/wait.ts';
import type { PeerKind } from '../peers/peer.ts';
import { step } from './progress.ts';
import type { SippPart, SippRow } from './results.ts';
import { runInfo } from './run-info.ts';

export interface SippOptions {
  peers: readonly PeerKind[];
  /** Calls per second. */
  rates: number[];
  /** Of each run. */
  seconds: number;
}

export async function measureWithSipp({ peers, rates, seconds }: SippOptions): Promise<SippPart> {
  const part: SippPart = { run: runInfo(), settings: { seconds }, rows: [] };
  for (const rate of rates) for (const kind of peers) part.rows.push(await measure(kind, rate, seconds));
  return part;
}

function measure(kind: PeerKind, rate: number, seconds: number): Promise<SippRow> {
  return step(
    `sipp: ${kind.title} at ${rate} calls/s`,
    seconds,
    () => run(kind, rate, seconds),
    (row) =>
      `${row.cpuUsPerCall.toFixed(0)} µs CPU per call, ${row.calls} calls, ${row.failed} failed, ` +
      `${row.retransmissions} retransmissions`,
  );
}

async function run(kind: PeerKind, rate: number, seconds: number): Promise<SippRow> {
  const peer = await kind.start();
  const callee = await Sipp.start({ scenario: 'answer' });
  const registrar = await Ua.open({ user: 'bob', proxy: peer.sip });
  try {
    const registered = await registrar.register({ contacts: [`<sip:bob@127.0.0.1:${callee.port}>`] });
    if (registered.status !== 200)
      throw new Error(`${kind.title}: REGISTER answered ${registered.startLine}`);
    const cpuBefore = treeCpuUs(peer.pid);
    const calls = rate * seconds;
    const caller = await Sipp.start({ scenario: 'call', remote: peer.sip, calls, rate, service: 'bob' });
    const stats = await statsOf(caller, calls, seconds);
    await sleep(200);
    const cpuUs = treeCpuUs(peer.pid) - cpuBefore;
    return {
      peer: kind.id,
      callsPerSecond: rate,
      calls: stats.successful,
      failed: stats.failed,
      retransmissions: stats.retransmissions,
      cpuUsPerCall: cpuUs / Math.max(stats.successful, 1),
    };
  } finally {
    registrar.close();
    await callee.stop();
    await peer.stop();
  }
}

/** Totals of a run; calls that SIPp has not got through a while after the last began count as failed. */
async function statsOf(caller: Sipp, calls: number, seconds: number): Promise<SippStats> {
  try {
    return await caller.finished(seconds * 1_000 + 10_000);
  } catch (error) {
    const stats = caller.stats();
    if (stats.successful === 0) throw error;
    return { ...stats, failed: calls - stats.successful };
  } finally {
    await caller.stop();
  }
}
