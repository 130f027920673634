/** The node process: runs one signalling node as the supervisor's messages say. */
import type { MediaClient } from '../media/client.ts';
import type { EndName } from '../wasm-core/sim/recording/records.ts';
import { makeBank } from './control/bank-maker.ts';
import { beginsAsStandby } from './control/config/standby.ts';
import { ConfigError } from './control/config/errors.ts';
import { type LoadedConfig, loadConfig } from './control/config/load.ts';
import { openJournal, restoreBindings } from './control/journal-start.ts';
import { createLogger, type Logger } from './control/log.ts';
import { connectMedia, watchMedia } from './control/media-start.ts';
import { PairRole } from './control/pair-role.ts';
import { startRecorder } from './control/recorder-start.ts';
import { RollingRestart } from './control/rolling-restart.ts';
import type { RealtimePort } from './control/realtime-port.ts';
import { StartError, startRealtime } from './control/realtime-start.ts';
import { SwitchNode } from './control/switch-node.ts';
import { takeOver } from './control/take-over.ts';
import {
  EXIT_STEPPED_DOWN,
  type FromNode,
  type PeerNode,
  type StartNode,
  type ToNode,
} from './supervisor/messages.ts';

const EXIT_CRASHED = 1;
const EXIT_FAILED = 3;
const EXIT_STUCK = 4;
/** Of the core of a node without a peer: it tells nobody. */
const SOLE_EPOCH = 1;
/** Where the nodes of a pair call each other. */
const PEER_HOST = '127.0.0.1';

/** Tells the supervisor; resolves when the message has left. */
function tell(message: FromNode): Promise<void> {
  return new Promise((resolve) => {
    if (process.send && process.connected) process.send(message, () => resolve());
    else resolve();
  });
}

/** A node that runs, and what the supervisor can do with it. */
class RunningNode {
  readonly #configFile: string;
  readonly #realtime: RealtimePort;
  readonly #node: SwitchNode;
  #ending = false;

  private constructor(configFile: string, realtime: RealtimePort, node: SwitchNode) {
    this.#configFile = configFile;
    this.#realtime = realtime;
    this.#node = node;
  }

  /** @throws ConfigError, StartError, or the system's error of a listener. */
  static async start(start: StartNode): Promise<RunningNode> {
    const loaded = await loadConfig(start.configFile);
    const name = start.node ?? loaded.config.name;
    const log = createLogger(loaded.config.logs, name);
    logFatal(log);
    const recorder = await startRecorder(loaded, log);
    const failed = async (reason: EndName): Promise<void> => {
      await recorder?.end(reason);
      process.exit(EXIT_STUCK);
    };
    const realtime = await startRealtime(loaded, start.secret, log, recorder, failed);
    const { mediaSocket, token } = start;
    const stuck = (): void => void failed('stuck');
    const parts = { loaded, realtime, recorder, token, log, stuck, name };
    if (start.node !== null && mediaSocket !== null) {
      const media = watchMedia(mediaSocket, name, loaded.config, log);
      const node = new SwitchNode({ ...parts, media });
      node.pair = await joinPair(node, media, { start, loaded, realtime, log });
      const restartPeer = (): void => void tell({ type: 'restartPeer' });
      node.rollingRestart = new RollingRestart(node.pair, restartPeer, log);
      return new RunningNode(start.configFile, realtime, node);
    }
    const media = mediaSocket === null ? null : connectMedia(mediaSocket, loaded.config, log);
    const node = new SwitchNode({ ...parts, media });
    if (beginsAsStandby(loaded.config)) {
      await keepBindings(node, loaded, log, true);
      await takeOver(node.link, SOLE_EPOCH).catch((error: Error) => {
        throw new StartError(`the realtime thread does not start: ${error.message}`);
      });
    }
    const info = await node.start();
    await tell({ type: 'ready', info, epoch: 0 });
    return new RunningNode(start.configFile, realtime, node);
  }

  /** Of a pair: where the other node is now. */
  setPeer(address: PeerNode['address']): void {
    this.#node.pair?.setPeer(address);
  }

