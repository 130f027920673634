/** The nodes' client of the media process: connects, greets, asks, and connects again when the connection is lost. */
import { createConnection, type Socket } from 'node:net';
import { LEASE_MS, renewEveryMs } from '../switch/mirror/lease-time.ts';
import type { RoleAction, RoleEvent } from '../switch/mirror/role.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import {
  type CloseCallRequest,
  type CloseLegRequest,
  type HelloReply,
  KEEP_CALLS_MAX,
  type KeepRequest,
  type LeaseFreeEvent,
  type LeaseReply,
  MEDIA_PROTOCOL_VERSION,
  type MediaEvent,
  type MediaReply,
  type MediaRequest,
  type OfferedRequest,
  type PlainReply,
  type SdpReply,
  type SdpRequest,
  type StatsReply,
  type StatsRequest,
} from './protocol.ts';

/** Where to connect, as whom, and how patiently. */
export interface MediaClientOptions {
  /** Unix socket of the media process. */
  socket: string;
  /** Name of this node. */
  node: string;
  /** Length of a lease, ms. Default 350; not longer than that of the media process. */
  leaseMs?: number;
  /** Longest wait for an answer. Default 2000. */
  requestTimeoutMs?: number;
  /** First and longest pause before connecting again. Defaults 20 and a fifth of `leaseMs`. */
  retryMinMs?: number;
  retryMaxMs?: number;
  /** Requests that may wait for answers; further ones fail at once. Default 4096. */
  outstandingMax?: number;
  /** Connected and greeted, or no longer; with the reason. */
  onState?: (connected: boolean, reason: string) => void;
}

/** What the client can tell the grantor for a {@link RoleMachine}. */
export type LeaseAction = Extract<RoleAction, { type: 'ask' | 'renew' | 'release' }>;

/** A request that got no answer: not connected, connection lost, too late, or too many. */
export class MediaUnavailable extends Error {
  override readonly name = 'MediaUnavailable';
}

interface Pending {
  resolve(reply: MediaReply): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** A request before the client adds what it knows itself. */
type Bare =
  | Omit<KeepRequest, 'id' | 'epoch'>
  | Omit<SdpRequest, 'id' | 'epoch'>
  | Omit<OfferedRequest, 'id' | 'epoch'>
  | Omit<CloseLegRequest, 'id' | 'epoch'>
  | Omit<CloseCallRequest, 'id' | 'epoch'>
  | Omit<StatsRequest, 'id' | 'epoch'>;

/** Nobody listens at the socket: the media process is dead. */
const ABSENT = ['ECONNREFUSED', 'ENOENT'];

/**
 * Never stops trying until it is closed. Commands fail while it is not connected, and while this node is not active: a standby
 * is connected to watch. The role is a {@link RoleMachine}'s to decide, to which `onLease` leads and from which `lease` comes.
 */
export class MediaClient {
  onEvent: (event: MediaEvent) => void = () => undefined;
  /** What the role has to know of the grantor. */
  onLease: (event: RoleEvent) => void = () => undefined;
  /** The media process was started again, and has the calls of the one before: `keepRestored` is to follow. */
  onRestored: () => void = () => undefined;
  readonly #options: Required<MediaClientOptions>;
  readonly #pending = new Map<number, Pending>();
  /** What the grantor was asked, by the number of the request. */
  readonly #leases = new Map<number, LeaseAction>();
  #socket: Socket | null = null;
  #reader = new FrameReader();
  #retry: NodeJS.Timeout | null = null;
  #retryMs: number;
  #nextId = 1;
  #hello: HelloReply | null = null;
  /** Of this node as the active one, 0 while it isn't. */
  #epoch = 0;
  /** On this connection the grantor knows this node as the holder. */
  #known = false;
  /** What came was no message; nothing more is read. */
  #deaf = false;
  #closed = false;

  /** Begins to connect at once. */
  constructor(options: MediaClientOptions) {
    this.#options = {
      leaseMs: LEASE_MS,
      requestTimeoutMs: 2_000,
      retryMinMs: 20,
      retryMaxMs: renewEveryMs(options.leaseMs ?? LEASE_MS),
      outstandingMax: 4_096,
      onState: () => undefined,
      ...options,
    };
    this.#retryMs = this.#options.retryMinMs;
    this.#connect();
  }

