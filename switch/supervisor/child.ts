/** A child process that is started again when it dies. */
import { type ChildProcess, fork, type Serializable } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Logger } from '../control/log.ts';
import { Backoff } from './backoff.ts';
import { SPARE } from './spare.ts';

/** Which program, and what to do with it. */
export interface ChildOptions {
  name: string;
  /** Absolute path of the program. */
  file: string;
  /** Its command line at a start: the first, the second, and so on. */
  args?(starts: number): readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Rewrites each line of its standard error; default: passed on as it is. */
  formatLine?(line: string): string;
  /** Called for each start, with a function that sends a message to the new process. */
  started?(send: (message: Serializable) => void): void;
  message?(message: unknown): void;
  /** The process is gone. */
  ended?(): void;
  /** With this exit code it wants to be started again at once. Default: none. */
  restartCode?: number;
  /** Keeps another process of it waiting, which goes on at once when this one dies (spare.ts). */
  spare?: boolean;
  /** The process died too often; it won't be started again. */
  gaveUp(): void;
}

/** A process that is to begin anew may take this long to end. */
const RESTART_MS = 5_000;

/** A process that has just been started gets its spare after this. */
const SPARE_AFTER_MS = 1_500;

/** One child process, through all its lives. */
export class Child {
  readonly #options: ChildOptions;
  readonly #log: Logger;
  readonly #backoff = new Backoff();
  #process: ChildProcess | null = null;
  #spare: ChildProcess | null = null;
  #nextSpare: NodeJS.Timeout | null = null;
  #restart: NodeJS.Timeout | null = null;
  #stopping = false;
  #isRestarting = false;
  /** It died too often. */
  hasGivenUp = false;
  #startedMs = 0;
  #starts = 0;

  constructor(options: ChildOptions, log: Logger) {
    this.#options = options;
    this.#log = log;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  start(): void {
    this.#restart = null;
    this.#startedMs = performance.now();
    const child = this.#spare ?? this.#fork();
    this.#process = child;
    if (child === this.#spare) child.send('go');
    this.#spare = null;
    child.on('message', (message) => this.#options.message?.(message));
    this.#options.started?.((message) => this.send(message));
    this.#awaitSpare();
  }

  /** A spare would only be in the way while others start. */
  #awaitSpare(): void {
    if (this.#options.spare !== true || this.#nextSpare !== null) return;
    this.#nextSpare = setTimeout(() => {
      this.#nextSpare = null;
      if (!this.#stopping) this.#spare ??= this.#fork({ [SPARE]: '1' });
    }, SPARE_AFTER_MS);
    this.#nextSpare.unref();
  }

  #fork(more: Readonly<Record<string, string>> = {}): ChildProcess {
    const { file, env = {} } = this.#options;
    const args = this.#options.args?.(++this.#starts) ?? [];
    // A process group of its own: Ctrl-C in the terminal reaches the supervisor only, which then drains.
    const child = fork(file, args, {
      detached: true,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      env: { ...process.env, ...env, ...more },
      stdio: ['ignore', 'inherit', this.#options.formatLine ? 'pipe' : 'inherit', 'ipc'],
    });
    if (child.stderr) this.#passOn(child.stderr);
    child.on('error', (error) => this.#log.error({ err: error, child: this.#options.name }, 'child process'));
    child.on('exit', (code, signal) => {
      if (child === this.#process) this.#exited(code, signal);
      if (child !== this.#spare) return;
      this.#spare = null;
      this.#log.warn({ child: this.#options.name, code, signal }, 'spare process died');
      this.#awaitSpare();
    });
    return child;
  }

  /** Writes its standard error to ours, line by line. */
  #passOn(stream: Readable): void {
    const format = this.#options.formatLine;
    createInterface({ input: stream }).on('line', (line) =>
      process.stderr.write(format ? format(line) : line),
    );
  }

  /** Sends a message; lost when the process isn't running. */
  send(message: Serializable): void {
    if (this.#process?.connected) this.#process.send(message);
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    const { name } = this.#options;
    const ranMs = performance.now() - this.#startedMs;
    this.#process = null;
    this.#options.ended?.();
    if (this.#stopping) return;
    if (this.#isRestarting || (code !== null && code === this.#options.restartCode)) {
      this.#isRestarting = false;
      this.#log.info({ child: name }, 'child process begins anew');
      this.start();
      return;
    }
    const waitMs = this.#backoff.next(ranMs);
    const details = { child: name, code, signal, ranMs: Math.round(ranMs) };
    if (waitMs === null) {
      this.hasGivenUp = true;
      this.#log.fatal(details, 'child process keeps dying: giving up');
      this.#options.gaveUp();
      return;
    }
    // What dies soon after its start will again.
    const restartMs = this.#spare !== null && ranMs >= SPARE_AFTER_MS ? 0 : waitMs;
    this.#log.error({ ...details, restartMs }, 'child process died');
    if (restartMs === 0) this.start();
    else this.#restart = setTimeout(() => this.start(), restartMs);
  }

  /** Lets it end and begin anew; one that doesn't end is killed. */
  restart(): void {
    const child = this.#process;
    if (child === null || this.#stopping) return;
    this.#isRestarting = true;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), RESTART_MS);
    child.once('exit', () => clearTimeout(timer));
  }

  /** Ends it at once, as when it hangs; it is started again. */
  kill(): void {
    this.#process?.kill('SIGKILL');
  }

  /** From now on its end is not a crash. */
  expectExit(): void {
    this.#stopping = true;
    if (this.#restart) clearTimeout(this.#restart);
    if (this.#nextSpare) clearTimeout(this.#nextSpare);
    const spare = this.#spare;
    this.#spare = null;
    spare?.kill('SIGKILL'); // it has nothing to leave in order
  }

  /** Resolves when the process is gone; kills it after `patienceMs`. */
  async gone(patienceMs: number): Promise<void> {
    this.expectExit();
    const child = this.#process;
    if (child === null) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const timer = setTimeout(() => {
      this.#log.warn({ child: this.#options.name }, 'child process does not end: killed');
      child.kill('SIGKILL');
    }, patienceMs);
    await exited;
    clearTimeout(timer);
  }

  /** Asks the process to end, and waits for it. */
  async stop(patienceMs: number): Promise<void> {
    this.expectExit();
    this.#process?.kill('SIGTERM');
    await this.gone(patienceMs);
  }
}
