/** rtpengine (Debian: rtpengine-daemon) in userspace with one thread, commanded by its ng protocol over UDP. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { freePorts } from '../../switch/test/e2e/harness/ports.ts';
import { Program } from '../../switch/test/e2e/harness/program.ts';
import { eventually } from '../../switch/test/e2e/harness/wait.ts';
import { type Bencoded, decode, encode } from './bencode.ts';
import type { Relay } from './relay.ts';
import { audioPort, phoneSdp } from './sdp.ts';

const START_MS = 5_000;
const ANSWER_MS = 1_000;
/** As Kamailio asks for it: what a leg says of itself is believed. */
const FLAGS = ['trust-address'];

/** @param calls at the same time, for which it gets four ports each. */
export async function startRtpengine(calls: number): Promise<Relay> {
  const ng = await freePorts();
  const portMin = await freePorts(4 * calls);
  const program = new Program({
    name: 'rtpengine',
    command: 'rtpengine',
    args: [
      '--foreground',
      '--log-stderr',
      '--log-level=4',
      '--table=-1', // no kernel module: userspace
      '--num-threads=1',
      '--interface=127.0.0.1',
      `--listen-ng=127.0.0.1:${ng}`,
      `--port-min=${portMin}`,
      `--port-max=${portMin + 4 * calls - 1}`,
    ],
  });
  const control = new Control(ng);
  const stop = () => {
    control.close();
    return program.stop();
  };
  try {
    await eventually('an answer of rtpengine', () => control.ask({ command: 'ping' }), START_MS);
  } catch (error) {
    await stop();
    throw new Error(`${(error as Error).message}\n${program.tail(20)}`);
  }
  let last = 0;
  return {
    pid: program.pid,
    stop,
    async call(caller, callee) {
      const call = { 'call-id': `bench-${++last}`, 'from-tag': 'caller', flags: FLAGS, replace: ['origin'] };
      const offer = await control.ask({ command: 'offer', ...call, sdp: phoneSdp(caller) });
      const answer = await control.ask({
        command: 'answer',
        ...call,
        'to-tag': 'callee',
        sdp: phoneSdp(callee),
      });
      return { targets: [audioPort(String(answer.sdp)), audioPort(String(offer.sdp))] };
    },
  };
}

/** One question at a time: a cookie, a space, a bencoded dictionary; the answer has the same cookie. */
class Control {
  readonly #socket: Socket = createSocket('udp4');
  readonly #port: number;
  #cookie = 0;

  constructor(port: number) {
    this.#port = port;
    this.#socket.on('error', () => undefined); // not started yet: the time is over then
  }

  /** @throws when no answer comes, or another than ok or pong. */
  async ask(question: { [key: string]: Bencoded }): Promise<{ [key: string]: Bencoded }> {
    const cookie = `${++this.#cookie} `;
    this.#socket.send(cookie + encode(question), this.#port, '127.0.0.1');
    const signal = AbortSignal.timeout(ANSWER_MS);
    for (;;) {
      const [bytes] = (await once(this.#socket, 'message', { signal })) as [Buffer];
      if (!bytes.toString('latin1', 0, cookie.length).startsWith(cookie)) continue;
      const answer = decode(bytes.subarray(cookie.length)) as { [key: string]: Bencoded };
      if (answer.result === 'ok' || answer.result === 'pong') return answer;
      throw new Error(`rtpengine: ${String(answer['error-reason'] ?? answer.result)}`);
    }
  }

  close(): void {
    this.#socket.close();
  }
}
