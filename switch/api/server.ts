/** The web server: uWebSockets.js carrying the route table, the pages and whatever attaches to it (SIP WebSocket). */
import {
  App,
  type HttpRequest,
  type HttpResponse,
  SSLApp,
  type TemplatedApp,
  type us_listen_socket,
  us_listen_socket_close,
  us_socket_local_port,
} from 'uWebSockets.js';
import { formatHostPort } from '../../wasm-core/host/address.ts';
import type { Endpoint } from '../control/config/endpoints.ts';
import type { Logger } from '../control/log.ts';
import type { ApiContext } from './context.ts';
import { type Client, readRequest, type Reply, type Request, writeReply } from './exchange.ts';
import type { Pages } from './pages.ts';
import { Problem, problemReply } from './problem.ts';
import type { Router } from './router.ts';

/** Where and how to serve. */
export interface WebServerOptions {
  endpoint: Endpoint;
  /** PEM files; both or none. */
  certificate?: string;
  key?: string;
  /** Connections that are not (yet) a WebSocket; one more is closed at once. */
  connectionsMax: number;
}

/** One web server. */
export class WebServer {
  readonly app: TemplatedApp;
  readonly #options: WebServerOptions;
  readonly #router: Router<ApiContext>;
  readonly #pages: Pages;
  readonly #context: ApiContext;
  readonly #log: Logger;
  #socket: us_listen_socket | null = null;
  #connections = 0;

  constructor(
    options: WebServerOptions,
    router: Router<ApiContext>,
    pages: Pages,
    context: ApiContext,
    log: Logger,
  ) {
    this.#options = options;
    this.#router = router;
    this.#pages = pages;
    this.#context = context;
    this.#log = log;
    const { certificate, key } = options;
    this.app = certificate && key ? SSLApp({ cert_file_name: certificate, key_file_name: key }) : App();
    this.app.filter((res, change) => this.#counted(res, Number(change)));
    this.app.any('/*', (res, req) => this.#serve(res, req));
  }

  /** A connection was opened (1) or closed (-1). */
  #counted(res: HttpResponse, change: number): void {
    this.#connections += change;
    if (change > 0 && this.#connections > this.#options.connectionsMax) res.close();
  }

  /** A connection has become a WebSocket; the server doesn't tell when those close. */
  upgraded(): void {
    this.#connections--;
  }

  /** Starts to listen. @returns the port. @throws when the port can't be had. */
  listen(): Promise<number> {
    const { address, port } = this.#options.endpoint;
    return new Promise((resolve, reject) => {
      this.app.listen(address, port, (socket) => {
        if (!socket) {
          reject(
            new Error(
              `cannot listen on ${formatHostPort(address, port)} (http): is another program using it?`,
            ),
          );
          return;
        }
        this.#socket = socket;
        resolve(us_socket_local_port(socket));
      });
    });
  }

  #serve(res: HttpResponse, req: HttpRequest): void {
    const client: Client = { gone: false, onGone: null };
    res.onAborted(() => {
      client.gone = true;
      client.onGone?.();
    });
    const request = readRequest(req);
    void this.#answer(request).then((reply) => {
      if (!client.gone) writeReply(res, reply, request.method === 'HEAD', client);
    });
  }

  /** The answer to any request; never throws. */
  async #answer(request: Request): Promise<Reply> {
    try {
      const reply = (await this.#router.handle(request, this.#context)) ?? this.#pages.handle(request);
      this.#audit(request, reply.status);
      return reply;
    } catch (error) {
      if (error instanceof Problem) return problemReply(error, request.path);
      this.#log.error({ err: error, path: request.path }, 'request failed');
      return problemReply(
        new Problem(500, 'This is our mistake; the log of the node says more.'),
        request.path,
      );
    }
  }

  /** Who changed something is written down. */
  #audit(request: Request, status: number): void {
    const { method, path } = request;
    if (method === 'GET' || method === 'HEAD') return;
    this.#log.info({ by: this.#router.whoIs(request), method, path, status }, 'api request');
  }

  /** Stops listening and closes every connection. */
  close(): void {
    if (this.#socket) us_listen_socket_close(this.#socket);
    this.#socket = null;
    this.app.close();
  }
}
