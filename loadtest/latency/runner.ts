/** The process of a probe (prober.ts): registers, measures the direct path, places the calls, reports. */
import { nowUs } from '../../switch/control/clock.ts';
import { Calls } from './calls.ts';
import { Messages } from './messages.ts';
import type { ProbeMessage, ProbeResult, ProbeTask } from './prober.ts';
import { latencyOf } from './samples.ts';
import { Sockets } from './sockets.ts';

/** Calls of the direct path: as many per second as through the proxy, but enough for a median. */
const DIRECT = { warmupSeconds: 0.2, seconds: 1, holdMs: 10 };
const DIRECT_RATE_MIN = 500;
const REGISTER_TRIES = 4;
const REGISTER_WAIT_US = 500_000;
/** Names this probe in Call-IDs, tags and branches, which a proxy may remember from the one before. */
const RUN = `${process.pid.toString(36)}${Date.now().toString(36)}`;

function tell(message: ProbeMessage): void {
  process.send?.(message);
}

/**
 * Binds the called side, and it alone: calls would fork to what a former probe has left.
 * @throws Error when the proxy refuses it or is silent.
 */
function register(sockets: Sockets, task: ProbeTask, port: number): void {
  const contact = `<sip:${task.user}@127.0.0.1:${sockets.port(1)};transport=UDP>`;
  transact(sockets, task, port, 1, ['Contact: *', 'Expires: 0']);
  transact(sockets, task, port, 1 + REGISTER_TRIES, [`Contact: ${contact}`, 'Expires: 3600']);
}

/** Sends a REGISTER until it is answered. */
function transact(
  sockets: Sockets,
  { user, domain, proxy }: ProbeTask,
  port: number,
  firstCseq: number,
  binding: string[],
): void {
  for (let cseq = firstCseq; cseq < firstCseq + REGISTER_TRIES; cseq++) {
    const text = [
      `REGISTER sip:${domain} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${sockets.port(1)};branch=z9hG4bKr${RUN}-${cseq}`,
      'Max-Forwards: 70',
      `From: <sip:${user}@${domain}>;tag=r`,
      `To: <sip:${user}@${domain}>`,
      `Call-ID: register-${RUN}@127.0.0.1`,
      `CSeq: ${cseq} REGISTER`,
      ...binding,
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');
    sockets.send(1, sockets.memory.write(text, sockets.out), port);
    const untilUs = nowUs() + REGISTER_WAIT_US;
    while (nowUs() < untilUs) {
      sockets.wait(untilUs - nowUs());
      for (let n = sockets.receive(1); n > 0; n--) {
        const at = sockets.at(1, n - 1);
        const line = sockets.memory.toString('latin1', at, sockets.memory.indexOf(13, at));
        if (line.startsWith('SIP/2.0 200')) return;
        if (line.startsWith('SIP/2.0 ') && !line.startsWith('SIP/2.0 1'))
          throw new Error(
            `${proxy} answered the REGISTER of '${user}' with '${line}'; it must take it without credentials`,
          );
      }
    }
  }
  throw new Error(`${proxy} does not answer: is a SIP proxy listening there on UDP?`);
}

function run(task: ProbeTask): ProbeResult {
  const directRate = Math.max(task.callsPerSecond, DIRECT_RATE_MIN);
  const directTask = { ...task, ...DIRECT, callsPerSecond: directRate };
  const sockets = new Sockets(Math.max(Calls.bytesFor(task), Calls.bytesFor(directTask)));
  const messages = new Messages({
    run: RUN,
    user: task.user,
    domain: task.domain,
    caller: `127.0.0.1:${sockets.port(0)}`,
    callee: `127.0.0.1:${sockets.port(1)}`,
  });
  sockets.aim('127.0.0.1');
  const toEachOther: [number, number] = [sockets.port(1), sockets.port(0)];
  const directCalls = new Calls(directTask, sockets, messages, toEachOther);
  directCalls.run();
  let ports = toEachOther;
  if (task.proxy !== 'none') {
    const [address = '', port = ''] = task.proxy.split(':');
    sockets.aim(address);
    register(sockets, task, Number(port));
    ports = [Number(port), Number(port)];
  }
  const calls = new Calls(task, sockets, messages, ports);
  let cpu = process.cpuUsage();
  let drops = sockets.drops;
  calls.run({
    counting() {
      tell({ kind: 'counting' });
      cpu = process.cpuUsage();
      drops = sockets.drops;
    },
    progress: (seconds) => tell({ kind: 'progress', seconds }),
  });
  const { user, system } = process.cpuUsage(cpu);
  const dropped = sockets.drops - drops;
  sockets.close();
  return calls.result(latencyOf(directCalls.latencies), user + system, dropped);
}

try {
  tell({ kind: 'done', result: run(JSON.parse(process.argv[2]!) as ProbeTask) });
} catch (error) {
  tell({ kind: 'error', message: (error as Error).message });
}
process.disconnect?.();
