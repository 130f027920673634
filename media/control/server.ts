/** The Unix socket on which nodes command the media process. */
import { createServer, type Server, type Socket } from 'node:net';
import { chmodSync, rmSync } from 'node:fs';
import type { Logger } from 'pino';
import { encodeFrame, FrameReader } from '../frames.ts';
import type { HelloReply, MediaEvent, MediaReply, MediaRequest } from '../protocol.ts';
import type { MediaService } from './service.ts';

/** Requests of a connection that may wait for their answers; further ones get 503. */
const OUTSTANDING_MAX = 4_096;
const CONNECTIONS_MAX = 16;
/** Unsent bytes at which a connection that doesn't read is given up. */
const UNSENT_BYTES_MAX = 16 << 20;

/** Bounded: connections, requests that wait, and bytes that a node does not read. */
export class MediaServer {
  readonly #service: MediaService;
  readonly #log: Logger;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();

  constructor(service: MediaService, log: Logger) {
    this.#service = service;
    this.#log = log;
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** @throws when the path can't be bound. */
  async listen(path: string): Promise<void> {
    // A socket file of a process that was killed; whoever still listened on it would be the supervisor's fault.
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(path, () => resolve());
    });
    this.#server.on('error', (error) => this.#log.error({ err: error }, 'socket of the nodes'));
    // Who can connect can listen to calls.
    chmodSync(path, 0o600);
  }

  /** Tells the active node. */
  emit(event: MediaEvent): void {
    for (const connection of this.#connections) {
      if (this.#service.admits(connection.epoch)) connection.send(event);
    }
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const connection = new Connection(socket, this.#service, this.#log);
    this.#connections.add(connection);
    socket.once('close', () => this.#connections.delete(connection));
  }
}

class Connection {
  /** What it was granted; 0 before its hello. */
  epoch = 0;
  readonly #socket: Socket;
  readonly #service: MediaService;
  readonly #log: Logger;
  readonly #reader = new FrameReader();
  #outstanding = 0;

  constructor(socket: Socket, service: MediaService, log: Logger) {
    this.#socket = socket;
    this.#service = service;
    this.#log = log;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => log.warn({ err: error }, 'connection of a node'));
  }

  send(message: MediaReply | MediaEvent): void {
    if (this.#socket.destroyed) return;
    this.#socket.write(encodeFrame(message));
    if (this.#socket.writableLength > UNSENT_BYTES_MAX) {
      this.#log.error('a node does not read its answers: disconnected');
      this.destroy();
    }
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    try {
      for (const message of this.#reader.push(chunk)) void this.#take(message);
    } catch (error) {
      this.#log.error({ err: error }, 'a node sent what is not of the protocol: disconnected');
      this.destroy();
    }
  }

  async #take(request: Partial<MediaRequest>): Promise<void> {
    if (this.#outstanding >= OUTSTANDING_MAX) {
      this.send({ id: Number(request.id) || 0, status: 503, reason: 'too many requests are waiting' });
      return;
    }
    this.#outstanding++;
    const reply = await this.#service.handle(request);
    this.#outstanding--;
    if (request.op === 'hello' && reply.status === 200) this.epoch = (reply as HelloReply).epoch;
    this.send(reply);
  }
}
