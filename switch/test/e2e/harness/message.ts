/**
 * SIP messages as the tests' own user agent sees them: a start line, headers in order, a body.
 * Deliberately another implementation than the switch's, and deliberately simple.
 */

/** Compact header names (RFC 3261 7.3.3). */
const COMPACT: Record<string, string> = {
  c: 'content-type',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  s: 'subject',
  t: 'to',
  v: 'via',
};

/** Headers whose values may share a line, separated by commas. */
const LISTS = new Set([
  'via',
  'route',
  'record-route',
  'contact',
  'unsupported',
  'supported',
  'require',
  'allow',
]);

function fullName(name: string): string {
  const lower = name.toLowerCase();
  return COMPACT[lower] ?? lower;
}

export type HeaderLine = [name: string, value: string];

export class SipMessage {
  startLine: string;
  lines: HeaderLine[];
  body: string;

  constructor(startLine: string, lines: HeaderLine[], body = '') {
    this.startLine = startLine;
    this.lines = lines;
    this.body = body;
  }

  /** Reads a whole message; the body is what follows the blank line. */
  static parse(bytes: Buffer): SipMessage {
    const text = bytes.toString('utf8');
    const blank = text.indexOf('\r\n\r\n');
    const head = (blank < 0 ? text : text.slice(0, blank)).replace(/\r\n[ \t]+/g, ' ').split('\r\n');
    const lines = head.slice(1).map((line): HeaderLine => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    });
    return new SipMessage(head[0] ?? '', lines, blank < 0 ? '' : text.slice(blank + 4));
  }

  /** Status code, or 0 for a request. */
  get status(): number {
    return Number(/^SIP\/2\.0 (\d{3})/.exec(this.startLine)?.[1] ?? 0);
  }

  /** Method of a request, or of a response's CSeq. */
  get method(): string {
    if (this.status === 0) return this.startLine.split(' ')[0] ?? '';
    return this.header('cseq').split(/\s+/)[1] ?? '';
  }

  get isRequest(): boolean {
    return this.status === 0;
  }

  /** Request-URI. */
  get uri(): string {
    return this.startLine.split(' ')[1] ?? '';
  }

  get cseq(): number {
    return Number.parseInt(this.header('cseq'), 10);
  }

  get callId(): string {
    return this.header('call-id');
  }

  /** Every value of a header, in order, lists taken apart. */
  headers(name: string): string[] {
    const wanted = fullName(name);
    const values = this.lines.filter(([one]) => fullName(one) === wanted).map(([, value]) => value);
    return LISTS.has(wanted) ? values.flatMap(splitList) : values;
  }

  /** First value of a header, '' when absent. */
  header(name: string): string {
    return this.headers(name)[0] ?? '';
  }

  has(name: string): boolean {
    return this.headers(name).length > 0;
  }

  /** Replaces a header by one with that value, in its place or at the end; undefined removes it. */
  set(name: string, value: string | undefined): this {
    const wanted = fullName(name);
    const at = this.lines.findIndex(([one]) => fullName(one) === wanted);
    this.lines = this.lines.filter(([one]) => fullName(one) !== wanted);
    if (value !== undefined) this.lines.splice(at < 0 ? this.lines.length : at, 0, [name, value]);
    return this;
  }

  /** Adds a header line at the end. */
  add(name: string, value: string): this {
    this.lines.push([name, value]);
    return this;
  }

  /** A copy that can be changed on its own. */
  clone(): SipMessage {
    return new SipMessage(
      this.startLine,
      this.lines.map(([name, value]): HeaderLine => [name, value]),
      this.body,
    );
  }

  /** As sent, with the Content-Length of its body unless it has one. */
  toBuffer(): Buffer {
    const body = Buffer.from(this.body, 'utf8');
    const lines = this.lines.map(([name, value]) => `${name}: ${value}`);
    if (!this.has('content-length')) lines.push(`Content-Length: ${body.length}`);
    return Buffer.concat([Buffer.from(`${[this.startLine, ...lines].join('\r\n')}\r\n\r\n`, 'utf8'), body]);
  }

  /** Start line and the headers that identify it, for messages of failed tests. */
  summary(): string {
    return `${this.startLine} (${this.header('cseq')}, Call-ID ${this.callId})`;
  }
}

/** Splits at the commas outside quotes and angle brackets. */
function splitList(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  let angle = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (quoted && char === '\\') i++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && char === '<') angle = true;
    else if (!quoted && char === '>') angle = false;
    else if (!quoted && !angle && char === ',') {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  return [...parts, text.slice(start).trim()];
}

/** Value of a parameter after the address or value (`;tag=x`), '' when it has none, undefined when absent. */
export function parameter(value: string, name: string): string | undefined {
  const after = value.includes('>') ? value.slice(value.lastIndexOf('>') + 1) : value;
  for (const part of after.split(';').slice(1)) {
    const [key = '', text = ''] = part.trim().split('=');
    if (key.toLowerCase() === name.toLowerCase()) return text;
  }
  return undefined;
}

/** The URI inside an address: `"Bob" <sip:b@c>;tag=1` gives `sip:b@c`. */
export function addressUri(value: string): string {
  return /<([^>]*)>/.exec(value)?.[1] ?? value.split(';')[0]!.trim();
}
