/**
 * SIP over WebSocket (RFC 7118) on uWebSockets.js: one SIP message per WebSocket message, text or binary, subprotocol
 * `sip`. Pages are let in by their Origin (RFC 6455 10.2).
 */
import { isUtf8 } from 'node:buffer';
import {
  DISABLED,
  type HttpRequest,
  type HttpResponse,
  type TemplatedApp,
  type us_socket_context_t,
  type WebSocket,
} from 'uWebSockets.js';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { isMappedIPv4 } from '../../../wasm-core/host/address.ts';
import type { Frame } from '../../../wasm-core/host/frames.ts';
import type { CoreLink } from '../core-link.ts';
import type { Logger } from '../log.ts';
import type { Flow, Flows } from './flows.ts';

/** The endpoint and its limits. */
export interface WebSocketOptions {
  path: string;
  /** TRANSPORT_WS or TRANSPORT_WSS. */
  transport: number;
  /** Index in the core's table of listeners. */
  listener: number;
  /** Allowed origins; `*` = all. */
  origins: ReadonlySet<string>;
  messageBytes: number;
  sendBufferBytes: number;
  /** A peer that doesn't answer pings for this long is gone; 8 to 960. */
  idleS: number;
}

interface Session {
  address: Uint8Array;
  id: number;
  flow: WebSocketFlow | null;
}

type Socket = WebSocket<Session>;

/** The server is busy: try again later (RFC 6455 7.4.1, IANA registry). */
const CLOSE_TRY_LATER = 1013;
const CLOSE_NORMAL = 1000;

/** The address of a uWebSockets.js socket, 4 or 16 bytes, as 16 bytes. */
export function addressBytes(raw: ArrayBuffer): Uint8Array {
  const bytes = new Uint8Array(raw);
  if (bytes.length === 16) return bytes.slice();
  const mapped = new Uint8Array(16);
  mapped[10] = 0xff;
  mapped[11] = 0xff;
  mapped.set(bytes.subarray(0, 4), 12);
  return mapped;
}

class WebSocketFlow implements Flow {
  readonly transport: number;
  readonly address: Uint8Array;
  readonly port = 0;
  readonly #socket: Socket;
  #closed = false;

  constructor(socket: Socket, transport: number, address: Uint8Array) {
    this.#socket = socket;
    this.transport = transport;
    this.address = address;
  }

  send(message: Uint8Array): void {
    if (this.#closed) return;
    const bytes = message.slice();
    // Text frames, as browsers' stacks send them; what isn't UTF-8 would make the peer close the connection
    // (RFC 6455 8.1), so it goes as binary. RFC 7118 4.2 allows both.
    this.#socket.send(bytes, !isUtf8(bytes));
  }

  close(code = CLOSE_NORMAL): void {
    if (!this.#closed) this.#socket.end(code);
  }

  markClosed(): void {
    this.#closed = true;
  }
}

/** All SIP WebSockets of a node. */
export class WebSocketTransport {
  readonly #options: WebSocketOptions;
  readonly #link: CoreLink;
  readonly #flows: Flows;
  readonly #log: Logger;
  /** Handshakes refused because of their Origin. */
  originRefused = 0;

  constructor(options: WebSocketOptions, link: CoreLink, flows: Flows, log: Logger) {
    this.#options = options;
    this.#link = link;
    this.#flows = flows;
    this.#log = log;
  }

  /**
   * Adds the SIP endpoint to a server.
   * @param upgraded called when a connection has become a WebSocket.
   */
  attach(app: TemplatedApp, upgraded: () => void): void {
    app.ws<Session>(this.#options.path, {
      compression: DISABLED,
      maxPayloadLength: this.#options.messageBytes,
      maxBackpressure: this.#options.sendBufferBytes,
      closeOnBackpressureLimit: true,
      idleTimeout: Math.min(960, Math.max(8, this.#options.idleS)),
      sendPingsAutomatically: true,
      upgrade: (res, req, context) => this.#upgrade(res, req, context),
      open: (socket) => {
        upgraded();
        this.#opened(socket);
      },
      message: (socket, message) => this.#received(socket, message),
      close: (socket, code) => this.#closed(socket, code),
    });
  }

  #upgrade(res: HttpResponse, req: HttpRequest, context: us_socket_context_t): void {
    const address = addressBytes(res.getRemoteAddress());
    const refusal = this.#refusal(req, address);
    if (refusal !== null) {
      res.cork(() => {
        res.writeStatus(refusal.status);
        if (refusal.retry) res.writeHeader('retry-after', '5');
        res.writeHeader('content-type', 'text/plain; charset=utf-8').end(`${refusal.text}\n`);
      });
      return;
    }
    const session: Session = { address, id: 0, flow: null };
    const extensions = req.getHeader('sec-websocket-extensions');
    res.upgrade(session, req.getHeader('sec-websocket-key'), 'sip', extensions, context);
  }

  /** Why a handshake is refused; null when it is not. */
  #refusal(req: HttpRequest, address: Uint8Array): { status: string; text: string; retry?: boolean } | null {
    const offered = req.getHeader('sec-websocket-protocol').split(',');
    if (!offered.some((name) => name.trim().toLowerCase() === 'sip'))
      return { status: '400 Bad Request', text: 'The subprotocol "sip" is needed (RFC 7118).' };
    if (!this.#originAllowed(req.getHeader('origin'))) {
      this.originRefused++;
      return { status: '403 Forbidden', text: 'This origin is not in http.origins of the configuration.' };
    }
    if (this.#flows.admit(address) === null) return null;
    return { status: '503 Service Unavailable', text: 'Too many connections.', retry: true };
  }

  /** Listed, or no page at all: a program may leave Origin out, a browser can't. */
  #originAllowed(origin: string): boolean {
    return origin === '' || this.#options.origins.has('*') || this.#options.origins.has(origin);
  }

  #opened(socket: Socket): void {
    const session = socket.getUserData();
    const flow = new WebSocketFlow(socket, this.#options.transport, session.address);
    session.flow = flow;
    session.id = this.#flows.add(flow);
    this.#log.debug({ flow: session.id, v4: isMappedIPv4(session.address) }, 'websocket opened');
  }

  #received(socket: Socket, message: ArrayBuffer): void {
    const session = socket.getUserData();
    const bytes = new Uint8Array(message);
    // Keep-alives of RFC 5626 3.5.1 are not for WebSocket (RFC 7118 6), but some clients send them.
    if (bytes.length === 4 && bytes.every((byte) => byte === 13 || byte === 10)) {
      socket.send('\r\n', false);
      return;
    }
    if (bytes.length <= 2) return;
    const { transport, listener } = this.#options;
    const fields = { transport, listener, flow: session.id, address: session.address, port: 0 };
    if (!this.#link.message(fields, bytes)) session.flow?.close(CLOSE_TRY_LATER);
  }

  #closed(socket: Socket, code: number): void {
    const { id, flow, address } = socket.getUserData();
    flow?.markClosed();
    if (!this.#flows.remove(id)) return;
    this.#link.post({ kind: abi.EV_FLOW_CLOSED, transport: this.#options.transport, flow: id, address });
    this.#log.debug({ flow: id, code }, 'websocket closed');
  }

  /** EF_SEND for WebSocket. A flow that is gone was already told to the core. */
  send(frame: Frame): void {
    const flow = this.#flows.get(frame.flow);
    if (flow?.transport === this.#options.transport) flow.send(frame.payload);
  }
}
