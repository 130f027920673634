/** The proxies that are compared: each a program of its own on free ports of this machine. */
import { type ConfigFile, Switch } from '../../switch/test/e2e/harness/switch.ts';
import { Kamailio } from './kamailio.ts';

/** A proxy that runs. */
export interface Peer {
  /** `127.0.0.1:port` of SIP over UDP. */
  sip: string;
  /** Root of its process tree. */
  pid: number;
  stop: () => Promise<unknown>;
}

/** One side of a comparison. */
export interface PeerKind {
  /** Names it in results and on the command line. */
  id: string;
  title: string;
  start: () => Promise<Peer>;
}

/** Those that route calls. The first is ours, the second the one that ratios are taken to. */
export const CALL_PEERS: readonly PeerKind[] = [
  { id: 'strowger', title: 'Strowger', start: () => startStrowger('bench.yaml') },
  {
    id: 'kamailio',
    title: 'Kamailio, stateful',
    start: () => startKamailio({ config: 'kamailio.cfg' }),
  },
  {
    id: 'kamailio-stateless',
    title: 'Kamailio, stateless',
    start: () => startKamailio({ config: 'kamailio-stateless.cfg' }),
  },
  {
    id: 'strowger-no-wait',
    title: 'Strowger, no batch waiting',
    start: () =>
      startStrowger('bench.yaml', (config) => {
        config.realtime = { ...config.realtime, batchWait: 'off' };
      }),
  },
];

/** Those that register users: with digest each REGISTER is challenged (401) and sent again. */
export function registrarPeers(digest: boolean): PeerKind[] {
  const defines = digest ? ['WITH_DIGEST'] : [];
  return [
    {
      id: 'strowger',
      title: 'Strowger',
      start: () => startStrowger(digest ? 'bench-digest.yaml' : 'bench.yaml'),
    },
    {
      id: 'kamailio',
      title: 'Kamailio',
      start: () => startKamailio({ config: 'kamailio.cfg', defines }),
    },
    {
      id: 'kamailio-default-hash',
      title: 'Kamailio, default hash size',
      start: () => startKamailio({ config: 'kamailio.cfg', defines: [...defines, 'DEFAULT_HASH_SIZE'] }),
    },
  ];
}

async function startStrowger(
  base: 'bench.yaml' | 'bench-digest.yaml',
  change?: (config: ConfigFile) => void,
): Promise<Peer> {
  const ours = await Switch.start({
    base,
    change(config) {
      config.timers = {}; // the harness shortens them for tests
      change?.(config);
    },
  });
  return { sip: ours.sip, pid: ours.program.pid, stop: () => ours.stop() };
}

async function startKamailio(options: Parameters<typeof Kamailio.start>[0]): Promise<Peer> {
  const kamailio = await Kamailio.start(options);
  return { sip: kamailio.sip, pid: kamailio.program.pid, stop: () => kamailio.stop() };
}
