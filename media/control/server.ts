/** The Unix socket on which nodes command the media process. */
import { createServer, type Server, type Socket } from 'node:net';
import { chmodSync, rmSync } from 'node:fs';
import type { Logger } from 'pino';
import { encodeFrame, FrameReader } from '../frames.ts';
import type { LeaseFreeEvent, MediaEvent, MediaReply, MediaRequest } from '../protocol.ts';
import type { Session } from './lease.ts';
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
  #nextConnection = 1;

  constructor(service: MediaService, log: Logger) {
    this.#service = service;
    this.#log = log;
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = CONNECTIONS_MAX;
    service.lease.onFree = () => this.#tellAll({ event: 'leaseFree' });
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
    this.#service.lease.opened();
  }

  /** Tells the active node. */
  emit(event: MediaEvent): void {
    for (const connection of this.#connections) {
      if (this.#service.lease.holds(connection.session)) connection.send(event);
    }
  }

  #tellAll(event: LeaseFreeEvent): void {
    for (const connection of this.#connections) if (connection.session.node !== '') connection.send(event);
  }

  /** Nodes connect again. */
  disconnectAll(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  async close(): Promise<void> {
    this.#service.lease.close();
    this.disconnectAll();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const connection = new Connection(socket, this.#nextConnection++, this.#service, this.#log);
    this.#connections.add(connection);
    socket.once('close', () => {
      this.#connections.delete(connection);
      // A node whose connection this side has closed lives, and connects again.
      if (!connection.destroyed) this.#service.lease.closed(connection.session);
    });
  }
}

class Connection {
  readonly session: Session;
  /** By this side. */
  destroyed = false;
  readonly #socket: Socket;
  readonly #service: MediaService;
  readonly #log: Logger;
  readonly #reader = new FrameReader();
  #outstanding = 0;

  constructor(socket: Socket, connection: number, service: MediaService, log: Logger) {
    this.session = { connection, node: '' };
    this.#socket = socket;
    this.#service = service;
    this.#log = log;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => log.warn({ err: error }, 'connection of a node'));
  }

  send(message: MediaReply | MediaEvent | LeaseFreeEvent): void {
    if (this.#socket.destroyed) return;
    this.#socket.write(encodeFrame(message));
    if (this.#socket.writableLength > UNSENT_BYTES_MAX) {
      this.#log.error('a node does not read its answers: disconnected');
      this.destroy();
    }
  }

  destroy(): void {
    // If the node has closed it already, that is how it counts.
    this.destroyed = !this.#socket.destroyed;
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
    if (this.#outstanding >= OUTSTANDING_MAX && request.op !== 'lease') {
      this.send({ id: Number(request.id) || 0, status: 503, reason: 'too many requests are waiting' });
      return;
    }
    this.#outstanding++;
    const reply = await this.#service.handle(this.session, request);
    this.#outstanding--;
    this.send(reply);
  }
}
