/**
 * The thread's end of the command rings.
 */
import { nowUs } from '../../switch/control/clock.ts';
import { RingReader, RingWriter, ringNotify } from '../../switch/realtime/ring.ts';
import * as abi from '../../wasm-core/assembly/rtp/abi.ts';
import type { EdgeCore } from '../../wasm-core/host/edge-core.ts';
import * as command from './commands.ts';

/** The sockets that the thread waits for. */
export interface SocketSet {
  /** @throws when the socket can't be watched. */
  open(token: number, fd: number): void;
  close(token: number): void;
}

export class CommandHandler {
  truncated = 0;
  sendFailed = 0;
  readonly #commands: RingReader;
  readonly #answers: RingWriter;
  readonly #answersMemory: SharedArrayBuffer;
  readonly #core: EdgeCore;
  readonly #sockets: SocketSet;
  readonly #in = new Uint8Array(command.RECORD_BYTES_MAX);
  readonly #inWords = new Uint32Array(this.#in.buffer);
  readonly #out = new Uint8Array(command.RECORD_BYTES_MAX);
  readonly #outWords = new Uint32Array(this.#out.buffer);

  constructor(
    rings: { commands: SharedArrayBuffer; answers: SharedArrayBuffer },
    core: EdgeCore,
    sockets: SocketSet,
  ) {
    this.#commands = new RingReader(rings.commands);
    this.#answers = new RingWriter(rings.answers);
    this.#answersMemory = rings.answers;
    this.#core = core;
    this.#sockets = sockets;
  }

  /** Whether there is a command. */
  get waiting(): boolean {
    return this.#commands.next();
  }

  /** Carries out the commands that have come. */
  run(): void {
    let answered = false;
    const ring = this.#commands;
    while (ring.next()) {
      this.#in.set(ring.bytes.subarray(ring.offset, ring.offset + ring.length));
      ring.release();
      this.#answer();
      answered = true;
    }
    if (answered) ringNotify(this.#answersMemory);
  }

  #answer(): void {
    const out = this.#outWords;
    out[command.WORD_OP] = this.#inWords[command.WORD_OP]!;
    out[command.WORD_REQUEST] = this.#inWords[command.WORD_REQUEST]!;
    out[command.WORD_LENGTH] = 0;
    out[command.WORD_STATUS] = this.#carryOut() ? 1 : 0;
    const length = command.HEAD_BYTES + out[command.WORD_LENGTH]!;
    // Both rings hold as many records as there can be requests (edge.ts), so this is our own mistake.
    if (!this.#answers.push(this.#out, 0, length)) throw new Error('the ring of answers is full');
  }

  #carryOut(): boolean {
    const slot = this.#inWords[command.WORD_SLOT]!;
    const block = this.#in.subarray(command.HEAD_BYTES);
    switch (this.#inWords[command.WORD_OP]) {
      case command.OP_ALLOCATE:
        return this.#allocate(slot, block);
      case command.OP_CONFIGURE:
        return this.#core.configure(slot, block, nowUs());
      case command.OP_FREE:
        return this.#free(slot);
      case command.OP_STATS:
        return this.#stats();
      case command.OP_COUNTERS:
        return this.#counters();
      default:
        return false;
    }
  }

  #allocate(slot: number, block: Uint8Array): boolean {
    if (!this.#core.allocate(slot, block, nowUs())) return false;
    this.#sockets.open(slot << 1, this.#inWords[command.WORD_RTP_FD]!);
    this.#sockets.open((slot << 1) | abi.TOKEN_RTCP, this.#inWords[command.WORD_RTCP_FD]!);
    return true;
  }

  #free(slot: number): boolean {
    if (!this.#core.free(slot)) return false;
    this.#sockets.close(slot << 1);
    this.#sockets.close((slot << 1) | abi.TOKEN_RTCP);
    return true;
  }

  #stats(): boolean {
    const slots = this.#inWords[command.WORD_LENGTH]! >> 2;
    const now = nowUs();
    let at = command.HEAD_BYTES;
    for (let i = 0; i < slots; i++) {
      const record = this.#core.stats(this.#inWords[(command.HEAD_BYTES >> 2) + i]!, now);
      if (record === 0) continue;
      this.#out.set(this.#core.bytes.subarray(record, record + abi.S_BYTES), at);
      at += abi.S_BYTES;
    }
    this.#outWords[command.WORD_LENGTH] = at - command.HEAD_BYTES;
    return true;
  }

  #counters(): boolean {
    const values = new Float64Array(this.#out.buffer, command.HEAD_BYTES, abi.K_COUNT + command.HOST_COUNT);
    values.set(this.#core.counters);
    values[abi.K_COUNT + command.HOST_TRUNCATED] = this.truncated;
    values[abi.K_COUNT + command.HOST_SEND_FAILED] = this.sendFailed;
    this.#outWords[command.WORD_LENGTH] = values.byteLength;
    return true;
  }
}
