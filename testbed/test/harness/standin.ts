/**
 * A stand-in for the switch: registrar and stateless proxy over WebSocket, without media. It does as little as the
 * softphone's tests need, and misbehaves on demand. Digests are checked with Node's crypto, not with our own code.
 */
import { createHash, randomBytes } from 'node:crypto';
import uWS from 'uWebSockets.js';
import {
  format,
  header,
  isRequest,
  methodOf,
  parse,
  responseTo,
  type SipMessage,
  statusOf,
  userIn,
} from './message.ts';

interface Flow {
  id: number;
}
type Socket = uWS.WebSocket<Flow>;

interface Binding {
  contact: string;
  flow: number;
  instance: string;
}

export interface StandInOptions {
  /** Challenges sent, topmost first. */
  algorithms?: ('SHA-256' | 'MD5')[];
  /** User and password. */
  users?: Record<string, string>;
  /** Registration interval granted, s. */
  expiresS?: number;
}

const HOST = 'standin.invalid';
const ANNOUNCEMENT_MS = 50;
const REALM = 'strowger.test';

export class StandIn {
  /** All that came in, oldest first. */
  readonly received: SipMessage[] = [];
  /** Status lines with which calls to these numbers are answered. */
  readonly refusals = new Map<string, string>();
  /** SDP that is sent with a 183 before a refusal, by number. */
  readonly announcements = new Map<string, string>();
  /** Answers all REGISTER requests with this status line, while set, with these headers. */
  refuseRegister: { status: string; headers?: [string, string][] } | null = null;
  /** Whether new connections are taken. */
  accepts = true;
  /** Says nothing any more, as a dead network does. */
  silent = false;
  readonly #options: Required<StandInOptions>;
  readonly #sockets = new Map<number, Socket>();
  readonly #bindings = new Map<string, Binding[]>();
  readonly #nonces = new Set<string>();
  #listen: uWS.us_listen_socket | null = null;
  #lastFlow = 0;
  port = 0;

