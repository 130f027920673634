/**
 * Media control's end of the command rings: each command is a promise of its answer.
 */
import { RingReader, RingWriter, ringMemory, ringNotify } from '../../switch/realtime/ring.ts';
import { Waker, wakerMemory } from '../../switch/realtime/waker.ts';
import * as command from './commands.ts';

/** Each ring: some hundred of the largest records. */
const RING_BYTES = 4 << 20;
/** Commands under way at a time; more wait here. */
const UNDER_WAY_MAX = 64;

interface Waiting {
  record: Uint8Array;
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

export interface Answer {
  done: boolean;
  payload: Uint8Array;
}

export interface Command {
  op: number;
  slot?: number;
  fds?: readonly [rtp: number, rtcp: number];
  payload?: Uint8Array;
}

export class CommandLink {
  readonly waker = new Waker(wakerMemory(), 'batched');
  readonly commands = ringMemory(RING_BYTES);
  readonly answers = ringMemory(RING_BYTES);
  readonly #writer = new RingWriter(this.commands);
  readonly #reader = new RingReader(this.answers);
  readonly #underWay = new Map<number, Waiting>();
  readonly #queue: Waiting[] = [];
  #request = 0;
  #failure: Error | null = null;

  constructor() {
    void this.#pump();
  }

  /** @throws when the thread has ended. */
  ask({ op, slot = 0, fds = [0, 0], payload = new Uint8Array() }: Command): Promise<Answer> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const record = new Uint8Array(command.HEAD_BYTES + payload.length);
    const words = new Uint32Array(record.buffer, 0, command.HEAD_BYTES / 4);
    words[command.WORD_OP] = op;
    words[command.WORD_SLOT] = slot;
    words[command.WORD_RTP_FD] = fds[0];
    words[command.WORD_RTCP_FD] = fds[1];
    words[command.WORD_LENGTH] = payload.length;
    record.set(payload, command.HEAD_BYTES);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#queue.push({ record, resolve, reject });
    this.#send();
    return promise;
  }

  /** Nothing is answered any more: what is waiting fails, and so does what is asked from now on. */
  end(failure: Error): void {
    if (this.#failure !== null) return;
    this.#failure = failure;
    const waiting = [...this.#underWay.values(), ...this.#queue];
    this.#underWay.clear();
    this.#queue.length = 0;
    for (const { reject } of waiting) reject(failure);
    ringNotify(this.answers);
  }

  #send(): void {
    while (this.#underWay.size < UNDER_WAY_MAX) {
      const next = this.#queue.shift();
      if (next === undefined) break;
      const request = (this.#request = (this.#request + 1) >>> 0);
      new Uint32Array(next.record.buffer, 0, 2)[command.WORD_REQUEST] = request;
      this.#underWay.set(request, next);
      if (!this.#writer.push(next.record, 0, next.record.length))
        throw new Error('the ring of commands is full');
    }
    this.waker.wake();
  }

  async #pump(): Promise<void> {
    while (this.#failure === null) {
      const mark = this.#reader.mark();
      while (this.#reader.next()) this.#deliver();
      const wait = this.#reader.waitPast(mark);
      if (wait.async) await wait.value;
    }
  }

  #deliver(): void {
    const { bytes, offset, length } = this.#reader;
    const record = bytes.slice(offset, offset + length);
    this.#reader.release();
    const words = new Uint32Array(record.buffer, 0, command.HEAD_BYTES / 4);
    const waiting = this.#underWay.get(words[command.WORD_REQUEST]!);
    this.#underWay.delete(words[command.WORD_REQUEST]!);
    const payload = record.subarray(command.HEAD_BYTES, command.HEAD_BYTES + words[command.WORD_LENGTH]!);
    waiting?.resolve({ done: words[command.WORD_STATUS] === 1, payload });
    this.#send();
  }
}
