/** The process of a probe (prober.ts): registers, measures the direct path, places the calls, reports. */
import { nowUs } from '../../switch/control/clock.ts';
import { Calls } from './calls.ts';
import { Messages } from './messages.ts';
import type { ProbeMessage, ProbeResult, ProbeTask } from './prober.ts';
import { latencyOf, Samples } from './samples.ts';
import { Sockets } from './sockets.ts';

/** Messages of the direct path, and how far apart. */
const DIRECT_MESSAGES = 2_000;
const DIRECT_EVERY_US = 500;
const REGISTER_TRIES = 4;
const REGISTER_WAIT_US = 500_000;

function tell(message: ProbeMessage): void {
  process.send?.(message);
}

/** Sends a message from caller to called side and takes its latency, again and again. */
function measureDirect(sockets: Sockets): Float32Array {
  const samples = new Samples(DIRECT_MESSAGES);
  const port = sockets.port(1);
  const length = sockets.memory.write('INVITE sip:nobody SIP/2.0\r\n'.padEnd(600, 'x'), sockets.out);
  let dueUs = nowUs();
  for (let i = 0; i < DIRECT_MESSAGES; i++) {
    while (nowUs() < dueUs) sockets.wait(dueUs - nowUs());
    dueUs += DIRECT_EVERY_US;
    sockets.setClock(nowUs());
    const sentUs = nowUs();
    sockets.send(0, length, port);
    for (let n = sockets.receive(1); n > 0; n--)
      samples.add(sockets.arrivedUs(sockets.at(1, n - 1)) - sentUs);
  }
  return samples.all.slice(DIRECT_MESSAGES / 10); // without what warmed up
}

/** Binds the called side. @throws Error when the proxy refuses it or is silent. */
function register(sockets: Sockets, { user, domain, proxy }: ProbeTask, port: number): void {
  const contact = `127.0.0.1:${sockets.port(1)}`;
  for (let i = 1; i <= REGISTER_TRIES; i++) {
    const text = [
      `REGISTER sip:${domain} SIP/2.0`,
      `Via: SIP/2.0/UDP ${contact};branch=z9hG4bKr${process.pid}${i}`,
      'Max-Forwards: 70',
      `From: <sip:${user}@${domain}>;tag=r`,
      `To: <sip:${user}@${domain}>`,
      `Call-ID: probe-r${process.pid}@127.0.0.1`,
      `CSeq: ${i} REGISTER`,
      `Contact: <sip:${user}@${contact};transport=UDP>`,
      'Expires: 3600',
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
  const sockets = new Sockets(Calls.bytesFor(task));
  const [address = '', port = ''] = task.proxy.split(':');
  const messages = new Messages({
    user: task.user,
    domain: task.domain,
    caller: `127.0.0.1:${sockets.port(0)}`,
    callee: `127.0.0.1:${sockets.port(1)}`,
  });
  sockets.aim('127.0.0.1');
  const direct = measureDirect(sockets);
  sockets.aim(address);
  register(sockets, task, Number(port));
  const calls = new Calls(task, sockets, messages, Number(port));
  let cpu = process.cpuUsage();
  calls.run({
    counting() {
      tell({ kind: 'counting' });
      cpu = process.cpuUsage();
    },
    progress: (seconds) => tell({ kind: 'progress', seconds }),
  });
  const { user, system } = process.cpuUsage(cpu);
  sockets.close();
  return calls.result(latencyOf(direct), user + system);
}

try {
  tell({ kind: 'done', result: run(JSON.parse(process.argv[2]!) as ProbeTask) });
} catch (error) {
  tell({ kind: 'error', message: (error as Error).message });
}
process.disconnect?.();
