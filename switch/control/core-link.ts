/**
 * The control thread's end of the rings: events go to the core in order, effects are handed to whoever deals
 * with their kind, questions get their answers. When the ring is full, events wait here in a bounded queue.
 */
import * as abi from '../../wasm-core/assembly/abi.ts';
import { encodeText, Frame, FrameEncoder, type FrameFields } from '../../wasm-core/host/frames.ts';
import { nowUs } from './clock.ts';
import type { RealtimePort } from './realtime-port.ts';

/** Answer to a question about calls or bindings. */
export interface QueryPage {
  /** Where the next page begins; null = this was the last. */
  next: number | null;
  /** Records in this page. */
  count: number;
  /** Records in all, as far as the core knows. */
  total: number;
  /** The records, each led by its u32 length. */
  payload: Uint8Array;
}

/** Thrown when the core doesn't answer in time or the link is closed. */
export class CoreUnavailableError extends Error {
  override name = 'CoreUnavailableError';
}

interface Waiting {
  resolve(frame: Frame): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** Frames that may wait for room in the ring. Beyond, messages are refused; control events are always kept. */
const BACKLOG_MAX = 8192;
const RETRY_MS = 1;
const ANSWER_TIMEOUT_MS = 2000;
/** Questions that may be open at once. */
const WAITING_MAX = 256;

type Handler = (frame: Frame) => void;

/** One link to one core. */
export class CoreLink {
  readonly #port: RealtimePort;
  readonly #encoder = new FrameEncoder();
  readonly #handlers = new Map<number, Handler>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #relief: (() => void)[] = [];
  #backlog: Uint8Array[] = [];
  #retry: NodeJS.Timeout | null = null;
  #lastRequest = 0;
  #closed = false;
  /** Messages refused because the backlog was full. */
  refused = 0;

  constructor(port: RealtimePort) {
    this.#port = port;
    port.onFrame = (bytes) => this.#dispatch(bytes);
    this.on(abi.EF_QUERY_REPLY, (frame) => this.#answer(frame));
    this.on(abi.EF_HANGUP_REPLY, (frame) => this.#answer(frame));
  }

  /** Sets who deals with effects of a kind (EF_*). */
  on(kind: number, handler: Handler): void {
    this.#handlers.set(kind, handler);
  }

  /** True while events wait for room in the ring: readers should pause. */
  get congested(): boolean {
    return this.#backlog.length > 0;
  }

  /** Frames waiting for room. */
  get backlog(): number {
    return this.#backlog.length;
  }

  /** Calls `callback` once, when the backlog is empty again. */
  onceRelieved(callback: () => void): void {
    this.#relief.push(callback);
  }

  /** A SIP message for the core. @returns false when it had to be refused; the caller then closes its flow. */
  message(fields: Omit<FrameFields, 'kind'>, payload: Uint8Array): boolean {
    if (this.#backlog.length >= BACKLOG_MAX) {
      this.refused++;
      return false;
    }
    this.#post({ ...fields, kind: abi.EV_MESSAGE, timeUs: nowUs() }, payload);
    return true;
  }

  /** A control event; never refused. There are at most as many as there are flows and pending requests. */
  post(fields: FrameFields, payload?: Uint8Array): void {
    this.#post({ ...fields, timeUs: nowUs() }, payload);
  }

  #post(fields: FrameFields, payload?: Uint8Array): void {
    if (this.#closed) return;
    const frame = this.#encoder.encode(fields, payload);
    if (this.#backlog.length === 0 && this.#port.send(frame)) return;
    this.#backlog.push(frame.slice());
    this.#retry ??= setTimeout(() => this.#flush(), RETRY_MS);
  }

  #flush(): void {
    this.#retry = null;
    let sent = 0;
    while (sent < this.#backlog.length && this.#port.send(this.#backlog[sent]!)) sent++;
    this.#backlog = this.#backlog.slice(sent);
    if (this.#backlog.length > 0) {
      if (!this.#closed) this.#retry = setTimeout(() => this.#flush(), RETRY_MS);
      return;
    }
    for (const callback of this.#relief.splice(0)) callback();
  }

  #dispatch(bytes: Uint8Array): void {
    const frame = new Frame(bytes);
    this.#handlers.get(frame.kind)?.(frame);
  }

  /** Asks the core for a page of records (QUERY_*). @throws CoreUnavailableError */
  async query(
    what: number,
    cursor: number,
    limit: number,
    detail: { generation?: number; user?: string } = {},
  ): Promise<QueryPage> {
    const args = [what, cursor, detail.generation ?? limit];
    const reply = await this.#ask(
      abi.EV_QUERY,
      args,
      detail.user === undefined ? undefined : encodeText(detail.user),
    );
    const next = reply.arg(2);
    return {
      next: next === abi.CURSOR_END ? null : next,
      count: reply.arg(3),
      total: reply.arg(4),
      payload: reply.payload,
    };
  }

  /** Ends a call. @returns false when there is no such call. @throws CoreUnavailableError */
  async hangup(slot: number, generation: number): Promise<boolean> {
    const reply = await this.#ask(abi.EV_HANGUP, [slot, generation]);
    return reply.arg(1) === 1;
  }

  /** Refuses new calls and registrations (true), or accepts them again. */
  drain(on: boolean): void {
    this.post({ kind: abi.EV_DRAIN, args: [0, on ? 1 : 0] });
  }

  #ask(kind: number, args: readonly number[], payload?: Uint8Array): Promise<Frame> {
    if (this.#closed || this.#waiting.size >= WAITING_MAX)
      return Promise.reject(new CoreUnavailableError('too many questions are open'));
    this.#lastRequest = (this.#lastRequest + 1) >>> 0 || 1;
    const id = this.#lastRequest;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new CoreUnavailableError(`the core did not answer within ${ANSWER_TIMEOUT_MS} ms`));
      }, ANSWER_TIMEOUT_MS);
      this.#waiting.set(id, { resolve, reject, timer });
      this.post({ kind, args: [id, ...args] }, payload);
    });
  }

  #answer(frame: Frame): void {
    const waiting = this.#waiting.get(frame.arg(0));
    if (waiting === undefined) return;
    this.#waiting.delete(frame.arg(0));
    clearTimeout(waiting.timer);
    waiting.resolve(new Frame(frame.bytes.slice()));
  }

  /** Stops; open questions are rejected. The realtime thread itself is closed by its owner. */
  close(): void {
    this.#closed = true;
    if (this.#retry) clearTimeout(this.#retry);
    for (const waiting of this.#waiting.values()) {
      clearTimeout(waiting.timer);
      waiting.reject(new CoreUnavailableError('the node is stopping'));
    }
    this.#waiting.clear();
  }
}
