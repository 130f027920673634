/** Our media process, commanded as the switch does it. */
import { MediaClient } from '../../media/client.ts';
import { keepSoleRole } from '../../switch/control/sole-role.ts';
import { LEASE_MS } from '../../switch/mirror/lease-time.ts';
import { makeFolder, removeFolder } from '../../switch/test/e2e/harness/folder.ts';
import { freePorts } from '../../switch/test/e2e/harness/ports.ts';
import { Program } from '../../switch/test/e2e/harness/program.ts';
import { REPOSITORY } from '../../switch/test/e2e/harness/repository.ts';
import { eventually } from '../../switch/test/e2e/harness/wait.ts';
import { browserSdp, connectBrowser, makeCertificate } from './browser.ts';
import type { Relay } from './relay.ts';
import { audioPort, phoneSdp } from './sdp.ts';

const START_MS = 10_000;
const LEG_ANY = 255;

export interface StrowgerOptions {
  /** Calls at the same time. */
  calls: number;
  plainToPlain: 'edge' | 'mediasoup';
  /** The called parties are browsers, which only listen. Default false. */
  browsers?: boolean;
  /** Default: that of the media process. */
  batchBudgetUs?: number;
}

export async function startStrowger({
  calls,
  plainToPlain,
  browsers = false,
  batchBudgetUs,
}: StrowgerOptions): Promise<Relay> {
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
  const keeper = keepSoleRole(client, LEASE_MS);
  const stop = async () => {
    keeper.close();
    client.close();
    await program.stop();
    removeFolder(folder);
  };
  try {
    await eventually('an answer of the media process', () => client.epoch > 0, START_MS);
  } catch (error) {
    await stop();
    throw new Error(`${(error as Error).message}\n${program.tail(20)}`);
  }
  let last = 0;
  const body = async (call: string, leg: number, sdp: string): Promise<string> => {
    const [caller, callee] = ['plain' as const, browsers ? ('webrtc' as const) : ('plain' as const)];
    const [from, to] = leg === 0 ? [caller, callee] : [callee, caller];
    const reply = await client.sdp({
      call,
      leg,
      legVariant: from,
      targetLeg: leg === 0 ? LEG_ANY : 0,
      targetVariants: [to],
      method: 'INVITE',
      cseq: 1,
      status: leg === 0 ? 0 : 200,
      sdp,
      source: '127.0.0.1',
    });
    const text = reply.bodies?.[to];
    if (text === undefined) throw new Error(`media set-up: ${reply.status} ${reply.reason}`);
    return text;
  };
  const certificate = browsers ? makeCertificate(folder) : null;
  return {
    pid: program.pid,
    stop,
    async call(caller, callee) {
      const id = ++last;
      const offer = await body(`${id}.1`, 0, phoneSdp(caller));
      if (certificate === null) {
        const answer = await body(`${id}.1`, 1, phoneSdp(callee));
        return { targets: [audioPort(answer), audioPort(offer)] };
      }
      const ufrag = `browser${id}`;
      const answer = await body(`${id}.1`, 1, browserSdp(certificate, ufrag, id));
      const keys = await connectBrowser(callee, offer, ufrag, certificate);
      return { targets: [audioPort(answer), 0], keys: [null, keys] };
    },
  };
}
