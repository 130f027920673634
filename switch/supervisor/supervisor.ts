/**
 * The supervisor: starts the media process and the node, starts them again when they die, and stops them in order.
 * It holds what must survive a crash of the node: the key of the cookies and the generated API token.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { hasStandby } from '../control/config/standby.ts';
import type { LoadedConfig } from '../control/config/load.ts';
import { formatLogLine, type Logger } from '../control/log.ts';
import { Child } from './child.ts';
import { mediaArguments } from './media-arguments.ts';
import {
  EXIT_STEPPED_DOWN,
  type FromNode,
  type PeerNode,
  type ReadyInfo,
  type StartNode,
} from './messages.ts';
import { readyLine } from './ready-line.ts';
import { writeRunFile } from './run-file.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** Beyond the time for draining, what closing sockets and records may take. */
const CLOSE_MS = 5_000;
/** A node that another one has taken over from, and that hangs on, is killed after this. */
const HUNG_MS = 2_000;
const TOKEN_BYTES = 18;
const SECRET_BYTES = 16;

/** A signalling node, through all lives of its process. */
interface NodeSlot {
  child: Child;
  /** Where the other one can call it; null while it can't. */
  address: PeerNode['address'];
  /** Its process has been active. */
  served: boolean;
}

/** One run of the switch. */
export class Supervisor {
  readonly #loaded: LoadedConfig;
  readonly #log: Logger;
  readonly #token: string;
  readonly #secret: string;
  readonly #folder: string;
  readonly #media: Child | null;
  readonly #nodes: readonly NodeSlot[];
  readonly #print: (line: string) => void;
  /** Tells the `strowger` command where we are; null before that is known. */
  #runFile: string | null = null;
  #everReady = false;
  #stopping = false;
  #finish: (exitCode: number) => void = () => undefined;
  /** Resolves with the exit code when everything has stopped. */
  readonly finished: Promise<number>;

  /** @param print writes the ready line. */
  constructor(loaded: LoadedConfig, log: Logger, print: (line: string) => void) {
    this.#loaded = loaded;
    this.#log = log;
    this.#print = print;
    const { config } = loaded;
    this.#token = config.http.tokens.some((entry) => entry.generate)
      ? randomBytes(TOKEN_BYTES).toString('base64url')
      : '';
    this.#secret = config.secret ?? randomBytes(SECRET_BYTES).toString('hex');
    // Readable by this user only: who can reach the socket can listen to calls.
    this.#folder = mkdtempSync(join(tmpdir(), 'strowger-'));
    const standby = hasStandby(config);
    this.#media = config.media.anchor || standby ? this.#mediaChild() : null;
    const names = standby ? [`${config.name}-a`, `${config.name}-b`] : [null];
    this.#nodes = names.map((name) => this.#slot(name));
    this.finished = new Promise((finish) => {
      this.#finish = finish;
    });
  }

  get #mediaSocket(): string {
    return join(this.#folder, 'media.sock');
  }

