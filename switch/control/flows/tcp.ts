/**
 * SIP over TCP: listeners, outgoing connections, and their reuse both ways: a request to an address for which
 * there is a connection goes over it, whoever opened it (RFC 3261 18.1.1; the alias of RFC 5923 by remote address).
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { formatAddress, formatHostPort, parseAddress } from '../../../wasm-core/host/address.ts';
import type { Frame } from '../../../wasm-core/host/frames.ts';
import type { CoreLink } from '../core-link.ts';
import type { Endpoint } from '../config/endpoints.ts';
import type { Logger } from '../log.ts';
import type { Flows } from './flows.ts';
import { TcpFlow, type TcpFlowLimits } from './tcp-flow.ts';

/** Listeners and limits. */
export interface TcpOptions extends TcpFlowLimits {
  endpoints: readonly Endpoint[];
  /** Index in the core's table of listeners of the first endpoint. */
  firstListener: number;
  connectTimeoutMs: number;
  /** Another process of this user may still listen there. Default false. */
  takesOver?: boolean;
}

/** Timeouts are checked this often: accurate to a second, without a timer per connection. */
const SWEEP_MS = 1000;
const BACKLOG = 4096;

/** All TCP of a node. */
export class TcpTransport {
  readonly #options: TcpOptions;
  readonly #link: CoreLink;
  readonly #flows: Flows;
  readonly #log: Logger;
  readonly #servers: Server[] = [];
  readonly #open = new Map<number, TcpFlow>();
  /** Newest connection by remote `address:port`. */
  readonly #aliases = new Map<string, number>();
  #sweep: NodeJS.Timeout | null = null;

  constructor(options: TcpOptions, link: CoreLink, flows: Flows, log: Logger) {
    this.#options = options;
    this.#link = link;
    this.#flows = flows;
    this.#log = log;
  }

  /** Opens the listeners. @returns the ports, in order. @throws the system's error, with address and port in it. */
  async listen(): Promise<number[]> {
    const ports: number[] = [];
    for (const [i, endpoint] of this.#options.endpoints.entries()) {
      const server = createServer({ pauseOnConnect: false, noDelay: true }, (socket) =>
        this.#accept(socket, this.#options.firstListener + i),
      );
      this.#servers.push(server);
      ports.push(await listenOn(server, endpoint, this.#options.takesOver === true));
      // Such as too many open files: the listener stays, and takes connections again when there is room.
      server.on('error', (error) => this.#log.error({ err: error }, 'tcp listener'));
    }
    this.#sweep = setInterval(() => this.#checkTimeouts(), SWEEP_MS);
    return ports;
  }

  #accept(socket: Socket, listener: number): void {
    const address = parseAddress(socket.remoteAddress ?? '');
    if (address === null || this.#flows.admit(address) !== null) {
      socket.destroy();
      return;
    }
    this.#adopt(socket, address, socket.remotePort ?? 0, listener, 0);
  }

  /**
   * Makes a connection a flow.
   * @param askedAs flow that a message was meant for when this connection replaces it, 0 = none: told to the core
   * as closed as well if the connection can't be made.
   */
  #adopt(socket: Socket, address: Uint8Array, port: number, listener: number, askedAs: number): TcpFlow {
    const alias = formatHostPort(formatAddress(address), port);
    let connected = !socket.connecting;
    socket.once('connect', () => {
      connected = true;
    });
    const flow = new TcpFlow(socket, address, port, this.#options, {
      message: (bytes) => {
        const fields = { transport: abi.TRANSPORT_TCP, flow: id, port, listener, address };
        if (!this.#link.message(fields, bytes)) flow.close();
      },
      shouldPause: () => {
        if (this.#link.congested) this.#link.onceRelieved(() => flow.resume());
        return this.#link.congested;
      },
      closed: (reason) => {
        this.#open.delete(id);
        this.#flows.remove(id);
        if (this.#aliases.get(alias) === id) this.#aliases.delete(alias);
        const gone = connected || askedAs === 0 ? [id] : [id, askedAs];
        for (const number of gone)
          this.#link.post({
            kind: abi.EV_FLOW_CLOSED,
            transport: abi.TRANSPORT_TCP,
            flow: number,
            address,
            port,
          });
        this.#log.debug(
          { peer: alias, flow: id, reason },
          connected ? 'tcp closed' : 'tcp could not connect',
        );
      },
    });
    const id = this.#flows.add(flow);
    this.#open.set(id, flow);
    this.#aliases.set(alias, id);
    return flow;
  }

  /** EF_SEND for TCP: over its flow, else over any connection to the address, else over a new one. */
  send(frame: Frame): void {
    const flow = this.#open.get(frame.flow) ?? this.#connectionTo(frame);
    if (flow) flow.send(frame.payload);
    else
      this.#link.post({
        kind: abi.EV_FLOW_CLOSED,
        transport: abi.TRANSPORT_TCP,
        flow: frame.flow,
        address: frame.address,
        port: frame.port,
      });
  }

  #connectionTo(frame: Frame): TcpFlow | undefined {
    if (frame.port === 0) return undefined;
    const address = frame.address.slice();
    const host = formatAddress(address);
    const known = this.#aliases.get(formatHostPort(host, frame.port));
    if (known !== undefined) return this.#open.get(known);
    if (this.#flows.admit(address) !== null) return undefined;
    const socket = connect({ host, port: frame.port, noDelay: true, ...this.#localAddress(frame.listener) });
    const timer = setTimeout(
      () => socket.destroy(new Error('connection timed out')),
      this.#options.connectTimeoutMs,
    );
    socket.once('connect', () => clearTimeout(timer));
    socket.once('close', () => clearTimeout(timer));
    return this.#adopt(socket, address, frame.port, frame.listener, frame.flow);
  }

  /** Connects from the listener's own address, so that the peer sees the address it knows. */
  #localAddress(listener: number): { localAddress?: string } {
    const endpoint = this.#options.endpoints[listener - this.#options.firstListener];
    const any = endpoint === undefined || endpoint.address === '0.0.0.0' || endpoint.address === '::';
    return any ? {} : { localAddress: endpoint.address };
  }

  #checkTimeouts(): void {
    const now = performance.now();
    for (const flow of this.#open.values()) flow.checkTimeouts(now);
  }

  /** Closes the listeners and every connection. */
  async close(): Promise<void> {
    if (this.#sweep) clearInterval(this.#sweep);
    const closed = this.#servers.map((server) => new Promise<void>((done) => server.close(() => done())));
    for (const flow of this.#open.values()) flow.close();
    const slow = setTimeout(() => {
      for (const flow of this.#open.values()) flow.checkTimeouts(Number.POSITIVE_INFINITY);
    }, SWEEP_MS);
    await Promise.all(closed);
    clearTimeout(slow);
  }
}

function listenOn(server: Server, endpoint: Endpoint, reusePort: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const { address: host, port } = endpoint;
    server.listen({ host, port, backlog: BACKLOG, ...(reusePort && { reusePort }) }, () => {
      server.off('error', reject);
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : endpoint.port);
    });
  });
}
