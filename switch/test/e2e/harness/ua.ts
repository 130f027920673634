/**
 * A user agent on the wire: sends exactly what a test says and hands over exactly what comes. It has no timers
 * and answers nothing by itself, so that a test decides about every message.
 */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { authorization, challengesOf, type Credentials } from './digest.ts';
import type { Dialog } from './dialog.ts';
import { Framer } from './framer.ts';
import { type HeaderLine, parameter, SipMessage } from './message.ts';
import { eventually, Mailbox } from './wait.ts';

export interface UaOptions {
  /** User part of its addresses. */
  user: string;
  /** `demo-<user>` by default. */
  password?: string;
  /** Where the switch is: `127.0.0.1:5060`. */
  proxy: string;
  transport?: 'udp' | 'tcp';
  domain?: string;
  /** Its own UDP port; any free one by default. */
  port?: number;
}

/** What a request is to be, where it differs from a plain one. */
export interface RequestOptions {
  /** Display and address of To, by default the Request-URI. */
  to?: string;
  callId?: string;
  cseq?: number;
  fromTag?: string;
  branch?: string;
  /** null: none. */
  maxForwards?: number | null;
  /** Route header values. */
  routes?: string[];
  headers?: HeaderLine[];
  body?: string;
  contentType?: string;
  /** Contact value; false: none. Default: its own address for dialog-forming requests and REGISTER. */
  contact?: string | false;
}

/** What a response is to be. */
export interface ResponseOptions {
  /** To tag; a fixed one per user agent and Call-ID by default. */
  toTag?: string;
  headers?: HeaderLine[];
  body?: string;
}

export interface Received {
  message: SipMessage;
  /** When it came, ms of `performance.now()`. */
  at: number;
}

const DIALOG_FORMING = new Set(['INVITE', 'SUBSCRIBE', 'REFER', 'REGISTER', 'UPDATE', 'NOTIFY']);

/** A random token for tags, branches and Call-IDs. */
export function token(): string {
  return randomBytes(8).toString('hex');
}

export class Ua {
  readonly user: string;
  readonly password: string;
  readonly domain: string;
  readonly transport: 'udp' | 'tcp';
  readonly inbox = new Mailbox<Received>();
  /** Answer double CRLF keepalives counted (RFC 5626 4.4.1): single CRLFs that came over TCP. */
  pongs = 0;
  /** Whether the far end has closed the TCP connection. */
  closed = false;
  readonly #proxy: { host: string; port: number };
  #registered = false;
  #udp: UdpSocket | undefined;
  #tcp: Socket | undefined;

  private constructor(options: UaOptions) {
    this.user = options.user;
    this.password = options.password ?? `demo-${options.user}`;
    this.domain = options.domain ?? 'strowger.test';
    this.transport = options.transport ?? 'udp';
    const [host = '', port = ''] = options.proxy.split(':');
    this.#proxy = { host, port: Number(port) };
  }

