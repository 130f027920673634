/** A phone and mediasoup, as far as the edge sees them: UDP sockets that keep what they get. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

export interface Received {
  bytes: Buffer;
  address: string;
  port: number;
}

export class Peer {
  readonly port: number;
  readonly received: Received[] = [];
  readonly #socket: Socket;
  readonly #waiters: { count: number; resolve: () => void }[] = [];

  static async open(address = '127.0.0.1', port = 0): Promise<Peer> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.bind(port, address);
    await once(socket, 'listening');
    return new Peer(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (bytes, from) => {
      this.received.push({ bytes, address: from.address, port: from.port });
      for (const { count, resolve } of this.#waiters) if (this.received.length >= count) resolve();
    });
  }

  send(bytes: Buffer, port: number, address = '127.0.0.1'): void {
    this.#socket.send(bytes, port, address);
  }

  /** All that has come, once there are `count`. @throws after `timeoutMs`. */
  async take(count: number, timeoutMs = 3_000): Promise<Received[]> {
    if (this.received.length < count) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#waiters.push({ count, resolve });
      const timer = setTimeout(
        () => reject(new Error(`${this.received.length} datagrams came, not ${count}`)),
        timeoutMs,
      );
      await promise.finally(() => clearTimeout(timer));
      this.#waiters.length = 0;
    }
    return this.received.splice(0);
  }

  close(): void {
    this.#socket.close();
  }
}
