/** One TCP connection that carries SIP. */
import type { Socket } from 'node:net';
import { TRANSPORT_TCP } from '../../../wasm-core/assembly/abi.ts';
import type { Flow } from './flows.ts';
import { FramingError, SipFramer } from './framing.ts';

/** Bounds on one connection. */
export interface TcpFlowLimits {
  messageBytes: number;
  sendBufferBytes: number;
  idleMs: number;
  messageTimeoutMs: number;
}

/** What a connection tells its owner. */
export interface TcpFlowEvents {
  message(bytes: Uint8Array): void;
  /** After each chunk: true to pause reading until `resume`. */
  shouldPause(): boolean;
  /** Once, when it is gone; `reason` says why when it was our decision or an error. */
  closed(reason: string): void;
}

/** Time for the core to answer a message after which the connection is closed. */
const ANSWER_MS = 200;
/** TCP asks whether the peer is still there after this long without traffic. */
const KEEP_ALIVE_MS = 60_000;
const PONG = Buffer.from('\r\n');

/** A connection, from accept or connect to close. */
export class TcpFlow implements Flow {
  readonly transport = TRANSPORT_TCP;
  readonly address: Uint8Array;
  readonly port: number;
  readonly #socket: Socket;
  readonly #limits: TcpFlowLimits;
  readonly #framer: SipFramer;
  readonly #events: TcpFlowEvents;
  #corked = false;
  #reason = 'closed by peer';
  #activeMs = performance.now();
  /** When the message being received began, 0 = between messages. */
  #messageMs = 0;

  /** @param socket connected, or connecting: what is sent meanwhile waits in the socket, within the send limit. */
  constructor(
    socket: Socket,
    address: Uint8Array,
    port: number,
    limits: TcpFlowLimits,
    events: TcpFlowEvents,
  ) {
    this.address = address;
    this.port = port;
    this.#socket = socket;
    this.#limits = limits;
    this.#events = events;
    this.#framer = new SipFramer(limits.messageBytes, {
      message: (bytes) => events.message(bytes),
      ping: () => this.#write(PONG),
    });
    socket.setNoDelay(true);
    // A peer that vanished without a word is noticed long before the connection counts as idle.
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('end', () => socket.end());
    socket.on('error', (error) => {
      this.#reason = error.message;
    });
    socket.on('close', () => events.closed(this.#reason));
  }

  send(message: Uint8Array): void {
    // The message is a view of the ring; the socket may keep it for longer.
    this.#write(Buffer.from(message));
  }

  close(): void {
    this.#reason = 'closed by the switch';
    this.#socket.end();
  }

  /** Goes on reading after `shouldPause` was true. */
  resume(): void {
    this.#socket.resume();
  }

  /** Called every second: closes a connection that is idle, or too slow with a message. */
  checkTimeouts(nowMs: number): void {
    if (this.#messageMs > 0 && nowMs - this.#messageMs > this.#limits.messageTimeoutMs)
      this.#abort('a message took too long to arrive');
    else if (nowMs - this.#activeMs > this.#limits.idleMs) this.#abort('idle');
    // A peer that doesn't close its side after ours would hold the connection for ever.
    else if (this.#socket.writableFinished && nowMs - this.#activeMs > this.#limits.messageTimeoutMs)
      this.#abort('closed by the switch');
  }

  #receive(chunk: Buffer): void {
    this.#activeMs = performance.now();
    try {
      this.#framer.push(chunk);
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      if (error.answerable) this.#closeAfterAnswer(error.message);
      else this.#abort(error.message);
      return;
    }
    if (!this.#framer.partial) this.#messageMs = 0;
    else if (this.#messageMs === 0) this.#messageMs = this.#activeMs;
    if (this.#events.shouldPause()) this.#socket.pause();
  }

  /** Reads no more, and closes when the core has had time to answer. */
  #closeAfterAnswer(reason: string): void {
    this.#reason = reason;
    this.#socket.removeAllListeners('data').resume();
    setTimeout(() => this.#abort(reason), ANSWER_MS);
  }

  #write(bytes: Buffer): void {
    if (!this.#socket.writable) return;
    this.#activeMs = performance.now();
    this.#cork();
    this.#socket.write(bytes);
    if (this.#socket.writableLength > this.#limits.sendBufferBytes) this.#abort('the peer does not read');
  }

  /** Messages of one turn of the event loop leave in one system call. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }

  #abort(reason: string): void {
    this.#reason = reason;
    this.#socket.destroy();
  }
}
