/**
 * How a phone writes its messages. What RFC 3261 leaves open (7.3) is drawn once for each phone, so that the core's parser meets
 * what real phones write: compact and upper-case names, other orders, folded lines, display names that hold separators.
 */
import type { Random } from '../random.ts';
import type { SipMessage } from '../sip/message.ts';

const FULL = {
  via: 'Via',
  route: 'Route',
  recordRoute: 'Record-Route',
  from: 'From',
  to: 'To',
  callId: 'Call-ID',
  cseq: 'CSeq',
  contact: 'Contact',
  maxForwards: 'Max-Forwards',
  contentType: 'Content-Type',
  contentLength: 'Content-Length',
};
type Names = typeof FULL;
const COMPACT: Names = {
  ...FULL,
  via: 'v',
  from: 'f',
  to: 't',
  callId: 'i',
  contact: 'm',
  contentType: 'c',
  contentLength: 'l',
};
const UPPER = Object.fromEntries(
  Object.entries(FULL).map(([key, name]) => [key, name.toUpperCase()]),
) as Names;

const DISPLAY_NAMES = [
  '',
  '',
  'Alice',
  '"Meyer, Anna"',
  '"a \\"quoted\\" name"',
  '"<sip:nobody@elsewhere.test>;tag=none"',
  '"Caf\u00e9"',
  'Two Words',
];
const EXTRAS = [
  '',
  '',
  'User-Agent: phone of a simulation\r\n',
  'Subject: a, b; c=d\r\nX-Empty:\r\n',
  'Date: Sat, 13 Nov 2010 23:29:00 GMT\r\nOrganization: \r\n',
  'X-Long: one\r\n two\r\n\tthree\r\n',
];
const REASONS = new Map([
  [100, 'Trying'],
  [180, 'Ringing'],
  [200, 'OK'],
  [302, 'Moved Temporarily'],
  [400, 'Bad Request'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [480, 'Temporarily Unavailable'],
  [481, 'Call/Transaction Does Not Exist'],
  [482, 'Loop Detected'],
  [486, 'Busy Here'],
  [487, 'Request Terminated'],
  [488, 'Not Acceptable Here'],
  [491, 'Request Pending'],
  [500, 'Server Internal Error'],
  [501, 'Not Implemented'],
  [503, 'Service Unavailable'],
  [603, 'Decline'],
]);
const MAX_FORWARDS = 70;

/** What makes up a request. */
export interface RequestParts {
  method: string;
  /** Request-URI. */
  uri: string;
  /** The value of its one Via. */
  via: string;
  /** Route values. */
  routes: readonly string[];
  /** Whole values, with tags. */
  from: string;
  to: string;
  callId: string;
  cseq: number;
  /** Whole value; '': none. */
  contact: string;
  /** More header lines, each with its end. */
  more: string;
  body: string;
}

/** What makes up a response, beside what is taken from its request. */
export interface ResponseParts {
  status: number;
  /** Added to To where that has no tag; '': none. */
  toTag: string;
  contact: string;
  /** Whether the Record-Route of the request is repeated: it makes a dialog (12.1.1). */
  makesDialog: boolean;
  more: string;
  body: string;
}

export class Style {
  readonly #names: Names;
  readonly #colon: string;
  readonly #order: number;
  /** Several values in a line. */
  readonly #joined: boolean;
  readonly #folded: boolean;
  readonly #extra: string;
  readonly #display: string;
  /** `;rport` (RFC 3581), or nothing. */
  readonly #rport: string;

  constructor(random: Random) {
    this.#names = random.pick([FULL, FULL, COMPACT, UPPER]);
    this.#colon = random.pick([': ', ': ', ':', ' : ']);
    this.#order = random.below(3);
    this.#joined = random.chance(300);
    this.#folded = random.chance(200);
    this.#extra = random.pick(EXTRAS);
    this.#display = random.pick(DISPLAY_NAMES);
    this.#rport = random.chance(800) ? ';rport' : '';
  }

  /** A From value of a phone's own. */
  from(uri: string, tag: string): string {
    const space = this.#folded ? '\r\n ' : ' ';
    return `${this.#display === '' ? '' : this.#display + space}<${uri}>;tag=${tag}`;
  }

  /** @param sentBy  protocol, transport, host and port */
  via(sentBy: string, branch: string): string {
    return this.#order === 1
      ? `${sentBy}${this.#rport};branch=${branch}`
      : `${sentBy};branch=${branch}${this.#rport}`;
  }

  request(p: RequestParts): string {
    const n = this.#names;
    const c = this.#colon;
    const via = `${n.via}${c}${p.via}\r\n`;
    const forwards = `${n.maxForwards}${c}${MAX_FORWARDS}\r\n`;
    const routes = p.routes.length === 0 ? '' : this.#list(n.route, p.routes);
    const contact = p.contact === '' ? '' : `${n.contact}${c}${p.contact}\r\n`;
    const more = contact + p.more + this.#extra;
    const from = `${n.from}${c}${p.from}\r\n`;
    const to = `${n.to}${c}${p.to}\r\n`;
    const ids = `${n.callId}${c}${p.callId}\r\n${n.cseq}${c}${p.cseq} ${p.method}\r\n`;
    const start = `${p.method} ${p.uri} SIP/2.0\r\n`;
    const content = this.#content(p.body);
    switch (this.#order) {
      case 0:
        return `${start}${via}${routes}${forwards}${from}${to}${ids}${more}${content}\r\n${p.body}`;
      case 1:
        return `${start}${from}${to}${ids}${via}${routes}${more}${content}${forwards}\r\n${p.body}`;
      default:
        return `${start}${content}${ids}${forwards}${to}${from}${more}${routes}${via}\r\n${p.body}`;
    }
  }

  /** @param vias  those of the request, the first one with what the receiver adds */
  response(request: SipMessage, vias: readonly string[], p: ResponseParts): string {
    const n = this.#names;
    const c = this.#colon;
    const start = `SIP/2.0 ${p.status} ${REASONS.get(p.status) ?? 'Status'}\r\n`;
    const via = this.#list(n.via, vias);
    const routes = p.makesDialog ? this.#recordRoutes(request) : '';
    const to = request.header('to');
    const tag = p.toTag === '' || request.toTag !== '' ? '' : `;tag=${p.toTag}`;
    const from = `${n.from}${c}${request.header('from')}\r\n${n.to}${c}${to}${tag}\r\n`;
    const ids = `${n.callId}${c}${request.callId}\r\n${n.cseq}${c}${request.header('cseq')}\r\n`;
    const more = (p.contact === '' ? '' : `${n.contact}${c}${p.contact}\r\n`) + p.more + this.#extra;
    const content = this.#content(p.body);
    return this.#order === 2
      ? `${start}${content}${from}${ids}${via}${more}${routes}\r\n${p.body}`
      : `${start}${via}${routes}${from}${ids}${more}${content}\r\n${p.body}`;
  }

  #recordRoutes(request: SipMessage): string {
    const values = request.headers('record-route');
    return values.length === 0 ? '' : this.#list(this.#names.recordRoute, values);
  }

  #list(name: string, values: readonly string[]): string {
    const c = this.#colon;
    if (values.length === 1) return `${name}${c}${values[0]}\r\n`;
    if (this.#joined) return `${name}${c}${values.join(this.#folded ? ',\r\n  ' : ', ')}\r\n`;
    let lines = '';
    for (const value of values) lines += `${name}${c}${value}\r\n`;
    return lines;
  }

  /** Bodies are ASCII. */
  #content(body: string): string {
    const n = this.#names;
    const c = this.#colon;
    const length = `${n.contentLength}${c}${body.length}\r\n`;
    return body === '' ? length : `${n.contentType}${c}application/sdp\r\n${length}`;
  }
}
