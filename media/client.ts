/** The nodes' client of the media process: connects, greets, asks, and connects again when the connection is lost. */
import { createConnection, type Socket } from 'node:net';
import { encodeFrame, FrameReader } from './frames.ts';
import {
  type CloseCallRequest,
  type CloseLegRequest,
  type HelloReply,
  MEDIA_PROTOCOL_VERSION,
  type MediaEvent,
  type MediaReply,
  type MediaRequest,
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
  /** Epoch to begin with; 0 (default) asks for a new one. */
  epoch?: number;
  /** This node knows of no calls, so those that the media process may still have are closed. Default true. */
  fresh?: boolean;
  /** Longest wait for an answer. Default 2000. */
  requestTimeoutMs?: number;
  /** First and longest pause before connecting again. Defaults 20 and 1000. */
  retryMinMs?: number;
  retryMaxMs?: number;
  /** Requests that may wait for answers; further ones fail at once. Default 4096. */
  outstandingMax?: number;
  /** Connected and greeted, or no longer; with the reason. */
  onState?: (connected: boolean, reason: string) => void;
}

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
  | Omit<SdpRequest, 'id' | 'epoch'>
  | Omit<CloseLegRequest, 'id' | 'epoch'>
  | Omit<CloseCallRequest, 'id' | 'epoch'>
  | Omit<StatsRequest, 'id' | 'epoch'>;

/** Requests fail while it is not connected; it never stops trying until it is closed. */
export class MediaClient {
  onEvent: (event: MediaEvent) => void = () => undefined;
  readonly #options: Required<MediaClientOptions>;
  readonly #pending = new Map<number, Pending>();
  #socket: Socket | null = null;
  #reader = new FrameReader();
  #retry: NodeJS.Timeout | null = null;
  #retryMs: number;
  #nextId = 1;
  /** Granted last; kept over a lost connection. */
  #epoch: number;
  #fresh: boolean;
  #hello: HelloReply | null = null;
  #closed = false;

  /** Begins to connect at once. */
  constructor(options: MediaClientOptions) {
    this.#options = {
      epoch: 0,
      fresh: true,
      requestTimeoutMs: 2_000,
      retryMinMs: 20,
      retryMaxMs: 1_000,
      outstandingMax: 4_096,
      onState: () => undefined,
      ...options,
    };
    this.#epoch = this.#options.epoch;
    this.#fresh = this.#options.fresh;
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

  /** Lease epoch that the media process granted, 0 while not connected. */
  get epoch(): number {
    return this.#hello?.epoch ?? 0;
  }

  /** @throws MediaUnavailable */
  async sdp(request: Omit<SdpRequest, 'op' | 'id' | 'epoch'>): Promise<SdpReply> {
    return (await this.#ask({ op: 'sdp', ...request })) as SdpReply;
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
    const reply = await this.#send({ ...request, id: this.#nextId++, epoch: this.#hello.epoch });
    // Another node has taken over: this one must not go on as if it were active.
    if (reply.status === 409) this.#socket?.destroy(new Error('another node has a newer epoch'));
    return reply;
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
    const socket = createConnection(this.#options.socket);
    this.#socket = socket;
    let failure = 'the media process closed the connection';
    socket.on('connect', () => void this.#greet(socket));
    socket.on('data', (chunk: Buffer) => this.#read(socket, chunk));
    socket.on('error', (error) => (failure = error.message));
    socket.on('close', () => {
      if (this.#closed || this.#socket !== socket) return;
      this.#lost(failure);
      this.#retry = setTimeout(() => this.#connect(), this.#retryMs);
      this.#retryMs = Math.min(this.#options.retryMaxMs, this.#retryMs * 2);
    });
  }

  async #greet(socket: Socket): Promise<void> {
    const { node } = this.#options;
    const id = this.#nextId++;
    try {
      const reply = await this.#send({
        op: 'hello',
        id,
        v: MEDIA_PROTOCOL_VERSION,
        node,
        epoch: this.#epoch,
        fresh: this.#fresh,
      });
      if (reply.status !== 200)
        throw new Error((reply as PlainReply).reason ?? `refused with ${reply.status}`);
      this.#hello = reply as HelloReply;
    } catch (error) {
      socket.destroy(error as Error);
      return;
    }
    this.#epoch = this.#hello.epoch;
    this.#fresh = false;
    this.#retryMs = this.#options.retryMinMs;
    this.#options.onState(true, 'connected');
  }

  #read(socket: Socket, chunk: Buffer): void {
    try {
      for (const message of this.#reader.push(chunk)) this.#take(message as MediaReply | MediaEvent);
    } catch (error) {
      socket.destroy(error as Error);
    }
  }

  #take(message: MediaReply | MediaEvent): void {
    if ('event' in message) {
      this.onEvent(message);
      return;
    }
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    this.#pending.delete(message.id);
    clearTimeout(pending.timer);
    pending.resolve(message);
  }

  #lost(reason: string): void {
    const wasConnected = this.#hello !== null;
    this.#hello = null;
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(new MediaUnavailable(`connection lost: ${reason}`));
    }
    this.#pending.clear();
    if (wasConnected) this.#options.onState(false, reason);
  }
}
