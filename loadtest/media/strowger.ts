/** Our media process, commanded as the switch does it. */
import { MediaClient } from '../../media/client.ts';
import { makeFolder, removeFolder } from '../../switch/test/e2e/harness/folder.ts';
import { freePorts } from '../../switch/test/e2e/harness/ports.ts';
import { Program } from '../../switch/test/e2e/harness/program.ts';
import { REPOSITORY } from '../../switch/test/e2e/harness/repository.ts';
import { eventually } from '../../switch/test/e2e/harness/wait.ts';
import type { Relay } from './relay.ts';
import { audioPort, phoneSdp } from './sdp.ts';

const START_MS = 10_000;
const LEG_ANY = 255;

export interface StrowgerOptions {
  /** Calls at the same time. */
  calls: number;
  plainToPlain: 'edge' | 'mediasoup';
  /** Default: that of the media process. */
  batchBudgetUs?: number;
}

export async function startStrowger({ calls, plainToPlain, batchBudgetUs }: StrowgerOptions): Promise<Relay> {
  const folder = makeFolder('media');
  const socket = `${folder}/media.sock`;
  const portMin = await freePorts(4 * calls);
  const program = new Program({
    name: 'media',
    command: process.execPath,
    args: [
      '--disable-warning=ExperimentalWarning',
      `${REPOSITORY}/media/main.ts`,
      ...['--socket', socket],
      ...['--ports', `${portMin}-${portMin + 4 * calls - 1}`],
      ...['--webrtc-port', String(await freePorts())],
      ...['--plain-to-plain', plainToPlain],
      ...(batchBudgetUs === undefined ? [] : ['--batch-budget', String(batchBudgetUs)]),
      ...['--log-level', 'warn'],
    ],
  });
  const client = new MediaClient({ socket, node: 'bench', requestTimeoutMs: 10_000 });
  const stop = async () => {
    client.close();
    await program.stop();
    removeFolder(folder);
  };
  try {
    await eventually('an answer of the media process', () => client.connected, START_MS);
  } catch (error) {
    await stop();
    throw new Error(`${(error as Error).message}\n${program.tail(20)}`);
  }
  let last = 0;
  const body = async (call: string, leg: number, status: number, port: number): Promise<number> => {
    const reply = await client.sdp({
      call,
      leg,
      legVariant: 'plain',
      targetLeg: leg === 0 ? LEG_ANY : 0,
      targetVariants: ['plain'],
      method: 'INVITE',
      cseq: 1,
      status,
      sdp: phoneSdp(port),
      source: '127.0.0.1',
    });
    if (reply.bodies?.plain === undefined) throw new Error(`media set-up: ${reply.status} ${reply.reason}`);
    return audioPort(reply.bodies.plain);
  };
  return {
    pid: program.pid,
    stop,
    async call(caller, callee) {
      const call = `${++last}.1`;
      const calleeTo = await body(call, 0, 0, caller);
      return [await body(call, 1, 200, callee), calleeTo];
    },
  };
}
