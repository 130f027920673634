/** A program under test or used by a test: started, read line by line, and stopped with all it started. */
import { spawn, type ChildProcess } from 'node:child_process';
import { isAlive, processTree, signalAll } from './processes.ts';
import { eventually, GiveUp } from './wait.ts';

/** How to start a program. */
export interface ProgramOptions {
  /** Shown before its lines when a test fails. */
  name: string;
  command: string;
  args: string[];
  cwd?: string;
  /** Added to the environment of the tests. */
  env?: Record<string, string>;
}

/** Lines kept for the report of a failure. */
const LINES_MAX = 2_000;

export class Program {
  readonly name: string;
  /** Lines of its output, both streams, newest last. */
  readonly lines: string[] = [];
  /** Resolves with its exit code, or null when a signal ended it. */
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  #partial = '';
  #code: number | null | undefined;

  constructor(options: ProgramOptions) {
    this.name = options.name;
    this.#child = spawn(options.command, options.args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    this.exited = new Promise((resolve) => {
      const end = (code: number | null) => {
        this.#code = code;
        resolve(code);
      };
      this.#child.once('error', (error) => {
        this.#read(`${options.command}: ${error.message}\n`);
        end(127);
      });
      this.#child.once('close', end);
    });
  }

  /** Process id, -1 when it could not be started. */
  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get running(): boolean {
    return this.#code === undefined;
  }

  #read(text: string): void {
    const lines = (this.#partial + text).split(/\r?\n/);
    this.#partial = lines.pop() ?? '';
    this.lines.push(...lines);
    if (this.lines.length > LINES_MAX) this.lines.splice(0, this.lines.length - LINES_MAX);
  }

  /** Waits for a line that matches; throws when the program ends or the time is over first, with its last lines. */
  async line(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    try {
      return await eventually(
        `${this.name}: a line like ${pattern}`,
        () => {
          const found = this.#match(pattern);
          if (!found && !this.running) throw new GiveUp(`${this.name} ended with ${this.#code}`);
          return found;
        },
        timeoutMs,
        10,
      );
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.tail(40)}`);
    }
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    for (const line of this.lines) {
      const found = pattern.exec(line);
      if (found) return found;
    }
    return undefined;
  }

  /** Its last lines, each led by its name. */
  tail(count: number): string {
    return this.lines
      .slice(-count)
      .map((line) => `${this.name}| ${line}`)
      .join('\n');
  }

  /** Sends a signal to the program alone. */
  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#child.kill(signal);
  }

  /**
   * Asks it to end, and after `graceMs` kills it and whatever of its descendants is still there.
   * Returns the names of the processes that had to be killed: none when it ended in order.
   */
  async stop(signal: NodeJS.Signals = 'SIGTERM', graceMs = 5_000): Promise<string[]> {
    const tree = this.running ? processTree(this.pid) : [];
    this.signal(signal);
    const limit = setTimeout(() => this.signal('SIGKILL'), graceMs);
    await this.exited;
    clearTimeout(limit);
    const left = tree.filter(isAlive);
    signalAll(left, 'SIGKILL');
    return left.map((one) => one.name);
  }
}
