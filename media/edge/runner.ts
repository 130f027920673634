/**
 * One life of the edge thread: started, asked, and ended, by itself or by us.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { optimizeWasm } from '../../switch/realtime/optimize-wasm.ts';
import { type Answer, type Command, CommandLink } from './command-link.ts';
import type { EdgeThreadData } from './commands.ts';
import type { EdgeDatagram } from './types.ts';

export interface RunnerOptions {
  wasm: Uint8Array;
  legsMax: number;
  mediasoupFd: number;
  batchBudgetUs: number;
  /** The thread has ended without being asked to. `batch`: the datagrams it was working on. */
  onEnd: (error: Error, batch: EdgeDatagram[]) => void;
}

export class EdgeRunner {
  readonly #link: CommandLink;
  readonly #worker: Worker;
  #closed = false;
  #batch: EdgeDatagram[] = [];

  /** @throws when the thread doesn't start. */
  static async start(options: RunnerOptions): Promise<EdgeRunner> {
    optimizeWasm();
    const link = new CommandLink();
    const data: EdgeThreadData = {
      wasm: options.wasm,
      legsMax: options.legsMax,
      mediasoupFd: options.mediasoupFd,
      batchBudgetUs: options.batchBudgetUs,
      commands: link.commands,
      answers: link.answers,
      waker: link.waker.memory,
      eventFd: link.waker.eventFd,
    };
    const worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData: data, name: 'edge' });
    await once(worker, 'message').catch((error: Error) => {
      link.end(error);
      link.waker.close();
      throw error;
    });
    return new EdgeRunner(link, worker, options.onEnd);
  }

  private constructor(link: CommandLink, worker: Worker, onEnd: RunnerOptions['onEnd']) {
    this.#link = link;
    this.#worker = worker;
    let cause: Error | null = null;
    worker.on('message', (batch: EdgeDatagram[]) => {
      this.#batch = batch;
    });
    worker.on('error', (error) => {
      cause = error as Error;
    });
    worker.on('exit', (code) => {
      const error = cause ?? new Error(`the edge thread ended with code ${code}`);
      link.end(error);
      link.waker.close();
      if (!this.#closed) onEnd(error, this.#batch);
    });
  }

  /** @throws when the thread has ended before it answered. */
  ask(command: Command): Promise<Answer> {
    return this.#link.ask(command);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const ended = once(this.#worker, 'exit');
    this.#link.waker.stop();
    await ended;
  }
}
