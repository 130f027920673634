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

  private constructor(
    pool: WorkerPool,
    edge: EdgePort,
    { announcedAddress, plainToPlain }: MediasoupOptions,
    surroundings: PlainSurroundings,
  ) {
    this.pool = pool;
    this.announcedAddress = announcedAddress;
    this.#edge = edge;
    this.#surroundings = surroundings;
    this.#plainToPlain = plainToPlain;
  }

  /** @throws when a worker doesn't start, or a port is taken. */
  static async start(options: MediasoupOptions, edge: EdgePort, log: Logger): Promise<MediasoupEngine> {
    const { portMin, portMax, webrtcPort, workers } = options;
    const ports = freeRange([
      { min: portMin, max: portMax },
      { min: webrtcPort, max: webrtcPort + workers - 1 },
    ]);
    const pool = await WorkerPool.start(options, log);
    const surroundings = { mediasoupSide: edge.mediasoupSide, reader: new EdgeReader(edge), ports };
    return new MediasoupEngine(pool, edge, options, surroundings);
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
