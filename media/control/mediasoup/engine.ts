/** The engine of calls: mediasoup for forwarding, the edge for the ports of phones. */
import type { Logger } from 'pino';
import type { EdgePort } from '../../edge/types.ts';
import type { RouterPts } from '../agreement.ts';
import type { MediaPath } from '../../protocol.ts';
import type { CallMedia, Engine } from '../engine.ts';
import { type PoolOptions, WorkerPool } from './pool.ts';
import { EdgeReader } from './edge-reader.ts';
import type { PlainSurroundings } from './plain.ts';
import { freeRange } from './ports.ts';
import { RoutedCall } from './routed-call.ts';

/** Options of the pool, what it must keep away from, and what need not go through it. */
export interface MediasoupOptions extends PoolOptions {
  /** Ports of the edge, which mediasoup keeps away from. */
  portMin: number;
  portMax: number;
  /** Who carries media between two phones. */
  plainToPlain: MediaPath;
}

/** Puts each call that needs one on the worker with the fewest. */
export class MediasoupEngine implements Engine {
  readonly announcedAddress: string;
  readonly pool: WorkerPool;
  readonly #edge: EdgePort;
  readonly #surroundings: PlainSurroundings;
  readonly #plainToPlain: MediaPath;

  /**
   * Begins to start the workers (`pool.ready`); calls between phones need not wait for them.
   * @param isAgain the process was started again after its death
   * @param turn    when its ports are this process's to open
   */
  constructor(
    options: MediasoupOptions,
    edge: EdgePort,
    log: Logger,
    isAgain = false,
    turn = Promise.resolve(),
  ) {
    const { portMin, portMax, webrtcPort, workers } = options;
    const ports = freeRange([
      { min: portMin, max: portMax },
      { min: webrtcPort, max: webrtcPort + workers - 1 },
    ]);
    this.pool = new WorkerPool(options, log, isAgain, turn);
    this.announcedAddress = options.announcedAddress;
    this.#edge = edge;
    this.#surroundings = { mediasoupSide: edge.mediasoupSide, reader: new EdgeReader(edge), ports };
    this.#plainToPlain = options.plainToPlain;
  }

  openCall(pts: RouterPts): CallMedia {
    return new RoutedCall(this.pool, this.#edge, this.#surroundings, {
      pts,
      plainToPlain: this.#plainToPlain,
    });
  }

  close(): void {
    this.pool.close();
  }
}
