/** Answers the requests of media/protocol.ts, whatever connection they come on. */
import type { Logger } from 'pino';
import type { EdgePort } from '../edge/types.ts';
import {
  type HelloReply,
  type HelloRequest,
  MEDIA_PROTOCOL_VERSION,
  type MediaReply,
  type MediaRequest,
  type MediaTotals,
  type SdpReply,
  type SdpRequest,
  type StatsReply,
} from '../protocol.ts';
import type { CallTable } from './call-table.ts';
import { Lease } from './lease.ts';
import { problemOf } from './request.ts';

/** A mediasoup worker, for the totals. */
export interface WorkerView {
  pid: number;
  restarts: number;
  users: { size: number };
}

/** What the service speaks for. */
export interface ServiceParts {
  calls: CallTable;
  edge: Pick<EdgePort, 'totals'>;
  workers: () => readonly WorkerView[];
  /** Port pairs of plain legs in all. */
  portsMax: number;
}

/** SIP-like statuses beyond those of bodies. */
const STALE_EPOCH = 409;

/** Grants the lease, and lets only its holder command. */
export class MediaService {
  readonly #parts: ServiceParts;
  readonly #log: Logger;
  readonly #lease = new Lease();

  constructor(parts: ServiceParts, log: Logger) {
    this.#parts = parts;
    this.#log = log;
  }

  /** The answer to a request as it came; never rejects. */
  async handle(request: Partial<MediaRequest>): Promise<MediaReply> {
    const id = typeof request.id === 'number' ? request.id : 0;
    const problem = problemOf(request);
    if (problem !== null) return { id, status: 400, reason: problem };
    try {
      return await this.#dispatch(request as MediaRequest);
    } catch (error) {
      this.#log.error({ err: error, op: request.op }, 'request failed');
      return { id, status: 500, reason: (error as Error).message };
    }
  }

  /** Whether a connection that was granted this epoch is still the active node's. */
  admits(epoch: number): boolean {
    return this.#lease.admits(epoch);
  }

  async #dispatch(request: MediaRequest): Promise<MediaReply> {
    const { id } = request;
    if (request.op === 'hello') return await this.#hello(request);
    if (!this.#lease.admits(request.epoch)) {
      return { id, status: STALE_EPOCH, reason: `the newest epoch is ${this.#lease.epoch}` };
    }
    const { calls } = this.#parts;
    if (request.op === 'sdp') return await this.#sdp(request);
    if (request.op === 'stats') return await this.#stats(id, request.call);
    if (request.op === 'closeLeg') await calls.closeLeg(request.call, request.leg);
    else await calls.close(request.call);
    return { id, status: 200 };
  }

  async #hello({ id, v, node, epoch, fresh }: HelloRequest): Promise<MediaReply> {
    if (v !== MEDIA_PROTOCOL_VERSION) {
      return { id, status: 400, reason: `version ${v} is not spoken here, only ${MEDIA_PROTOCOL_VERSION}` };
    }
    const granted = this.#lease.grant(node, epoch);
    if (granted === null)
      return { id, status: STALE_EPOCH, reason: `the newest epoch is ${this.#lease.epoch}` };
    this.#log.info({ node, epoch: granted, fresh, calls: this.#parts.calls.size }, 'node is active');
    if (fresh) await this.#parts.calls.closeAll();
    const workers = this.#parts.workers().map(({ pid }) => ({ pid }));
    const reply: HelloReply = { id, status: 200, v, epoch: granted, pid: process.pid, workers };
    return reply;
  }

  async #sdp(request: SdpRequest): Promise<SdpReply> {
    const { id, call } = request;
    const outcome = await this.#parts.calls.sdp(call, request);
    if (outcome.status === 200) return { id, status: 200, bodies: outcome.bodies };
    const { status, reason, error } = outcome;
    const { leg, method, cseq } = request;
    if (error) this.#log.error({ err: error, call, leg, method, cseq }, 'media set-up failed');
    return { id, status, reason };
  }

  async #stats(id: number, call: string | undefined): Promise<StatsReply> {
    const [totals, legs] = await Promise.all([
      this.#totals(),
      call === undefined ? undefined : this.#parts.calls.stats(call),
    ]);
    return { id, status: 200, totals, ...(legs ? { legs } : {}) };
  }

  async #totals(): Promise<MediaTotals> {
    const { calls, edge, workers, portsMax } = this.#parts;
    const { legs: portsUsed, packetsIn, packetsOut, dropped } = await edge.totals();
    const variants = [...calls.endpoints()].map((endpoint) => endpoint.variant);
    const plainLegs = variants.filter((variant) => variant === 'plain').length;
    return {
      calls: calls.size,
      legs: variants.length,
      plainLegs,
      webrtcLegs: variants.length - plainLegs,
      portsUsed,
      portsMax,
      packetsIn,
      packetsOut,
      dropped,
      workers: workers().map(({ pid, restarts, users }) => ({ pid, restarts, routers: users.size })),
    };
  }
}