  #mediaChild(): Child {
    const file = join(ROOT, 'media/main.ts');
    const args = (starts: number): string[] => mediaArguments(this.#loaded.config, this.#mediaSocket, starts);
    // The media process knows nothing of our configuration and always writes JSON.
    const formatLine = this.#loaded.config.logs.pretty ? formatLogLine : undefined;
    const spare = hasStandby(this.#loaded.config);
    return new Child(
      { name: 'media', file, args, formatLine, spare, gaveUp: () => void this.#fail() },
      this.#log,
    );
  }

  /** @param name null: the only node. */
  #slot(name: string | null): NodeSlot {
    const start: StartNode = {
      type: 'start',
      configFile: this.#loaded.file,
      secret: this.#secret,
      token: this.#token,
      mediaSocket: this.#media ? this.#mediaSocket : null,
      node: name,
      callsPeer: name?.endsWith('-a') === true,
    };
    const slot: NodeSlot = {
      address: null,
      served: false,
      child: new Child(
        {
          name: name ?? 'node',
          file: join(ROOT, 'switch/node.ts'),
          restartCode: EXIT_STEPPED_DOWN,
          started: (send) => send({ ...start }),
          message: (message) => this.#fromNode(slot, message as FromNode),
          ended: () => this.#ended(slot),
          gaveUp: () => this.#gaveUp(),
        },
        this.#log,
      ),
    };
    return slot;
  }

  start(): void {
    this.#media?.start();
    for (const { child } of this.#nodes) child.start();
  }

  #others(slot: NodeSlot): NodeSlot[] {
    return this.#nodes.filter((other) => other !== slot);
  }

  #ended(slot: NodeSlot): void {
    slot.address = null;
    slot.served = false;
    for (const { child } of this.#others(slot)) child.send({ type: 'peer', address: null });
  }

  /** As long as another one lives, calls go on. */
  #gaveUp(): void {
    if (this.#nodes.every(({ child }) => child.hasGivenUp)) void this.#fail();
  }

  #fromNode(slot: NodeSlot, message: FromNode): void {
    if (message.type === 'ready') this.#ready(slot, message.info);
    else if (message.type === 'standby') this.#standby(slot, message);
    else if (message.type === 'restartPeer') for (const { child } of this.#others(slot)) child.restart();
    else if (message.type === 'failed') this.#failedToStart(message.message);
    else if (message.type === 'draining')
      this.#log.info({ calls: message.calls }, 'draining; Ctrl-C again stops at once');
    else if (message.type === 'reloaded') this.#log.info(message.message);
    else this.#log.error(`new configuration refused, the old one stays: ${message.message}`);
  }

  #standby(slot: NodeSlot, { host, port }: { host: string; port: number }): void {
    slot.address = { host, port };
    for (const other of this.#others(slot)) {
      other.child.send({ type: 'peer', address: slot.address });
      slot.child.send({ type: 'peer', address: other.address });
    }
  }

  #ready(slot: NodeSlot, info: ReadyInfo): void {
    for (const other of this.#others(slot)) this.#replaced(other);
    slot.served = true;
    if (this.#everReady) {
      this.#log.info('node is ready again');
      return;
    }
    this.#everReady = true;
    this.#runFile = writeRunFile(
      { name: this.#loaded.config.name, pid: process.pid, url: info.web, token: this.#token },
      this.#log,
    );
    this.#print(readyLine(this.#loaded.config, info, this.#token));
  }

  /** Another node serves now: if the process still is the one that served before, it hangs. */
  #replaced({ child, served }: NodeSlot): void {
    const { pid } = child;
    if (!served || pid === 0) return;
    setTimeout(() => {
      if (child.pid !== pid || this.#stopping) return;
      this.#log.error({ pid }, 'a node that was replaced hangs: killed');
      child.kill();
    }, HUNG_MS).unref();
  }

  /** At the first start it is the configuration's or the machine's fault: trying again would not help. */
  #failedToStart(message: string): void {
    this.#log.error(message);
    if (!this.#everReady) void this.#fail();
  }

  async #fail(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    await this.#stopAll();
    this.#finish(1);
  }

  /** Reads the configuration again (SIGHUP). */
  reload(): void {
    for (const { child } of this.#nodes) child.send({ type: 'reload' });
  }

  /** Lets the standby take over from the active node (SIGUSR2). */
  switchOver(): void {
    for (const { child, served } of this.#nodes) if (served) child.send({ type: 'switchover' });
  }

  /** Drains and stops; called again, stops at once. */
  async stop(): Promise<void> {
    if (this.#stopping) {
      this.#log.warn('stopping at once');
      await this.#stopAll();
      this.#finish(0);
      return;
    }
    this.#stopping = true;
    // Those that wait go first, so that none takes over.
    await Promise.all(this.#nodes.filter(({ served }) => !served).map(({ child }) => child.stop(CLOSE_MS)));
    for (const { child } of this.#nodes) {
      child.expectExit();
      child.send({ type: 'drain' });
    }
    const patienceMs = this.#loaded.config.calls.drainS * 1000 + CLOSE_MS;
    await Promise.all(this.#nodes.map(({ child }) => child.gone(patienceMs)));
    await this.#stopAll();
    this.#finish(0);
  }

  async #stopAll(): Promise<void> {
    await Promise.all(this.#nodes.map(({ child }) => child.stop(CLOSE_MS)));
    await this.#media?.stop(CLOSE_MS);
    rmSync(this.#folder, { recursive: true, force: true });
    if (this.#runFile !== null) rmSync(this.#runFile, { force: true });
  }
}
