/** Answers the requests of media/protocol.ts, whatever connection they come on. */
import type { Logger } from 'pino';
import type { EdgePort } from '../edge/types.ts';
import {
  type HelloReply,
  type HelloRequest,
  type KeepRequest,
  type LeaseReply,
  type LeaseRequest,
  MEDIA_PROTOCOL_VERSION,
  type MediaCommand,
  type MediaReply,
  type MediaRequest,
  type MediaTotals,
  type OfferedRequest,
  type SdpReply,
  type SdpRequest,
  type StatsReply,
} from '../protocol.ts';
import type { CallTable } from './call-table.ts';
import type { Lease, Session } from './lease.ts';
import type { Offers } from './offers.ts';
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
  lease: Lease;
  offers: Pick<Offers, 'again'>;
}

/** SIP-like statuses beyond those of bodies. */
const STALE_EPOCH = 409;

/** Lets only the holder of the lease command. */
export class MediaService {
  readonly #parts: ServiceParts;
  readonly #log: Logger;
  readonly #lease: Lease;
  /** Connection of the node that holds the lease, or did last. */
  #holder: Session | null = null;
  /** Calls that the node which has become active has named so far. */
  #kept = { epoch: 0, names: new Set<string>() };

  constructor(parts: ServiceParts, log: Logger) {
    this.#parts = parts;
    this.#log = log;
    this.#lease = parts.lease;
  }

  get lease(): Lease {
    return this.#lease;
  }

  /** The answer to a request as it came; never rejects. */
  async handle(session: Session, request: Partial<MediaRequest>): Promise<MediaReply> {
    const id = typeof request.id === 'number' ? request.id : 0;
    const problem = problemOf(request);
    if (problem !== null) return { id, status: 400, reason: problem };
    try {
      return await this.#dispatch(session, request as MediaRequest);
    } catch (error) {
      this.#log.error({ err: error, op: request.op }, 'request failed');
      return { id, status: 500, reason: (error as Error).message };
    }
  }

  async #dispatch(session: Session, request: MediaRequest): Promise<MediaReply> {
    const { id } = request;
    if (request.op === 'hello') return this.#hello(session, request);
    if (request.op === 'lease') {
      if (session.node === '') return { id, status: 400, reason: 'no hello came before' };
      return this.#lend(session, request);
    }
    const { epoch } = this.#lease;
    if (!this.#lease.admits(request.epoch))
      return { id, status: STALE_EPOCH, reason: `the newest epoch is ${epoch}`, epoch };
    return await this.#command(request);
  }

  #lend(session: Session, request: LeaseRequest): LeaseReply {
    const before = this.#lease.epoch;
    const reply = this.#lease.answer(session, request);
    const { want } = request;
    if (reply.status === 200 && want !== 'release' && session !== this.#holder) {
      this.#holder = session;
      this.#parts.offers.again();
    }
    // A renewal with another epoch is a claim of a node that was active before this process was started.
    if (reply.status === 200 && (want !== 'renew' || reply.epoch !== before))
      this.#log.info({ node: session.node, want, epoch: reply.epoch }, 'lease');
    return reply;
  }

  async #command(request: MediaCommand): Promise<MediaReply> {
    const { id } = request;
    const { calls } = this.#parts;
    if (request.op === 'sdp') return await this.#sdp(request);
    if (request.op === 'stats') return await this.#stats(id, request.call);
    if (request.op === 'keep') await this.#keep(request);
    else if (request.op === 'offered') await this.#offered(request);
    else if (request.op === 'closeLeg') await calls.closeLeg(request.call, request.leg);
    else await calls.close(request.call);
    return { id, status: 200 };
  }

  #hello(session: Session, { id, v, node, leaseMs }: HelloRequest): MediaReply {
    if (v !== MEDIA_PROTOCOL_VERSION)
      return { id, status: 400, reason: `version ${v} is not spoken here, only ${MEDIA_PROTOCOL_VERSION}` };
    if (leaseMs > this.#lease.leaseMs)
      return { id, status: 400, reason: `a lease is ${this.#lease.leaseMs} ms here, not ${leaseMs}` };
    session.node = node;
    const workers = this.#parts.workers().map(({ pid }) => ({ pid }));
    const { restored } = this.#parts.calls;
    const { epoch, isFree: free } = this.#lease;
    const reply: HelloReply = { id, status: 200, v, epoch, free, pid: process.pid, workers, restored };
    return reply;
  }

  /** Takes effect at once with the last part; then waits until the others are closed. */
  async #keep({ epoch, calls: names, last, restored }: KeepRequest): Promise<void> {
    const { calls } = this.#parts;
    if (this.#kept.epoch !== epoch) this.#kept = { epoch, names: new Set() };
    for (const name of names) if (calls.knows(name)) this.#kept.names.add(name);
    if (!last) return;
    const kept = this.#kept.names;
    this.#kept = { epoch: 0, names: new Set() };
    const before = calls.size;
    const closed = calls.keep(kept, restored);
    this.#log.info({ kept: calls.size, closed: before - calls.size }, 'calls of the active node');
    await closed;
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

  async #offered({ call, leg, offer, status, sdp }: OfferedRequest): Promise<void> {
    this.#log.info({ call, leg, status }, 'a leg was offered another transport');
    await this.#parts.calls.offered(call, leg, offer, status, sdp);
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