  /** Opens its socket, on a port of its own on 127.0.0.1. */
  static async open(options: UaOptions): Promise<Ua> {
    const ua = new Ua(options);
    await (ua.transport === 'udp' ? ua.#openUdp(options.port ?? 0) : ua.#openTcp());
    return ua;
  }

  async #openUdp(port: number): Promise<void> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(port, '127.0.0.1', resolve));
    socket.on('message', (bytes) => this.#take(SipMessage.parse(bytes)));
    this.#udp = socket;
  }

  async #openTcp(): Promise<void> {
    const socket = connect({ ...this.#proxy, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const framer = new Framer();
    socket.on('data', (bytes) => {
      for (const message of framer.read(bytes)) this.#take(message);
      this.pongs = framer.keepalives;
    });
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('error', () => undefined); // followed by `close`
    this.#tcp = socket;
  }

  #take(message: SipMessage): void {
    this.inbox.push({ message, at: performance.now() });
  }

  get port(): number {
    return this.#udp?.address().port ?? this.#tcp?.localPort ?? 0;
  }

  get aor(): string {
    return `sip:${this.user}@${this.domain}`;
  }

  /** The URI it is reached by. */
  get contactUri(): string {
    return `sip:${this.user}@127.0.0.1:${this.port}${this.transport === 'tcp' ? ';transport=tcp' : ''}`;
  }

  /** Sends bytes as they are. */
  sendRaw(bytes: Buffer | string): void {
    const data = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes;
    if (this.#tcp) this.#tcp.write(data);
    else this.#udp?.send(data, this.#proxy.port, this.#proxy.host);
  }

  send(message: SipMessage): void {
    this.sendRaw(message.toBuffer());
  }

  /** A request with everything that RFC 3261 8.1.1 asks for. */
  request(method: string, uri: string, options: RequestOptions = {}): SipMessage {
    const via = `SIP/2.0/${this.transport.toUpperCase()} 127.0.0.1:${this.port};branch=${options.branch ?? `z9hG4bK${token()}`};rport`;
    const lines: HeaderLine[] = [['Via', via]];
    for (const route of options.routes ?? []) lines.push(['Route', route]);
    if (options.maxForwards !== null) lines.push(['Max-Forwards', String(options.maxForwards ?? 70)]);
    lines.push(['From', `<${this.aor}>;tag=${options.fromTag ?? token()}`]);
    lines.push(['To', options.to ?? `<${uri}>`]);
    lines.push(['Call-ID', options.callId ?? `${token()}@e2e`]);
    lines.push(['CSeq', `${options.cseq ?? 1} ${method}`]);
    const contact = options.contact ?? (DIALOG_FORMING.has(method) ? `<${this.contactUri}>` : false);
    if (contact) lines.push(['Contact', contact]);
    lines.push(...(options.headers ?? []));
    if (options.body) lines.push(['Content-Type', options.contentType ?? 'application/sdp']);
    return new SipMessage(`${method} ${uri} SIP/2.0`, lines, options.body);
  }

  /** A response to a request, with its own Contact where it forms a dialog (RFC 3261 8.2.6). */
  response(request: SipMessage, status: number, reason: string, options: ResponseOptions = {}): SipMessage {
    const copied: HeaderLine[] = [];
    for (const name of ['Via', 'Record-Route', 'From']) {
      for (const value of request.headers(name)) copied.push([name, value]);
    }
    const to = request.header('to');
    const tag = options.toTag ?? `${this.user}-${this.port}`;
    copied.push(['To', status === 100 || parameter(to, 'tag') !== undefined ? to : `${to};tag=${tag}`]);
    copied.push(['Call-ID', request.callId], ['CSeq', request.header('cseq')]);
    if (request.method === 'INVITE' && status > 100 && status < 300)
      copied.push(['Contact', `<${this.contactUri}>`]);
    copied.push(...(options.headers ?? []));
    if (options.body) copied.push(['Content-Type', 'application/sdp']);
    return new SipMessage(`SIP/2.0 ${status} ${reason}`, copied, options.body);
  }

  /** Sends a response. */
  reply(request: SipMessage, status: number, reason: string, options: ResponseOptions = {}): SipMessage {
    const response = this.response(request, status, reason, options);
    this.send(response);
    return response;
  }

  /** The hop-by-hop ACK of a final response that is no 2xx (RFC 3261 17.1.1.3). */
  acknowledge(invite: SipMessage, response: SipMessage): void {
    const ack = new SipMessage(invite.startLine.replace(/^INVITE/, 'ACK'), [
      ['Via', invite.header('via')],
      ...invite.headers('route').map((value): HeaderLine => ['Route', value]),
      ['Max-Forwards', '70'],
      ['From', invite.header('from')],
      ['To', response.header('to')],
      ['Call-ID', invite.callId],
      ['CSeq', `${invite.cseq} ACK`],
    ]);
    this.send(ack);
  }

  /** The CANCEL of a request it has sent (RFC 3261 9.1). */
  cancel(request: SipMessage): SipMessage {
    const cancel = new SipMessage(request.startLine.replace(/^\S+/, 'CANCEL'), [
      ['Via', request.header('via')],
      ...request.headers('route').map((value): HeaderLine => ['Route', value]),
      ['Max-Forwards', '70'],
      ['From', request.header('from')],
      ['To', request.header('to')],
      ['Call-ID', request.callId],
      ['CSeq', `${request.cseq} CANCEL`],
    ]);
    this.send(cancel);
    return cancel;
  }

  /** Takes the next message that fits, waiting for it. */
  async next(what: string, fits: (message: SipMessage) => boolean, timeoutMs = 3_000): Promise<SipMessage> {
    const received = await this.inbox.take(
      `${this.user}: ${what}`,
      ({ message }) => fits(message),
      timeoutMs,
      ({ message }) => message.summary(),
    );
    return received.message;
  }

  /** Takes the next request of that method. */
  incoming(method: string, timeoutMs = 3_000): Promise<SipMessage> {
    return this.next(method, (message) => message.isRequest && message.method === method, timeoutMs);
  }

  /** Takes the next response to a request; `wanted` chooses by status, by default any final one. */
  answer(
    request: SipMessage,
    wanted = (status: number) => status >= 200,
    timeoutMs = 3_000,
  ): Promise<SipMessage> {
    return this.next(
      `answer to ${request.summary()}`,
      (message) =>
        !message.isRequest &&
        message.callId === request.callId &&
        message.header('cseq') === request.header('cseq') &&
        wanted(message.status),
      timeoutMs,
    );
  }

  /** Messages of a method (or status) that came so far, taken or not. */
  count(fits: (message: SipMessage) => boolean): number {
    return this.inbox.all.filter(({ message }) => fits(message)).length;
  }

  /** A copy of a challenged request with credentials, the next CSeq and a new branch (RFC 3261 22.2). */
  authorize(request: SipMessage, challenged: SipMessage, algorithm = 'MD5', who?: Credentials): SipMessage {
    const challenge = challengesOf(challenged).find((one) => one.algorithm.toUpperCase() === algorithm);
    if (!challenge) throw new Error(`no ${algorithm} challenge in ${challenged.toBuffer()}`);
    const again = request.clone();
    const credentials = who ?? { user: this.user, password: this.password };
    const value = authorization(challenge, credentials, request.method, request.uri);
    again.set('Via', request.header('via').replace(/branch=[^;]+/, `branch=z9hG4bK${token()}`));
    again.set('CSeq', `${request.cseq + 1} ${request.method}`);
    return again.set(challenged.status === 407 ? 'Proxy-Authorization' : 'Authorization', value);
  }

  /** Sends a request, answers a challenge, and returns the final response with the request it answers. */
  async transact(
    request: SipMessage,
    timeoutMs = 3_000,
  ): Promise<{ request: SipMessage; response: SipMessage }> {
    this.send(request);
    const response = await this.answer(request, undefined, timeoutMs);
    if (response.status !== 401 && response.status !== 407) return { request, response };
    if (request.method === 'INVITE') this.acknowledge(request, response);
    const again = this.authorize(request, response);
    this.send(again);
    return { request: again, response: await this.answer(again, undefined, timeoutMs) };
  }

  /**
   * Registers its own address, or the Contact values given; returns the response.
   * `expires` in seconds; 0 removes the binding.
   */
  async register(
    options: { expires?: number; contacts?: string[]; headers?: HeaderLine[] } = {},
  ): Promise<SipMessage> {
    const request = this.request('REGISTER', `sip:${this.domain}`, {
      to: `<${this.aor}>`,
      contact: (options.contacts ?? [`<${this.contactUri}>`]).join(', '),
      headers: [['Expires', String(options.expires ?? 300)], ...(options.headers ?? [])],
    });
    const { response } = await this.transact(request);
    if (response.status === 200) this.#registered = options.expires !== 0;
    return response;
  }

  /** Closes its socket, after it has taken back all contacts of its user if it has registered any. */
  async leave(): Promise<void> {
    if (this.#registered) await this.register({ contacts: ['*'], expires: 0 }).catch(() => undefined); // it may be gone
    this.close();
  }

  /**
   * Sends an INVITE and takes care of a challenge; returns the INVITE that was let through. The first answer to
   * it, if there is one already, is still in the inbox.
   */
  async invite(uri: string, options: RequestOptions = {}): Promise<SipMessage> {
    const first = this.request('INVITE', uri, { body: OFFER, ...options });
    this.send(first);
    const answer = await this.answer(first, () => true);
    if (answer.status !== 401 && answer.status !== 407) {
      this.inbox.putBack({ message: answer, at: performance.now() });
      return first;
    }
    this.acknowledge(first, answer);
    const again = this.authorize(first, answer);
    this.send(again);
    return again;
  }

  /** A request within a dialog; ACK repeats the INVITE's CSeq, others take the next. */
  within(dialog: Dialog, method: string, options: RequestOptions = {}): SipMessage {
    if (method !== 'ACK') dialog.cseq++;
    const request = this.request(method, dialog.target, {
      to: dialog.remote,
      callId: dialog.callId,
      cseq: dialog.cseq,
      routes: dialog.routes,
      ...options,
    });
    return request.set('From', dialog.local);
  }

  /** Waits until the switch has closed the TCP connection. */
  async closedByPeer(timeoutMs: number): Promise<void> {
    await eventually(`${this.user}: connection closed`, () => this.closed, timeoutMs, 10);
  }

  close(): void {
    this.#udp?.close();
    this.#udp = undefined;
    this.#tcp?.destroy();
  }
}

/** An offer of PCMU and telephone-event to an address where nobody listens. */
export const OFFER = [
  'v=0',
  'o=- 3901 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 9 RTP/AVP 0 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-16',
  'a=sendrecv',
  '',
].join('\r\n');

/** An answer to {@link OFFER}. */
export const ANSWER = OFFER.replace('o=- 3901', 'o=- 3902');
