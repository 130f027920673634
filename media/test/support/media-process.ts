/** A real media process, and a client of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { keepSoleRole } from '../../../switch/control/sole-role.ts';
import type { RoleKeeper } from '../../../switch/control/role-keeper.ts';
import { MediaClient, type MediaClientOptions } from '../../client.ts';
import type { MediaEvent, MediaPath } from '../../protocol.ts';

const MAIN = resolve(import.meta.dirname, '../../main.ts');
const START_MS = 10_000;
/** Longer than anything that keeps a busy machine from renewing it. */
const LEASE_MS = 10_000;

export interface ProcessOptions {
  ports: string;
  webrtcPort: number;
  timeoutS?: number;
  plainToPlain?: MediaPath;
}

export class MediaProcess {
  readonly child: ChildProcess;
  readonly socket: string;
  readonly #folder: string;
  readonly #clients: MediaClient[] = [];
  readonly #keepers: RoleKeeper[] = [];
  #log = '';

  constructor({ ports, webrtcPort, timeoutS = 120, plainToPlain }: ProcessOptions) {
    this.#folder = mkdtempSync(join(tmpdir(), 'strowger-media-'));
    this.socket = join(this.#folder, 'media.sock');
    const args = ['--socket', this.socket, '--ports', ports, '--webrtc-port', String(webrtcPort)];
    args.push('--timeout', String(timeoutS), '--lease', String(LEASE_MS));
    if (plainToPlain) args.push('--plain-to-plain', plainToPlain);
    this.child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args], {
      stdio: ['pipe', 'inherit', 'pipe'],
    });
    this.child.stderr!.on('data', (chunk: Buffer) => (this.#log += chunk.toString()));
  }

  /** What it has logged. */
  get log(): string {
    return this.#log;
  }

  /** A client that holds the lease. */
  async client(options: Partial<MediaClientOptions> = {}): Promise<MediaClient> {
    const client = new MediaClient({ node: 'test', socket: this.socket, leaseMs: LEASE_MS, ...options });
    this.#clients.push(client);
    this.#keepers.push(keepSoleRole(client, LEASE_MS));
    const deadline = performance.now() + START_MS;
    while (client.epoch === 0) {
      if (performance.now() > deadline || this.child.exitCode !== null) {
        throw new Error(`the media process does not answer:\n${this.#log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return client;
  }

  async stop(): Promise<void> {
    for (const keeper of this.#keepers) keeper.close();
    for (const client of this.#clients) client.close();
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exited = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      await exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The next event of a kind. */
export function nextEvent<E extends MediaEvent['event']>(
  client: MediaClient,
  event: E,
  timeoutMs = 10_000,
): Promise<Extract<MediaEvent, { event: E }>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} in time`)), timeoutMs);
    client.onEvent = (came) => {
      if (came.event !== event) return;
      clearTimeout(timer);
      resolve(came as Extract<MediaEvent, { event: E }>);
    };
  });
}