  /** Of a pair: lets the standby take over. */
  switchOver(): void {
    this.#node.pair?.switchOver();
  }

  /** Waits for calls to end, then ends the process. */
  async drain(): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    if (this.#node.pair !== null && this.#node.pair.role !== 'active') return await this.end();
    await tell({ type: 'draining', calls: this.#node.callsActive });
    await this.#node.drain();
    await this.end();
  }

  /** Ends the process. */
  async end(): Promise<void> {
    this.#ending = true;
    await this.#node.close();
    process.exit(0);
  }

  /** Reads users, trunks and routes again; everything else needs a restart. */
  async reload(): Promise<void> {
    try {
      const { config } = await loadConfig(this.#configFile);
      await this.#realtime.setBank(await makeBank(config));
      await tell({
        type: 'reloaded',
        message: 'domains, users, trusted networks, trunks and routes are as in the file now',
      });
    } catch (error) {
      await tell({ type: 'refused', message: (error as Error).message });
    }
  }
}

/** The role of a node of a pair; it tells the supervisor when it serves, and ends when it may no longer. */
async function joinPair(
  node: SwitchNode,
  media: MediaClient,
  parts: { start: StartNode; loaded: LoadedConfig; realtime: RealtimePort; log: Logger },
): Promise<PairRole> {
  const { start, loaded, realtime, log } = parts;
  const pair = new PairRole(
    {
      node: start.node!,
      calls: start.callsPeer,
      leaseMs: loaded.config.availability.leaseMs,
      secret: Buffer.from(start.secret, 'hex'),
      link: node.link,
      realtime,
      media,
      prepared: (mirrored) => keepBindings(node, loaded, log, !mirrored),
      promoted: async (epoch) => tell({ type: 'ready', info: await node.start(), epoch }),
      ended: () => process.exit(EXIT_STEPPED_DOWN),
    },
    log,
  );
  const port = await pair.listen(PEER_HOST);
  await tell({ type: 'standby', host: PEER_HOST, port });
  return pair;
}

/** Opens the journal, where there is one, for a node that is about to work; `restore`: its core has to get its bindings from it. */
async function keepBindings(
  node: SwitchNode,
  loaded: LoadedConfig,
  log: Logger,
  restore: boolean,
): Promise<void> {
  const journal = openJournal(loaded, log);
  if (journal === null) return;
  if (restore) await restoreBindings(journal, node.link, log);
  node.journal = journal;
}

/** A mistake of ours must leave its trace in the log before the process ends and is started again. */
function logFatal(log: Logger): void {
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught: the node ends');
    process.exit(EXIT_CRASHED);
  });
}

/** Known errors say what to do; others are our mistakes, and where they happened matters. */
async function failed(error: Error): Promise<never> {
  const known = error instanceof ConfigError || error instanceof StartError || 'code' in error;
  await tell({ type: 'failed', message: known ? error.message : (error.stack ?? error.message) });
  process.exit(EXIT_FAILED);
}

function main(): void {
  if (!process.send) {
    process.stderr.write('The node process is started by the supervisor: run switch/main.ts.\n');
    process.exit(EXIT_FAILED);
  }
  let running: RunningNode | null = null;
  let peer: PeerNode['address'] = null;
  /** Before it runs there is nothing to drain or close. */
  const end = (how: 'drain' | 'end'): void => {
    if (running === null) process.exit(0);
    void running[how]();
  };
  const starting = async (message: StartNode): Promise<void> => {
    running = await RunningNode.start(message);
    running.setPeer(peer);
  };
  process.on('message', (message: ToNode) => {
    if (message.type === 'start') void starting(message).catch(failed);
    else if (message.type === 'drain') end('drain');
    else if (message.type === 'peer') {
      peer = message.address;
      running?.setPeer(peer);
    } else if (message.type === 'switchover') running?.switchOver();
    else void running?.reload();
  });
  process.on('SIGTERM', () => end('end'));
  // The supervisor is gone: nobody would start us again or stop us.
  process.on('disconnect', () => end('end'));
}

main();
