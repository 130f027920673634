/**
 * The realtime thread as the control thread sees it: frames in, frames out, counters to read.
 */
import { once } from 'node:events';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import * as abi from '../../wasm-core/assembly/abi.ts';
import type { CoreInit } from '../../wasm-core/host/core.ts';
import type { RealtimePort, RealtimeReading } from '../control/realtime-port.ts';
import { optimizeWasm } from './optimize-wasm.ts';
import { RingReader, RingWriter, ringMemory } from './ring.ts';
import { type StageBudgets, StatsReader, statsMemory } from './stats.ts';
import type { RecordingMemory } from './step-recorder.ts';
import { type UdpEngine, udpEngineHere } from './udp-port.ts';
import { Waker, wakerMemory } from './waker.ts';

/** See `realtime.scheduling` in the configuration. */
export type Scheduling = 'auto' | 'batch' | 'normal';

/** A UDP socket that the realtime thread is to open. */
export interface UdpListener {
  /** IPv4 or IPv6 address to bind to. */
  address: string;
  port: number;
  /** Index in `init.listeners`. */
  listener: number;
}

export interface RealtimeOptions {
  /** The compiled core. */
  wasm: Uint8Array;
  init: CoreInit;
  udp: readonly UdpListener[];
  /** First bank; without one the core knows no users and no routes. */
  bank?: SharedArrayBuffer;
  /** Size of each ring, a power of two. Default 8 MiB. */
  ringBytes?: number;
  /** Default: 20 µs of core per message, 100 µs in socket and ring. */
  budgets?: StageBudgets;
  /** Let batches gather within the budget of the queue when the load is high. Default true. */
  batchWait?: boolean;
  /** `batch`: the thread does not interrupt others when it wakes up (SCHED_BATCH); `auto`: while messages come in bursts or are many. Default `auto`. */
  scheduling?: Scheduling;
  /** Measure waits from the kernel's stamps; else from when the thread took a message. Default true. */
  kernelStamps?: boolean;
  /** Default: what the system does best. */
  udpEngine?: UdpEngine;
  /** There is a peer: sockets can be taken over, and a link can be opened (link-frames.ts). Linux only. Default false. */
  pair?: boolean;
  /** Where what enters and leaves the core is recorded. Default: nowhere. */
  recording?: RecordingFeed;
  /** The core has trapped, and another one works now. Default: nobody is told. */
  onTrap?: (report: TrapReport) => void;
  /** The thread has failed; nothing is handled any more. */
  onFailure: (error: Error) => void;
}

/** The core has trapped, and was replaced by one with its records. */
export interface TrapReport {
  /** What WebAssembly says, and where in the core. */
  message: string;
  stack: string;
  /** The event that it could not bear, as a frame (abi.ts); null: a timer was due. Not handled again. */
  event: Uint8Array | null;
  /** Records that the new core has got. */
  records: number;
  /** From the trap to when the new core worked. */
  tookUs: number;
  /** Time of the step, µs since the epoch. */
  nowUs: number;
  /** Blocks of a recording that ends with the trap (docs/recording.md); null: it would be too large. */
  recording: Uint8Array<ArrayBuffer>[] | null;
}

/** A recorder as this thread feeds it (switch/recording). */
export interface RecordingFeed {
  memory: RecordingMemory;
  /** A bank that is about to be staged; in the order in which they are. */
  bank(bank: SharedArrayBuffer): void;
}

/** What the thread is started with. */
export interface ThreadData {
  wasm: Uint8Array;
  init: CoreInit;
  udp: readonly UdpListener[];
  toCore: SharedArrayBuffer;
  fromCore: SharedArrayBuffer;
  stats: SharedArrayBuffer;
  waker: SharedArrayBuffer;
  eventFd: number;
  udpEngine: UdpEngine;
  banks: MessagePort;
  budgets: StageBudgets;
  batchWait: boolean;
  scheduling: Scheduling;
  kernelStamps: boolean;
  recording: RecordingMemory | null;
  pair: boolean;
}

const BUDGETS: StageBudgets = { coreUs: 20, queueUs: 100 };
const RING_BYTES = 8 << 20;
/** Frames handled before the event loop gets its turn. */
const FRAMES_PER_TURN = 512;
/** The thread does not wake us for call records and log entries: they wait this long at most. */
const LOOK_MS = 50;
const BANK_TIMEOUT_MS = 10_000;

function ignore(): void {
  // Nobody listens yet.
}

export class Realtime implements RealtimePort {
  /** Replaced by who wants them; until then, frames are dropped. */
  onFrame: (frame: Uint8Array) => void = ignore;
  readonly #toCore: RingWriter;
  readonly #fromCore: RingReader;
  readonly #stats: StatsReader;
  readonly #waker: Waker;
  readonly #banks: MessagePort;
  readonly #recording: RecordingFeed | null;
  #bankWaiter: ((frame: Uint8Array) => void) | null = null;
  /** Resolves when the thread has ended, by itself or not. */
  readonly #ended: Promise<unknown>;
  #traps = 0;
  #closed = false;

