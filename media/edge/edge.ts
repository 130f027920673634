/**
 * The RTP edge as media control uses it: opens and closes the sockets of legs, and tells the edge thread about them.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { openSyscalls, type Syscalls } from '../../switch/realtime/udp.ts';
import { allocationBlock, configurationBlock } from './blocks.ts';
import { type Answer, CommandLink } from './command-link.ts';
import * as command from './commands.ts';
import { PortPool } from './ports.ts';
import { readStats, readTotals } from './readings.ts';
import type {
  EdgeAddress,
  EdgeLeg,
  EdgeLegConfig,
  EdgeLegStats,
  EdgeOptions,
  EdgePort,
  EdgeTotals,
} from './types.ts';

const WASM = new URL('../../build/edge.wasm', import.meta.url);
const LOOPBACK = '127.0.0.1';
/** Buffer of a leg's socket: seconds of one voice. */
const LEG_BUFFER_BYTES = 128 << 10;
/** Port pairs tried when other programs use some of the range. */
const ATTEMPTS = 32;

interface Leg {
  id: number;
  slot: number;
  rtpPort: number;
  fds: readonly [rtp: number, rtcp: number];
}

export class Edge implements EdgePort {
  readonly mediasoupSide: EdgeAddress;
  readonly #options: EdgeOptions;
  readonly #sys: Syscalls;
  readonly #mediasoupFd: number;
  readonly #worker: Worker;
  readonly #link: CommandLink;
  readonly #ports: PortPool;
  readonly #slots: number[];
  readonly #legs = new Map<number, Leg>();
  #lastId = 0;
  #closed = false;

  /** @throws when the range holds no port pair, or the thread doesn't start. */
  static async start(options: EdgeOptions): Promise<Edge> {
    const ports = new PortPool(options.portMin, options.portMax);
    const sys = openSyscalls();
    const link = new CommandLink();
    const mediasoupFd = sys.openUdp(LOOPBACK, 0);
    const data: command.EdgeThreadData = {
      wasm: await readFile(WASM),
      legsMax: options.legsMax,
      mediasoupFd,
      commands: link.commands,
      answers: link.answers,
      waker: link.waker.memory,
      eventFd: link.waker.eventFd,
    };
    const worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData: data, name: 'edge' });
    await once(worker, 'message');
    return new Edge(options, { sys, link, mediasoupFd, worker, ports });
  }

  private constructor(
    options: EdgeOptions,
    parts: { sys: Syscalls; link: CommandLink; mediasoupFd: number; worker: Worker; ports: PortPool },
  ) {
    this.#options = options;
    this.#sys = parts.sys;
    this.#link = parts.link;
    this.#mediasoupFd = parts.mediasoupFd;
    this.#worker = parts.worker;
    this.#ports = parts.ports;
    this.#slots = Array.from({ length: options.legsMax }, (_, i) => options.legsMax - 1 - i);
    this.mediasoupSide = { address: LOOPBACK, port: this.#sys.localPort(this.#mediasoupFd) };
    this.#worker.on('error', (error) => this.#failed(error as Error));
    this.#worker.on('exit', (code) => this.#failed(new Error(`the edge thread ended with code ${code}`)));
  }

  async allocate(): Promise<EdgeLeg> {
    const slot = this.#slots.pop();
    if (slot === undefined) throw new Error(`all ${this.#options.legsMax} legs of the edge are in use`);
    let leg: Leg | null = null;
    try {
      leg = this.#open(slot);
      const answer = await this.#link.ask({
        op: command.OP_ALLOCATE,
        slot,
        fds: leg.fds,
        payload: allocationBlock(),
      });
      if (!answer.done) throw new Error(`the edge refused slot ${slot}`);
    } catch (error) {
      if (leg === null) this.#slots.push(slot);
      else this.#release(leg);
      throw error;
    }
    this.#legs.set(leg.id, leg);
    return this.#handle(leg);
  }

  async stats(ids?: number[]): Promise<EdgeLegStats[]> {
    const legs = ids === undefined ? [...this.#legs.values()] : ids.flatMap((id) => this.#legs.get(id) ?? []);
    const found: EdgeLegStats[] = [];
    for (let from = 0; from < legs.length; from += command.STATS_MAX) {
      const some = legs.slice(from, from + command.STATS_MAX);
      const slots = Uint32Array.from(some, (leg) => leg.slot);
      const payload = new Uint8Array(slots.buffer);
      const answer = await this.#link.ask({ op: command.OP_STATS, payload });
      const idOf = new Map(some.map((leg) => [leg.slot, leg.id]));
      // A leg that was freed meanwhile may have left its slot to another.
      found.push(...readStats(answer.payload, idOf).filter(({ id }) => this.#legs.has(id)));
    }
    return found;
  }

  async totals(): Promise<EdgeTotals> {
    const answer = await this.#link.ask({ op: command.OP_COUNTERS });
    return readTotals(answer.payload, this.#legs.size, this.#options.legsMax);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const ended = once(this.#worker, 'exit');
    this.#link.waker.stop();
    await ended;
    this.#link.end(new Error('the edge is closed'));
    this.#link.waker.close();
    for (const leg of this.#legs.values()) this.#release(leg);
    this.#legs.clear();
    this.#sys.close(this.#mediasoupFd);
  }

  /** Takes a port pair and opens its sockets. */
  #open(slot: number): Leg {
    const { portMin, portMax } = this.#options;
    let cause: unknown;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const rtpPort = this.#ports.take();
      if (rtpPort === null) throw new Error(`all UDP ports from ${portMin} to ${portMax} are in use`);
      try {
        return { id: ++this.#lastId, slot, rtpPort, fds: this.#openPair(rtpPort) };
      } catch (error) {
        cause = error;
        this.#ports.give(rtpPort);
      }
    }
    throw new Error(`no UDP port pair from ${portMin} to ${portMax} can be opened`, { cause });
  }

  #openPair(rtpPort: number): [number, number] {
    const { address } = this.#options;
    const rtp = this.#sys.openUdp(address, rtpPort, LEG_BUFFER_BYTES);
    try {
      return [rtp, this.#sys.openUdp(address, rtpPort + 1, LEG_BUFFER_BYTES)];
    } catch (error) {
      this.#sys.close(rtp);
      throw error;
    }
  }

  #release(leg: Leg): void {
    for (const fd of leg.fds) this.#sys.close(fd);
    this.#ports.give(leg.rtpPort);
    this.#slots.push(leg.slot);
  }

  #handle(leg: Leg): EdgeLeg {
    return {
      id: leg.id,
      rtpPort: leg.rtpPort,
      rtcpPort: leg.rtpPort + 1,
      configure: (config) => this.#configure(leg, config),
      free: () => this.#free(leg),
    };
  }

  async #configure(leg: Leg, config: EdgeLegConfig): Promise<void> {
    const payload = configurationBlock(config);
    let answer: Answer | null = null;
    if (this.#legs.has(leg.id)) {
      answer = await this.#link.ask({ op: command.OP_CONFIGURE, slot: leg.slot, payload });
    }
    if (answer?.done !== true) throw new Error(`leg ${leg.id} of the edge was freed`);
  }

  async #free(leg: Leg): Promise<void> {
    if (!this.#legs.delete(leg.id)) return;
    await this.#link.ask({ op: command.OP_FREE, slot: leg.slot });
    this.#release(leg);
  }

  #failed(error: Error): void {
    if (this.#closed) return;
    this.#link.end(error);
    this.#options.onEvent({ type: 'failed', message: error.message });
  }
}
