/**
 * Notices a connection that is dead though nobody closed it: a double CRLF is answered by one within ten seconds, or
 * the flow has failed (RFC 5626 3.5.1, 4.4.1; RFC 7118 6 allows it on WebSocket). sip.js sends such pings but
 * doesn't look for the answer.
 */
export interface KeepaliveOptions {
  intervalMs: number;
  /** How long an answer may take. */
  pongMs: number;
}

export const DEFAULT_KEEPALIVE: KeepaliveOptions = { intervalMs: 25_000, pongMs: 10_000 };

/** The part of a WebSocket that is used. */
export type PingSocket = Pick<WebSocket, 'send' | 'addEventListener' | 'readyState'>;

const OPEN = 1;

export class Keepalive {
  readonly #socket: PingSocket;
  readonly #options: KeepaliveOptions;
  readonly #onDead: () => void;
  #ping: ReturnType<typeof setTimeout> | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  /** @param onDead called once, when an answer is overdue */
  constructor(socket: PingSocket, onDead: () => void, options: KeepaliveOptions = DEFAULT_KEEPALIVE) {
    this.#socket = socket;
    this.#options = options;
    this.#onDead = onDead;
    // Any message shows that the connection lives.
    socket.addEventListener('message', () => this.#heard());
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#ping);
    clearTimeout(this.#deadline);
  }

  /** Asks now, as after the machine woke up. */
  probe(): void {
    if (this.#stopped || this.#deadline !== undefined || this.#socket.readyState !== OPEN) return;
    this.#socket.send('\r\n\r\n');
    this.#deadline = setTimeout(() => {
      this.stop();
      this.#onDead();
    }, this.#options.pongMs);
  }

  #heard(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#ping);
    if (!this.#stopped) this.#ping = setTimeout(() => this.probe(), this.#options.intervalMs);
  }
}