  /** Connected and greeted. */
  get connected(): boolean {
    return this.#hello !== null;
  }

  /** Process id of the media process, 0 while not connected. */
  get pid(): number {
    return this.#hello?.pid ?? 0;
  }

  /** Epoch with which this node commands, 0 while it can't. */
  get epoch(): number {
    return this.#known ? this.#epoch : 0;
  }

  /** Tells the grantor; the answer comes by `onLease`. Lost when not connected. */
  lease(action: LeaseAction): void {
    if (!this.connected) return;
    const { type: want } = action;
    const id = this.#nextId++;
    const epoch = action.type === 'ask' ? action.seen : action.epoch;
    this.#socket?.write(encodeFrame({ op: 'lease', id, want, epoch } satisfies MediaRequest));
    if (action.type === 'release') return;
    // Each is answered or its connection ends, and there are few: no timer.
    this.#leases.set(id, action);
  }

  /**
   * This node was granted an epoch, and commands from now on.
   * @param keep calls that it knows; the media process closes all others. Null: it has been active before, and knows all of them.
   */
  activate(epoch: number, keep: string[] | null): void {
    this.#epoch = epoch;
    this.#known = this.connected;
    if (keep !== null) this.#sendKeep(keep, false);
  }

  /** The calls that this node knows, after `onRestored`. */
  keepRestored(keep: string[]): void {
    this.#sendKeep(keep, true);
  }

