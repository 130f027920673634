/** The generator (generator.ts) as the comparison uses it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { SrtpKeys } from './browser.ts';
import { sleep } from '../../switch/test/e2e/harness/wait.ts';

/** What the generator is told. Legs 2i and 2i + 1 are the two parties of a call. */
export type LoadCommand =
  /** On these ports, 0: any. */
  | { op: 'open'; ports: number[] }
  /**
   * Sends to `targets` (a port for each leg, 0: this one is silent) from now on; packets sent from `fromMs` to `toMs`
   * (epoch) count. `keys`: of legs that are sent SRTP.
   */
  | { op: 'run'; targets: number[]; keys?: (SrtpKeys | null)[]; fromMs: number; toMs: number };

export interface LoadResult {
  sent: number;
  received: number;
  /** Packets that came to a leg and were not for it. */
  strays: number;
  /** Furthest that a packet was sent behind its time, µs. */
  lateUsMax: number;
  /** From send to arrival, of each packet received. */
  delaysUs: Float32Array;
}

/** One run, and what `probe` read at the beginning and the end of the time that counts. */
export interface Measured extends LoadResult {
  probed: [begin: number, end: number];
}

export class Load {
  /** Port of each leg. */
  readonly ports: readonly number[];
  readonly #child: ChildProcess;

  /** @param wanted port of each leg, 0: any that is free. */
  static async open(wanted: number[]): Promise<Load> {
    const child = fork(new URL('./generator.ts', import.meta.url), {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      serialization: 'advanced',
    });
    const { ports } = await ask<{ ports: number[] }>(child, { op: 'open', ports: wanted });
    return new Load(child, ports);
  }

  private constructor(child: ChildProcess, ports: number[]) {
    this.#child = child;
    this.ports = ports;
  }

  /** Sends for `warmUpMs` and then, what counts, for `ms`. */
  async run(
    targets: number[],
    options: { warmUpMs: number; ms: number; keys?: (SrtpKeys | null)[]; probe?: () => number },
  ): Promise<Measured> {
    const { warmUpMs, ms, keys, probe = () => 0 } = options;
    const fromMs = Date.now() + warmUpMs;
    const result = ask<LoadResult>(this.#child, { op: 'run', targets, keys, fromMs, toMs: fromMs + ms });
    result.catch(() => undefined); // it is awaited, but not at once
    await sleep(fromMs - Date.now());
    const begin = probe();
    await sleep(fromMs + ms - Date.now());
    const end = probe();
    return { ...(await result), probed: [begin, end] };
  }

  /** Ends it, and gives the ports back. */
  async close(): Promise<void> {
    if (!this.#child.connected) return;
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}

async function ask<T>(child: ChildProcess, command: LoadCommand): Promise<T> {
  const ended = new AbortController();
  const exit = once(child, 'exit', { signal: ended.signal }).then(([code]) => {
    throw new Error(`the generator ended with ${code}`);
  });
  const answer = once(child, 'message', { signal: ended.signal });
  child.send(command);
  try {
    const [message] = (await Promise.race([answer, exit])) as [T];
    return message;
  } finally {
    answer.catch(() => undefined);
    exit.catch(() => undefined);
    ended.abort();
  }
}