  constructor(options: StandInOptions = {}) {
    this.#options = {
      algorithms: options.algorithms ?? ['SHA-256', 'MD5'],
      users: options.users ?? { '1001': 'demo-1001', '1002': 'demo-1002', '1003': 'demo-1003' },
      expiresS: options.expiresS ?? 600,
    };
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/sip`;
  }

  /** Listens, or after {@link stop} takes connections again. */
  async start(): Promise<void> {
    this.accepts = true;
    if (this.#listen !== null) return;
    const app = uWS.App().ws<Flow>('/sip', {
      idleTimeout: 120,
      upgrade: (res, req, context) => {
        if (!this.accepts) return void res.writeStatus('503 Service Unavailable').end();
        const key = req.getHeader('sec-websocket-key');
        res.upgrade({ id: ++this.#lastFlow }, key, 'sip', req.getHeader('sec-websocket-extensions'), context);
      },
      open: (socket) => void this.#sockets.set(socket.getUserData().id, socket),
      message: (socket, data) => this.#receive(socket.getUserData().id, Buffer.from(data).toString()),
      close: (socket) => void this.#sockets.delete(socket.getUserData().id),
    });
    this.#listen = await new Promise<uWS.us_listen_socket>((resolve, reject) => {
      app.listen('127.0.0.1', 0, (token) => (token ? resolve(token) : reject(new Error('no port'))));
    });
    this.port = uWS.us_socket_local_port(this.#listen);
  }

  /** Refuses connections and breaks those there are. */
  stop(): void {
    this.accepts = false;
    this.breakConnections();
  }

  /** Ends for good. */
  close(): void {
    this.stop();
    if (this.#listen !== null) uWS.us_listen_socket_close(this.#listen);
    this.#listen = null;
  }

  /** Breaks all connections, or those of one user, without a close frame. */
  breakConnections(user?: string): void {
    const flows =
      user === undefined ? [...this.#sockets.keys()] : this.bindings(user).map(({ flow }) => flow);
    for (const flow of flows) this.#sockets.get(flow)?.close();
  }

  get connections(): number {
    return this.#sockets.size;
  }

  bindings(user: string): readonly Binding[] {
    return this.#bindings.get(user) ?? [];
  }

  requests(method: string): SipMessage[] {
    return this.received.filter((message) => isRequest(message) && methodOf(message) === method);
  }

  #receive(flow: number, text: string): void {
    if (this.silent) return;
    if (/^(\r\n)+$/.test(text)) {
      this.#send(flow, '\r\n');
      return;
    }
    const message = parse(text);
    this.received.push(message);
    if (!isRequest(message)) this.#forwardResponse(message);
    else if (methodOf(message) === 'REGISTER') this.#send(flow, this.#register(flow, message));
    else this.#forwardRequest(flow, message);
  }

  #send(flow: number, message: SipMessage | string): void {
    const text = typeof message === 'string' ? message : format(message);
    if (!this.silent) this.#sockets.get(flow)?.send(text, false);
  }

  /** @returns the answer */
  #register(flow: number, request: SipMessage): SipMessage {
    if (this.refuseRegister) {
      const { status, headers } = this.refuseRegister;
      return responseTo(request, status, headers);
    }
    const user = userIn(header(request, 'to'));
    if (!this.#authorized(request, user)) return this.#challenge(request);
    const contact = header(request, 'contact');
    const uri = /<([^>]+)>/.exec(contact)?.[1] ?? '';
    const instance = /\+sip\.instance="([^"]+)"/.exec(contact)?.[1] ?? '';
    const others = this.bindings(user).filter((b) => b.contact !== uri && b.instance !== instance);
    const gone = /;expires=0\b/.test(contact);
    this.#bindings.set(user, gone ? others : [...others, { contact: uri, flow, instance }]);
    const listed = this.bindings(user).map((b): [string, string] => [
      'Contact',
      `<${b.contact}>;expires=${this.#options.expiresS}`,
    ]);
    return responseTo(request, '200 OK', listed);
  }

  #challenge(request: SipMessage): SipMessage {
    const nonce = randomBytes(8).toString('hex');
    this.#nonces.add(nonce);
    const challenges = this.#options.algorithms.map((algorithm): [string, string] => [
      'WWW-Authenticate',
      `Digest realm="${REALM}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"`,
    ]);
    return responseTo(request, '401 Unauthorized', challenges);
  }

  #authorized(request: SipMessage, user: string): boolean {
    const value = header(request, 'authorization');
    const param = (name: string) => new RegExp(`\\b${name}="?([^",]*)`).exec(value)?.[1] ?? '';
    const algorithm = param('algorithm');
    if (!this.#nonces.has(param('nonce')) || !this.#options.algorithms.includes(algorithm as 'MD5'))
      return false;
    const hash = (text: string) =>
      createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
        .update(text)
        .digest('hex');
    const ha1 = hash(`${user}:${REALM}:${this.#options.users[user]}`);
    const ha2 = hash(`${methodOf(request)}:${param('uri')}`);
    const used = `${param('nonce')}:${param('nc')}:${param('cnonce')}:auth`;
    return param('username') === user && param('response') === hash(`${ha1}:${used}:${ha2}`);
  }

  /** By AoR to the newest binding, else by Contact, as in a dialog. */
  #forwardRequest(flow: number, request: SipMessage): void {
    const uri = request.start.split(' ')[1] ?? '';
    const user = userIn(uri);
    const target = this.#target(user);
    if (typeof target === 'string') {
      if (methodOf(request) !== 'ACK') this.#refuse(flow, request, target, this.announcements.get(user));
      return;
    }
    const branch = /branch=([^;,]+)/.exec(header(request, 'via'))?.[1];
    const via: [string, string] = ['Via', `SIP/2.0/WS ${HOST};branch=${branch}.${flow}`];
    const start = request.start.replace(uri, target.contact);
    this.#send(target.flow, { start, headers: [via, ...request.headers], body: request.body });
  }

  #refuse(flow: number, request: SipMessage, status: string, announcement: string | undefined): void {
    const refuse = () => this.#send(flow, responseTo(request, status));
    if (announcement === undefined || methodOf(request) !== 'INVITE') {
      refuse();
      return;
    }
    this.#announce(flow, request, announcement);
    setTimeout(refuse, ANNOUNCEMENT_MS);
  }

  #announce(flow: number, request: SipMessage, sdp: string): void {
    const type: [string, string][] = [
      ['Contact', `<sip:${HOST};transport=ws>`],
      ['Content-Type', 'application/sdp'],
    ];
    const { start, headers } = responseTo(request, '183 Session Progress', type);
    const sized = headers.filter(([name]) => name !== 'Content-Length');
    this.#send(flow, { start, headers: [...sized, ['Content-Length', `${sdp.length}`]], body: sdp });
  }

  /** @returns a status line when nothing can be reached */
  #target(user: string): Binding | string {
    const refusal = this.refusals.get(user);
    if (refusal !== undefined) return refusal;
    const byContact = [...this.#bindings.values()].flat().find((b) => userIn(b.contact) === user);
    const unknown = user in this.#options.users ? '480 Temporarily Unavailable' : '404 Not Found';
    return byContact ?? this.bindings(user).at(-1) ?? unknown;
  }

  #forwardResponse(response: SipMessage): void {
    const top = header(response, 'via');
    if (!top.includes(HOST) || statusOf(response) === 100) return;
    const flow = Number(/branch=[^;,]+\.(\d+)/.exec(top)?.[1]);
    const index = response.headers.findIndex(([name]) => name.toLowerCase() === 'via');
    this.#send(flow, { ...response, headers: response.headers.filter((_, i) => i !== index) });
  }
}