  /** This node has stopped being active, and commands nothing any more. */
  deactivate(): void {
    this.#epoch = 0;
    this.#known = false;
    if (this.#deaf) this.#socket?.destroy();
  }

  /** @throws MediaUnavailable */
  async sdp(request: Omit<SdpRequest, 'op' | 'id' | 'epoch'>): Promise<SdpReply> {
    return (await this.#ask({ op: 'sdp', ...request })) as SdpReply;
  }

  /** What became of an offer. @throws MediaUnavailable */
  async offered(request: Omit<OfferedRequest, 'op' | 'id' | 'epoch'>): Promise<PlainReply> {
    return (await this.#ask({ op: 'offered', ...request })) as PlainReply;
  }

  /** @throws MediaUnavailable */
  async closeLeg(call: string, leg: number): Promise<PlainReply> {
    return (await this.#ask({ op: 'closeLeg', call, leg })) as PlainReply;
  }

  /** @throws MediaUnavailable */
  async closeCall(call: string): Promise<PlainReply> {
    return (await this.#ask({ op: 'closeCall', call })) as PlainReply;
  }

  /** Totals, and the legs of a call. @throws MediaUnavailable */
  async stats(call?: string): Promise<StatsReply> {
    return (await this.#ask({ op: 'stats', ...(call === undefined ? {} : { call }) })) as StatsReply;
  }

  /** Stops connecting; whoever waits for an answer gets an error. */
  close(): void {
    this.#closed = true;
    if (this.#retry) clearTimeout(this.#retry);
    this.#socket?.destroy();
    this.#lost('closed');
  }

  async #ask(request: Bare): Promise<MediaReply> {
    if (!this.#hello) throw new MediaUnavailable('the media process is not connected');
    if (this.epoch === 0) throw new MediaUnavailable('this node does not hold the lease');
    const reply = await this.#send({ ...request, id: this.#nextId++, epoch: this.#epoch });
    if (reply.status === 409) this.onLease({ type: 'outdated', epoch: (reply as PlainReply).epoch ?? 0 });
    return reply;
  }

  #sendKeep(keep: string[], restored: boolean): void {
    for (let i = 0; i === 0 || i < keep.length; i += KEEP_CALLS_MAX) {
      const last = i + KEEP_CALLS_MAX >= keep.length;
      // Once: with a later repetition, calls that began meanwhile would be closed. Without an answer the connection is lost.
      this.#ask({ op: 'keep', calls: keep.slice(i, i + KEEP_CALLS_MAX), last, restored }).catch(
        () => undefined,
      );
    }
  }

  #send(request: MediaRequest): Promise<MediaReply> {
    return new Promise((resolve, reject) => {
      if (this.#pending.size >= this.#options.outstandingMax) {
        reject(new MediaUnavailable('too many requests are waiting for the media process'));
        return;
      }
      const timer = setTimeout(() => {
        this.#pending.delete(request.id);
        reject(new MediaUnavailable(`no answer within ${this.#options.requestTimeoutMs} ms`));
      }, this.#options.requestTimeoutMs);
      this.#pending.set(request.id, { resolve, reject, timer });
      this.#socket?.write(encodeFrame(request));
    });
  }

  #connect(): void {
    this.#retry = null;
    this.#reader = new FrameReader();
    this.#deaf = false;
    const sinceMs = performance.now();
    const socket = createConnection(this.#options.socket);
    this.#socket = socket;
    let failure = 'the media process closed the connection';
    socket.on('connect', () => void this.#greet(socket));
    socket.on('data', (chunk: Buffer) => this.#read(socket, chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      failure = error.message;
      if (ABSENT.includes(error.code ?? '') && !this.#closed)
        this.onLease({ type: 'grantorAbsent', sinceMs });
    });
    socket.on('close', () => {
      if (this.#closed || this.#socket !== socket) return;
      this.#lost(failure);
      this.#retry = setTimeout(() => this.#connect(), this.#retryMs);
      this.#retryMs = Math.min(this.#options.retryMaxMs, this.#retryMs * 2);
    });
  }

  async #greet(socket: Socket): Promise<void> {
    const { node, leaseMs } = this.#options;
    const id = this.#nextId++;
    try {
      const reply = await this.#send({
        op: 'hello',
        id,
        v: MEDIA_PROTOCOL_VERSION,
        node,
        leaseMs,
      });
      if (reply.status !== 200)
        throw new Error((reply as PlainReply).reason ?? `refused with ${reply.status}`);
      this.#hello = reply as HelloReply;
    } catch (error) {
      socket.destroy(error as Error);
      return;
    }
    this.#retryMs = this.#options.retryMinMs;
    this.#options.onState(true, 'connected');
    this.onLease({ type: 'grantorUp' });
    if (this.#hello.free) this.onLease({ type: 'free' });
  }

  #read(socket: Socket, chunk: Buffer): void {
    if (this.#deaf) return;
    try {
      for (const message of this.#reader.push(chunk)) this.#take(message as MediaReply | MediaEvent);
    } catch (error) {
      if (this.#epoch === 0) {
        socket.destroy(error as Error);
        return;
      }
      // To close would give the lease away while this node serves.
      this.#deaf = true;
      socket.pause();
      this.#lost((error as Error).message);
      this.onLease({ type: 'garbled' });
    }
  }

  #take(message: MediaReply | MediaEvent | LeaseFreeEvent): void {
    if ('event' in message) {
      if (message.event === 'leaseFree') this.onLease({ type: 'free' });
      else this.onEvent(message);
      return;
    }
    const asked = this.#leases.get(message.id);
    if (asked) {
      this.#leases.delete(message.id);
      this.#leased(asked, message as LeaseReply);
      return;
    }
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    this.#pending.delete(message.id);
    clearTimeout(pending.timer);
    pending.resolve(message);
  }

  #leased(asked: LeaseAction, { status, epoch }: LeaseReply): void {
    if (asked.type === 'release') return;
    const { request } = asked;
    if (status !== 200) {
      this.onLease({ type: 'refused', request, epoch });
      return;
    }
    if (asked.type === 'renew' && epoch === this.#epoch && !this.#known) {
      this.#known = true;
      if ((this.#hello?.restored ?? 0) > 0) this.onRestored();
    }
    this.onLease({ type: 'granted', request, epoch });
  }

  #lost(reason: string): void {
    const wasConnected = this.#hello !== null;
    this.#hello = null;
    this.#known = false;
    this.#leases.clear();
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(new MediaUnavailable(`connection lost: ${reason}`));
    }
    this.#pending.clear();
    if (!wasConnected) return;
    this.#options.onState(false, reason);
    if (!this.#closed) this.onLease({ type: 'grantorDown' });
  }
}
