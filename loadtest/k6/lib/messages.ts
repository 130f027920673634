/** SIP messages as text (RFC 3261 7): reading, writing, and what a user agent builds out of another message. */

export type Header = [name: string, value: string];

export interface SipMessage {
  /** `INVITE sip:bob@example.org SIP/2.0` or `SIP/2.0 200 OK`. */
  startLine: string;
  headers: Header[];
  body: string;
}

/** Compact forms of the headers that are looked at (RFC 3261 7.3.3). */
const COMPACT: Record<string, string> = {
  c: 'content-type',
  f: 'from',
  i: 'call-id',
  l: 'content-length',
  m: 'contact',
  t: 'to',
  v: 'via',
};

/** Reads one whole message, as a WebSocket frame carries it (RFC 7118 5). Names become lower case and long. */
export function parseMessage(text: string): SipMessage {
  const end = text.indexOf('\r\n\r\n');
  const head = end < 0 ? text : text.slice(0, end);
  const [startLine = '', ...lines] = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  return { startLine, headers: lines.map(parseHeader), body: end < 0 ? '' : text.slice(end + 4) };
}

function parseHeader(line: string): Header {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon).trim().toLowerCase();
  return [COMPACT[name] ?? name, line.slice(colon + 1).trim()];
}

/** As sent, with its Content-Length. Bodies are ASCII. */
export function formatMessage({ startLine, headers, body }: SipMessage): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `${startLine}\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** All values of a header, one for each line. `name` is long and in lower case. */
export function headers(message: SipMessage, name: string): string[] {
  return message.headers.filter(([one]) => one === name).map(([, value]) => value);
}

/** First value of a header, '' when there is none. `name` is long and in lower case. */
export function header(message: SipMessage, name: string): string {
  return message.headers.find(([one]) => one === name)?.[1] ?? '';
}

/** Status code of a response, 0 for a request. */
export function statusOf({ startLine }: SipMessage): number {
  return startLine.startsWith('SIP/2.0 ') ? Number(startLine.slice(8, 11)) : 0;
}

/** Method of a request, or of the request that a response answers. */
export function methodOf(message: SipMessage): string {
  if (statusOf(message) === 0) return message.startLine.slice(0, message.startLine.indexOf(' '));
  return header(message, 'cseq').split(' ')[1] ?? '';
}

/** Branch of the topmost Via: names the transaction (RFC 3261 17.1.3). */
export function branchOf(message: SipMessage): string {
  return /;\s*branch=([^;,\s]+)/i.exec(header(message, 'via'))?.[1] ?? '';
}

/** The URI within `"Bob" <sip:bob@example.org;lr>;tag=1`. */
export function uriOf(address: string): string {
  return /<([^>]*)>/.exec(address)?.[1] ?? address.split(';')[0]!.trim();
}

/** Whether a From or To has a tag. */
export function hasTag(address: string): boolean {
  return /;\s*tag=/i.test(address.slice(address.lastIndexOf('>') + 1));
}

/** Route set of a caller (RFC 3261 12.1.2): the Record-Routes of a response, the last first. */
export function routeSet(response: SipMessage): string[] {
  // Splitting at a comma that leads to "<" leaves those within a URI alone.
  return headers(response, 'record-route')
    .flatMap((line) => line.split(/\s*,\s*(?=<)/))
    .reverse();
}

/** A response to a request (RFC 3261 8.2.6.2); `tag` goes into the To that has none. */
export function responseTo(
  request: SipMessage,
  status: string,
  tag: string,
  more: Header[] = [],
  body = '',
): SipMessage {
  const copied = request.headers.filter(([name]) => COPIED.has(name));
  const lines = copied.map(([name, value]): Header => {
    return [name, name === 'to' && !hasTag(value) ? `${value};tag=${tag}` : value];
  });
  return { startLine: `SIP/2.0 ${status}`, headers: [...lines, ...more], body };
}

const COPIED = new Set(['via', 'record-route', 'from', 'to', 'call-id', 'cseq']);

/** A random token of about 50 bits, for tags, branches and Call-IDs. */
export function token(): string {
  return Math.random().toString(36).slice(2, 12).padEnd(10, '0');
}
