/**
 * CPU per call, ours next to Kamailio's: the same SIPp scenario through both, one after the other, in one run.
 *
 *   node loadtest/peers/compare.ts [--rate 2000] [--seconds 12] [--rounds 1] [--json]
 *
 * CPU is user and system time of the whole process tree, threads included, from before the first call to after
 * the last, read from /proc. A round with failed calls is reported and fails the run: on two cores that something
 * else uses too, datagrams are lost at SIPp's sockets.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { treeCpuUs } from '../../switch/test/e2e/harness/processes.ts';
import { Sipp, type SippStats } from '../../switch/test/e2e/harness/sipp.ts';
import { Switch } from '../../switch/test/e2e/harness/switch.ts';
import { Ua } from '../../switch/test/e2e/harness/ua.ts';
import { Kamailio } from './kamailio.ts';

/** A proxy to be measured. */
interface Peer {
  name: string;
  /** `127.0.0.1:port` */
  sip: string;
  pid: number;
  stop: () => Promise<unknown>;
}

interface Result {
  name: string;
  callsPerSecond: number;
  calls: number;
  failed: number;
  retransmissions: number;
  cpuUsPerCall: number;
}

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '12' },
    rounds: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const rate = Number(values.rate);
const calls = rate * Number(values.seconds);

async function startOurs(): Promise<Peer> {
  const ours = await Switch.start({ base: 'bench.yaml' });
  return { name: 'strowger', sip: ours.sip, pid: ours.program.pid, stop: () => ours.stop() };
}

async function startKamailio(): Promise<Peer> {
  const kamailio = await Kamailio.start();
  return { name: 'kamailio', sip: kamailio.sip, pid: kamailio.program.pid, stop: () => kamailio.stop() };
}

/** Totals of a run; calls that SIPp has not got through a while after the last began count as failed. */
async function runOf(caller: Sipp): Promise<SippStats> {
  try {
    return await caller.finished((calls / rate) * 1_000 + 10_000);
  } catch (error) {
    const stats = caller.stats();
    if (stats.successful === 0) throw error;
    return { ...stats, failed: calls - stats.successful };
  } finally {
    await caller.stop();
  }
}

/** One run of the scenario through a peer. */
async function measure(start: () => Promise<Peer>): Promise<Result> {
  const peer = await start();
  const callee = await Sipp.start({ scenario: 'answer' });
  const registrar = await Ua.open({ user: 'bob', proxy: peer.sip });
  try {
    const registered = await registrar.register({ contacts: [`<sip:bob@127.0.0.1:${callee.port}>`] });
    if (registered.status !== 200) throw new Error(`${peer.name}: REGISTER answered ${registered.startLine}`);
    const beforeUs = treeCpuUs(peer.pid);
    const caller = await Sipp.start({ scenario: 'call', remote: peer.sip, calls, rate, service: 'bob' });
    const stats = await runOf(caller);
    await wait(200);
    const cpuUs = treeCpuUs(peer.pid) - beforeUs;
    return {
      name: peer.name,
      callsPerSecond: rate,
      calls: stats.successful,
      failed: stats.failed,
      retransmissions: stats.retransmissions,
      cpuUsPerCall: Math.round((cpuUs / Math.max(stats.successful, 1)) * 10) / 10,
    };
  } finally {
    registrar.close();
    await callee.stop();
    await peer.stop();
  }
}

const results: Result[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  for (const start of [startOurs, startKamailio]) {
    const result = await measure(start);
    results.push(result);
    if (!values.json) {
      console.log(
        `${result.name.padEnd(9)} ${result.callsPerSecond} calls/s: ${result.cpuUsPerCall} µs CPU per call, ` +
          `${result.calls} calls, ${result.failed} failed, ${result.retransmissions} retransmissions`,
      );
    }
  }
}
if (values.json) console.log(JSON.stringify(results, null, 2));
process.exitCode = results.some((result) => result.failed > 0) ? 1 : 0;
