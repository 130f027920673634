/** Running the whole program in tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { until } from './wait.ts';

const MAIN = resolve(import.meta.dirname, '../../main.ts');

/** A port that is free now, for TCP; for UDP most likely too. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

/** The program with one configuration. */
export class Program {
  readonly configFile: string;
  readonly #folder: string;
  readonly process: ChildProcess;
  out = '';
  err = '';
  exitCode: number | null | undefined;

  /** @param config YAML. */
  constructor(config: string, args: readonly string[] = []) {
    this.#folder = mkdtempSync(join(tmpdir(), 'strowger-test-'));
    this.configFile = join(this.#folder, 'config.yaml');
    this.configure(config);
    const command = ['--disable-warning=ExperimentalWarning', MAIN, '--config', this.configFile, ...args];
    this.process = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout?.on('data', (chunk) => {
      this.out += chunk;
    });
    this.process.stderr?.on('data', (chunk) => {
      this.err += chunk;
    });
    this.process.on('exit', (code) => {
      this.exitCode = code;
    });
  }

  /** Writes another configuration into the file. */
  configure(config: string): void {
    writeFileSync(this.configFile, config);
  }

  /** The ready line. */
  async ready(): Promise<string> {
    await until(() => this.out.includes('strowger ready') || this.exitCode !== undefined, 20_000);
    const line = this.out.split('\n').find((text) => text.startsWith('strowger ready'));
    if (line === undefined) throw new Error(`ended with ${this.exitCode}:\n${this.out}\n${this.err}`);
    return line;
  }

  /** Exit code, when it has ended by itself. */
  async ended(patienceMs = 20_000): Promise<number | null> {
    await until(() => this.exitCode !== undefined, patienceMs);
    return this.exitCode ?? null;
  }

  /** Stops it, whatever state it is in. */
  async stop(): Promise<void> {
    if (this.exitCode === undefined) {
      this.process.kill('SIGINT');
      await this.ended();
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
