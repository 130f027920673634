/**
 * mediasoup workers. A worker that dies is replaced in its place, with the same ports for browsers; the calls on it
 * are told, and build their media anew.
 */
import * as mediasoup from 'mediasoup';
import type { Logger } from 'pino';
import type { SdpVariant } from '../../protocol.ts';

type Worker = mediasoup.types.Worker;
type WebRtcServer = mediasoup.types.WebRtcServer;

/** How many workers, and where browsers reach them. */
export interface PoolOptions {
  workers: number;
  /** IP address that browsers' ports are opened on. */
  address: string;
  /** Address written into candidates. */
  announcedAddress: string;
  /** UDP and TCP port of the first worker; the others take the next ones. */
  webrtcPort: number;
}

/** Those whose media was on a worker that died. */
export interface WorkerUser {
  /** The seat has a new worker: media is to be built anew. @returns the legs by variant. */
  moved(): Promise<Record<SdpVariant, number>>;
}

/** What became of a worker that died. */
export interface Replacement {
  diedPid: number;
  pid: number;
  /** Plain legs that go on, and browsers' legs that can't. */
  legsMoved: number;
  webrtcLegsLost: number;
  /** From the death being noticed until the last of them had its path again, ms. */
  gapMs: number;
}

/** The place of one worker; the worker in it changes. */
export class Seat {
  readonly index: number;
  readonly users = new Set<WorkerUser>();
  restarts = 0;
  /** Grows with each worker in this place. */
  generation = 0;
  /** The worker that serves now; rejects when none can be started. */
  current!: Promise<{ worker: Worker; webRtcServer: WebRtcServer }>;
  pid = 0;

  constructor(index: number) {
    this.index = index;
  }
}

/** Pauses before another attempt to start a worker, ms. */
const RETRY_MS = [0, 50, 200, 1_000, 3_000];

/** As many workers as were asked for, always. */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #log: Logger;
  readonly #turn: Promise<void>;
  readonly #seats: Seat[] = [];
  #closed = false;
  onReplaced: (replacement: Replacement) => void = () => undefined;
  /** A worker could not be started again. */
  onFailed: (error: Error) => void = () => undefined;

  /** Resolves when all workers run; rejects when one can't be started. */
  readonly ready: Promise<void>;

  /**
   * Begins to start all workers; who needs one may wait for it.
   * @param isAgain a process that died may still hold the ports for a moment
   * @param turn    when the ports are this process's to open
   */
  constructor(options: PoolOptions, log: Logger, isAgain = false, turn: Promise<void> = Promise.resolve()) {
    this.#turn = turn;
    this.#options = options;
    this.#log = log;
    for (let i = 0; i < options.workers; i++) {
      const seat = new Seat(i);
      seat.current = isAgain ? this.#createPatiently(seat) : this.#create(seat);
      seat.current.catch(() => undefined);
      this.#seats.push(seat);
    }
    this.ready = Promise.all(this.#seats.map((seat) => seat.current)).then(
      () => undefined,
      (error: Error) => {
        this.close();
        throw error;
      },
    );
    this.ready.catch(() => undefined);
  }

  get seats(): readonly Seat[] {
    return this.#seats;
  }

  /** The seat with the fewest calls. */
  least(): Seat {
    return this.#seats.reduce((best, seat) => (seat.users.size < best.users.size ? seat : best));
  }

  close(): void {
    this.#closed = true;
    for (const seat of this.#seats) {
      seat.current.then(({ worker }) => worker.close()).catch(() => undefined);
    }
  }

  async #create(seat: Seat): Promise<{ worker: Worker; webRtcServer: WebRtcServer }> {
    const worker = await mediasoup.createWorker({ logLevel: 'warn' });
    const { address, announcedAddress, webrtcPort } = this.#options;
    const port = webrtcPort + seat.index;
    const listen = { ip: address, announcedAddress, port };
    worker.once('died', (error) => void this.#died(seat, worker.pid, error));
    try {
      await this.#turn;
      const webRtcServer = await worker.createWebRtcServer({
        listenInfos: [
          { ...listen, protocol: 'udp' },
          { ...listen, protocol: 'tcp' },
        ],
      });
      seat.pid = worker.pid;
      seat.generation++;
      return { worker, webRtcServer };
    } catch (error) {
      worker.removeAllListeners('died');
      worker.close();
      throw new Error(`port ${port} of browsers' media on ${address}: ${(error as Error).message}`);
    }
  }

  async #died(seat: Seat, diedPid: number, error: Error): Promise<void> {
    if (this.#closed || seat.pid !== diedPid) return;
    const diedMs = performance.now();
    this.#log.error({ err: error, pid: diedPid, calls: seat.users.size }, 'mediasoup worker died');
    seat.restarts++;
    // From now on whoever needs a worker waits for the new one.
    seat.current = this.#createPatiently(seat);
    try {
      await seat.current;
    } catch (failure) {
      this.onFailed(failure as Error);
      return;
    }
    const moved = await Promise.all([...seat.users].map((user) => this.#move(user)));
    const gapMs = Math.round(performance.now() - diedMs);
    const legsMoved = moved.reduce((sum, legs) => sum + legs.plain, 0);
    const webrtcLegsLost = moved.reduce((sum, legs) => sum + legs.webrtc, 0);
    this.onReplaced({ diedPid, pid: seat.pid, legsMoved, webrtcLegsLost, gapMs });
  }

  /** One call that can't be moved is no reason to leave the others. */
  async #move(user: WorkerUser): Promise<Record<SdpVariant, number>> {
    try {
      return await user.moved();
    } catch (error) {
      this.#log.error({ err: error }, 'a call could not be moved to the new worker');
      return { plain: 0, webrtc: 0 };
    }
  }

  async #createPatiently(seat: Seat): Promise<{ worker: Worker; webRtcServer: WebRtcServer }> {
    let last: unknown;
    for (const waitMs of RETRY_MS) {
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (this.#closed) break;
      try {
        return await this.#create(seat);
      } catch (error) {
        last = error;
        this.#log.error({ err: error }, 'mediasoup worker does not start');
      }
    }
    throw last ?? new Error('closed');
  }
}