  /** Opens the sockets and starts the thread. @throws when a socket can't be bound or the core doesn't start. */
  static async start(options: RealtimeOptions): Promise<Realtime> {
    optimizeWasm();
    const channel = new MessageChannel();
    const engine = options.udpEngine ?? udpEngineHere();
    const waker = new Waker(wakerMemory(), engine);
    const data: ThreadData = {
      wasm: options.wasm,
      init: options.init,
      udp: options.udp,
      toCore: ringMemory(options.ringBytes ?? RING_BYTES),
      fromCore: ringMemory(options.ringBytes ?? RING_BYTES),
      stats: statsMemory(),
      waker: waker.memory,
      eventFd: waker.eventFd,
      udpEngine: engine,
      banks: channel.port2,
      budgets: options.budgets ?? BUDGETS,
      batchWait: options.batchWait ?? true,
      scheduling: options.scheduling ?? 'auto',
      kernelStamps: options.kernelStamps ?? true,
      recording: options.recording?.memory ?? null,
      pair: options.pair ?? false,
    };
    const worker = new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: data,
      transferList: [channel.port2],
      name: 'realtime',
    });
    const [message] = (await once(worker, 'message')) as [{ error?: string }];
    if (message.error !== undefined) {
      await once(worker, 'exit');
      channel.port1.close();
      waker.close();
      throw new Error(message.error);
    }
    const realtime = new Realtime(worker, data, waker, channel.port1, options);
    if (options.bank !== undefined) await realtime.setBank(options.bank);
    return realtime;
  }

  private constructor(
    worker: Worker,
    data: ThreadData,
    waker: Waker,
    banks: MessagePort,
    { onFailure, onTrap = ignore, recording }: RealtimeOptions,
  ) {
    this.#toCore = new RingWriter(data.toCore);
    this.#fromCore = new RingReader(data.fromCore);
    this.#stats = new StatsReader(data.stats, data.budgets);
    this.#waker = waker;
    this.#banks = banks;
    this.#recording = recording ?? null;
    banks.unref();
    let failed = false;
    const fail = (error: Error): void => {
      if (!failed && !this.#closed) onFailure(error);
      failed = true;
    };
    worker.on('message', ({ trap }: { trap?: TrapReport }) => {
      if (trap === undefined) return;
      this.#traps++;
      onTrap(trap);
    });
    worker.on('error', (error) => fail(error as Error));
    this.#ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.on('exit', (code) => fail(new Error(`the realtime thread ended with code ${code}`)));
    void this.#pump();
  }

  send(frame: Uint8Array): boolean {
    if (!this.#toCore.push(frame, 0, frame.length)) return false;
    this.#waker.wake();
    return true;
  }

  async setBank(bank: SharedArrayBuffer): Promise<void> {
    if (this.#bankWaiter !== null) throw new Error('another configuration is being taken into use');
    const done = Promise.withResolvers<Uint8Array>();
    this.#bankWaiter = done.resolve;
    const timer = setTimeout(() => done.reject(new Error('the core did not answer')), BANK_TIMEOUT_MS);
    this.#recording?.bank(bank);
    this.#banks.postMessage(bank);
    const frame = new Uint8Array(abi.FRAME_HEADER_BYTES);
    frame[abi.F_KIND] = abi.EV_BANK_READY;
    frame[abi.F_VERSION] = abi.ABI_VERSION;
    new DataView(frame.buffer).setUint32(abi.F_ARG0, bank.byteLength, true);
    try {
      if (!this.send(frame)) throw new Error('the ring to the core is full');
      const reply = await done.promise;
      const view = new DataView(reply.buffer, reply.byteOffset);
      if (view.getUint32(abi.F_ARG0, true) !== 1)
        throw new Error('the core refused the configuration; the old one stays');
    } finally {
      clearTimeout(timer);
      this.#bankWaiter = null;
    }
  }

  read(): RealtimeReading {
    const stats = this.#stats;
    return {
      counters: stats.counters,
      ringToCoreBytes: this.#toCore.depth,
      ringFromCoreBytes: this.#fromCore.depth,
      droppedIn: stats.droppedIn,
      droppedOut: stats.droppedOut,
      step: stats.step.snapshot(),
      core: stats.core.snapshot(),
      coreBreaches: stats.core.breaches,
      queue: stats.queue.snapshot(),
      queueBreaches: stats.queue.breaches,
      batchWaits: stats.batchWaits,
      batchWaitUs: stats.batchWaitUs,
      heapBytes: stats.heapBytes,
      traps: this.#traps,
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#waker.stop();
    await this.#ended;
    this.#banks.close();
    this.#waker.close();
  }

  /** Hands on what comes from the core, in turns with everything else on this thread. */
  async #pump(): Promise<void> {
    const ring = this.#fromCore;
    while (!this.#closed) {
      const mark = ring.mark();
      let budget = FRAMES_PER_TURN;
      while (budget-- > 0 && ring.next()) {
        this.#deliver(ring.bytes.subarray(ring.offset, ring.offset + ring.length));
        ring.release();
      }
      if (budget < 0) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      const wait = ring.waitPast(mark, LOOK_MS);
      if (wait.async) await wait.value;
      else await new Promise((resolve) => setImmediate(resolve)); // others have their turn, too
    }
  }

  #deliver(frame: Uint8Array): void {
    if (frame[abi.F_KIND] === abi.EF_BANK) this.#bankWaiter?.(frame.slice());
    else this.onFrame(frame);
  }
}
