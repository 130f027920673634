/**
 * The RTP edge as media control uses it: opens and closes the sockets of legs, and tells the edge thread about them.
 */
import { readFile } from 'node:fs/promises';
import { openSyscalls, type Syscalls } from '../../switch/realtime/udp.ts';
import { allocationBlock, configurationBlock } from './blocks.ts';
import type { Answer, Command } from './command-link.ts';
import * as command from './commands.ts';
import { PortPool } from './ports.ts';
import { readStats, readTotals } from './readings.ts';
import { EdgeRunner } from './runner.ts';
import type {
  EdgeAddress,
  EdgeDatagram,
  EdgeEvent,
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
/** The thread is begun anew so often within a minute; more means that something else is wrong. */
const RESTARTS_MAX = 5;
const RESTARTS_MS = 60_000;

interface Leg {
  id: number;
  slot: number;
  rtpPort: number;
  fds: readonly [rtp: number, rtcp: number];
  /** Configuration block, null before the first. */
  configuration: Uint8Array | null;
}

export class Edge implements EdgePort {
  readonly mediasoupSide: EdgeAddress;
  readonly #options: EdgeOptions;
  readonly #sys: Syscalls;
  readonly #mediasoupFd: number;
  readonly #wasm: Uint8Array;
  readonly #ports: PortPool;
  readonly #slots: number[];
  readonly #legs = new Map<number, Leg>();
  /** The thread, once it runs; rejected when it can't be kept running. */
  #runner: Promise<EdgeRunner>;
  #restarts: number[] = [];
  #lastId = 0;
  #closed = false;

  /** @throws when the range holds no port pair, or the thread doesn't start. */
  static async start(options: EdgeOptions): Promise<Edge> {
    const edge = new Edge(options, options.wasm ?? (await readFile(WASM)));
    await edge.#runner.catch((error: Error) => {
      edge.#sys.close(edge.#mediasoupFd);
      throw error;
    });
    return edge;
  }

  private constructor(options: EdgeOptions, wasm: Uint8Array) {
    this.#options = options;
    this.#wasm = wasm;
    this.#ports = new PortPool(options.portMin, options.portMax);
    this.#slots = Array.from({ length: options.legsMax }, (_, i) => options.legsMax - 1 - i);
    this.#sys = openSyscalls();
    this.#mediasoupFd = this.#sys.openUdp(LOOPBACK, 0);
    this.mediasoupSide = { address: LOOPBACK, port: this.#sys.localPort(this.#mediasoupFd) };
    this.#runner = this.#begin();
  }

  async allocate(rtpPort?: number): Promise<EdgeLeg> {
    const slot = this.#slots.pop();
    if (slot === undefined) throw new Error(`all ${this.#options.legsMax} legs of the edge are in use`);
    let leg: Leg | null = null;
    try {
      leg = rtpPort === undefined ? this.#open(slot) : this.#openThis(slot, rtpPort);
      const answer = await this.#ask(allocation(leg));
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
      const answer = await this.#ask({ op: command.OP_STATS, payload });
      const idOf = new Map(some.map((leg) => [leg.slot, leg.id]));
      // A leg that was freed meanwhile may have left its slot to another.
      found.push(...readStats(answer.payload, idOf).filter(({ id }) => this.#legs.has(id)));
    }
    return found;
  }

  async totals(): Promise<EdgeTotals> {
    const answer = await this.#ask({ op: command.OP_COUNTERS });
    return readTotals(answer.payload, this.#legs.size, this.#options.legsMax);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const runner = await this.#runner.catch(() => null);
    await runner?.close();
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
        return { id: ++this.#lastId, slot, rtpPort, fds: this.#openPair(rtpPort), configuration: null };
      } catch (error) {
        cause = error;
        this.#ports.give(rtpPort);
      }
    }
    throw new Error(`no UDP port pair from ${portMin} to ${portMax} can be opened`, { cause });
  }

  #openThis(slot: number, rtpPort: number): Leg {
    if (!this.#ports.takeThis(rtpPort)) throw new Error(`UDP port ${rtpPort} is not free`);
    try {
      return { id: ++this.#lastId, slot, rtpPort, fds: this.#openPair(rtpPort), configuration: null };
    } catch (error) {
      this.#ports.give(rtpPort);
      throw error;
    }
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
    const freed = () => new Error(`leg ${leg.id} of the edge was freed`);
    const peer = config.peer === null ? undefined : this.#legs.get(config.peer);
    leg.configuration = configurationBlock(config, peer?.slot ?? null);
    if (!this.#legs.has(leg.id)) throw freed();
    const answer = await this.#ask(configuration(leg, leg.configuration));
    if (!answer.done) throw freed();
  }

  async #free(leg: Leg): Promise<void> {
    if (!this.#legs.delete(leg.id)) return;
    await this.#ask({ op: command.OP_FREE, slot: leg.slot });
    this.#release(leg);
  }

  /** Asks the thread, and its successor when it ends meanwhile: what is asked may be asked twice. */
  async #ask(question: Command): Promise<Answer> {
    if (this.#closed) throw new Error('the edge is closed');
    const runner = await this.#runner;
    try {
      return await runner.ask(question);
    } catch (error) {
      if (this.#closed) throw error;
      return (await this.#runner).ask(question);
    }
  }

  async #begin(): Promise<EdgeRunner> {
    const runner = await EdgeRunner.start({
      wasm: this.#wasm,
      legsMax: this.#options.legsMax,
      mediasoupFd: this.#mediasoupFd,
      batchBudgetUs: this.#options.batchBudgetUs ?? 0,
      onEnd: (error, batch) => this.#ended(error, batch),
    });
    for (const leg of this.#legs.values()) {
      await runner.ask(allocation(leg));
      if (leg.configuration !== null) await runner.ask(configuration(leg, leg.configuration));
    }
    return runner;
  }

  /** Only the thread is lost: the sockets belong to the process, and what was configured is known here. */
  #ended(error: Error, batch: EdgeDatagram[]): void {
    const now = performance.now();
    this.#restarts = [...this.#restarts.filter((at) => now - at < RESTARTS_MS), now];
    const runner = this.#restarts.length > RESTARTS_MAX ? Promise.reject(error) : this.#begin();
    this.#runner = runner;
    // One that ended before it was ready has its own successor, which says how it went.
    const tell = (event: EdgeEvent) => {
      if (this.#runner === runner && !this.#closed) this.#options.onEvent(event);
    };
    runner.then(
      () => tell({ type: 'restarted', message: error.message, batch }),
      (reason: Error) => tell({ type: 'failed', message: reason.message }),
    );
  }
}

function allocation({ slot, fds }: Leg): Command {
  return { op: command.OP_ALLOCATE, slot, fds, payload: allocationBlock() };
}

function configuration({ slot }: Leg, payload: Uint8Array): Command {
  return { op: command.OP_CONFIGURE, slot, payload };
}
