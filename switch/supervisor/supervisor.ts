/**
 * The supervisor: starts the media process and the node, starts them again when they die, and stops them in order.
 * It holds what must survive a crash of the node: the key of the cookies and the generated API token.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { LoadedConfig } from '../control/config/load.ts';
import { formatLogLine, type Logger } from '../control/log.ts';
import { Child } from './child.ts';
import { mediaArguments } from './media-arguments.ts';
import type { FromNode, ReadyInfo, StartNode } from './messages.ts';
import { readyLine } from './ready-line.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** Beyond the time for draining, what closing sockets and records may take. */
const CLOSE_MS = 5_000;
const TOKEN_BYTES = 18;
const SECRET_BYTES = 16;

/** One run of the switch. */
export class Supervisor {
  readonly #loaded: LoadedConfig;
  readonly #log: Logger;
  readonly #token: string;
  readonly #secret: string;
  readonly #folder: string;
  readonly #media: Child | null;
  readonly #node: Child;
  readonly #print: (line: string) => void;
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
    this.#media = config.media.anchor ? this.#mediaChild() : null;
    this.#node = this.#nodeChild();
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
    return new Child({ name: 'media', file, args, formatLine, gaveUp: () => void this.#fail() }, this.#log);
  }

  #nodeChild(): Child {
    const start: StartNode = {
      type: 'start',
      configFile: this.#loaded.file,
      secret: this.#secret,
      token: this.#token,
      mediaSocket: this.#media ? this.#mediaSocket : null,
    };
    return new Child(
      {
        name: 'node',
        file: join(ROOT, 'switch/node.ts'),
        started: (send) => send({ ...start }),
        message: (message) => this.#fromNode(message as FromNode),
        gaveUp: () => void this.#fail(),
      },
      this.#log,
    );
  }

  start(): void {
    this.#media?.start();
    this.#node.start();
  }

  #fromNode(message: FromNode): void {
    if (message.type === 'ready') this.#ready(message.info);
    else if (message.type === 'failed') this.#failedToStart(message.message);
    else if (message.type === 'draining')
      this.#log.info({ calls: message.calls }, 'draining; Ctrl-C again stops at once');
    else if (message.type === 'reloaded') this.#log.info(message.message);
    else this.#log.error(`new configuration refused, the old one stays: ${message.message}`);
  }

  #ready(info: ReadyInfo): void {
    if (this.#everReady) {
      this.#log.info('node is ready again');
      return;
    }
    this.#everReady = true;
    this.#print(readyLine(this.#loaded.config, info, this.#token));
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
    this.#node.send({ type: 'reload' });
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
    this.#node.expectExit();
    this.#node.send({ type: 'drain' });
    await this.#node.gone(this.#loaded.config.calls.drainS * 1000 + CLOSE_MS);
    await this.#stopAll();
    this.#finish(0);
  }

  async #stopAll(): Promise<void> {
    await this.#node.stop(CLOSE_MS);
    await this.#media?.stop(CLOSE_MS);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
