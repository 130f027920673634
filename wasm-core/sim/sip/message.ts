/**
 * SIP messages as phones and checkers of a simulation read them: a start line, header fields in order, a body. Another
 * implementation than the core's, on purpose, and forgiving: what is wrong with a message is for checkers to say.
 */

/** Full names of compact forms (RFC 3261 7.3.3 and the IANA registry). */
const COMPACT = new Map([
  ['c', 'content-type'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['t', 'to'],
  ['v', 'via'],
]);

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export class SipMessage {
  readonly startLine: string;
  /** Lower-case, full names. */
  readonly names: string[];
  readonly values: string[];
  readonly body: string;
  /** Bytes of the body as it came. */
  readonly bodyBytes: number;

  constructor(startLine: string, names: string[], values: string[], body: string, bodyBytes: number) {
    this.startLine = startLine;
    this.names = names;
    this.values = values;
    this.body = body;
    this.bodyBytes = bodyBytes;
  }

  /** Reads a message; null when it has no end of its header fields or no start line. */
  static parse(bytes: Uint8Array): SipMessage | null {
    const text = decoder.decode(bytes);
    let start = 0; // empty lines before a message are nothing (7.5)
    while (text[start] === '\r' || text[start] === '\n') start++;
    const blank = text.indexOf('\r\n\r\n', start);
    const lineEnd = text.indexOf('\n', start); // a bare LF ends a line, too, as the core has it
    if (blank < 0 || lineEnd <= 0) return null;
    const names: string[] = [];
    const values: string[] = [];
    for (let at = lineEnd + 1; at < blank + 2; ) {
      const end = text.indexOf('\n', at);
      const first = text.charCodeAt(at);
      if ((first === 32 || first === 9) && values.length > 0) {
        values[values.length - 1] += ` ${text.slice(at, end).trim()}`; // folded (7.3.1)
      } else {
        const colon = text.indexOf(':', at);
        if (colon < 0 || colon > end) return null;
        const name = text.slice(at, colon).trim().toLowerCase();
        names.push(COMPACT.get(name) ?? name);
        values.push(text.slice(colon + 1, end).trim());
      }
      at = end + 1;
    }
    const body = text.slice(blank + 4);
    // In ASCII, a character is a byte; what is not UTF-8 has no length as text.
    const bodyBytes = text.length === bytes.length ? body.length : bytes.length - endOfHead(bytes, start);
    const startLine = text.slice(start, text[lineEnd - 1] === '\r' ? lineEnd - 1 : lineEnd);
    return new SipMessage(startLine, names, values, body, bodyBytes);
  }

  /** Status code, 0 for a request. */
  get status(): number {
    return this.startLine.startsWith('SIP/2.0 ') ? Number(this.startLine.slice(8, 11)) : 0;
  }

  get isRequest(): boolean {
    return !this.startLine.startsWith('SIP/2.0 ');
  }

  /** Method of a request, or of a response's CSeq. */
  get method(): string {
    if (this.isRequest) return this.startLine.slice(0, this.startLine.indexOf(' '));
    const cseq = this.header('cseq');
    return cseq.slice(cseq.lastIndexOf(' ') + 1);
  }

  /** Request-URI, '' of a response. */
  get uri(): string {
    return this.isRequest ? (this.startLine.split(' ')[1] ?? '') : '';
  }

  get callId(): string {
    return this.header('call-id');
  }

  /** CSeq number; NaN when there is none. */
  get cseq(): number {
    return Number.parseInt(this.header('cseq'), 10);
  }

  /** First value of a header field by its lower-case full name, '' when absent. */
  header(name: string): string {
    const at = this.names.indexOf(name);
    return at < 0 ? '' : this.values[at]!;
  }

  /** Values of a header field, lines in order, comma-separated lists taken apart. */
  headers(name: string): string[] {
    const found: string[] = [];
    for (let i = 0; i < this.names.length; i++) {
      if (this.names[i] === name) found.push(...splitList(this.values[i]!));
    }
    return found;
  }

  get fromTag(): string {
    return parameter(this.header('from'), 'tag');
  }

  get toTag(): string {
    return parameter(this.header('to'), 'tag');
  }

  /** Branch of the topmost Via. */
  get branch(): string {
    return parameter(this.headers('via')[0] ?? '', 'branch').split('\r', 1)[0]!; // a bare CR ends it, as every other separator
  }
}

/** Parts between commas that stand neither in quotes nor in angle brackets. */
export function splitList(value: string): string[] {
  if (!value.includes(',')) return [value];
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  let angle = false;
  for (let i = 0; i < value.length; i++) {
    const c = value[i];
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '<') angle = true;
    else if (c === '>') angle = false;
    else if (c === ',' && !angle) {
      parts.push(value.slice(from, i).trim());
      from = i + 1;
    }
  }
  parts.push(value.slice(from).trim());
  return parts;
}

/** Value of a parameter behind the URI of a value (From, To, Contact) or of a Via; '' when absent or without value. */
export function parameter(value: string, name: string): string {
  let at = value.indexOf(';', value.lastIndexOf('>') + 1);
  while (at >= 0) {
    const next = value.indexOf(';', at + 1);
    const end = next < 0 ? value.length : next;
    let equals = value.indexOf('=', at + 1);
    if (equals < 0 || equals > end) equals = end;
    if (isName(value, at + 1, equals, name)) return value.slice(equals + 1, end).trim();
    at = next;
  }
  return '';
}

/** Whether `name`, in any case and with spaces around it, stands there. */
function isName(value: string, from: number, to: number, name: string): boolean {
  if (to - from === name.length && value.startsWith(name, from)) return true;
  return to - from >= name.length && value.slice(from, to).trim().toLowerCase() === name;
}

/** The URI of a From, To, Contact, Route or Record-Route value, without its brackets. */
export function uriOf(value: string): string {
  // A quoted display name may hold anything.
  const open = value.indexOf('<', value.charCodeAt(0) === 34 ? endOfQuoted(value) : 0);
  if (open < 0) return value.split(';')[0]!.trim();
  const close = value.indexOf('>', open);
  return value.slice(open + 1, close < 0 ? undefined : close);
}

/** Where the quoted string at the beginning ends. */
function endOfQuoted(value: string): number {
  for (let i = 1; i < value.length; i++) {
    if (value[i] === '\\') i++;
    else if (value[i] === '"') return i;
  }
  return value.length;
}

/** User part of a SIP URI, '' when it has none. */
export function userOf(uri: string): string {
  const found = /^sips?:([^@;?]*)@/i.exec(uri);
  return found?.[1] ?? '';
}

/** A message as bytes; Content-Length is written last, from the body. */
export function compose(startLine: string, fields: readonly string[], body = ''): Uint8Array {
  const length = body === '' ? 0 : encoder.encode(body).length;
  return encoder.encode(`${startLine}\r\n${fields.join('\r\n')}\r\nContent-Length: ${length}\r\n\r\n${body}`);
}

/** Where the body begins; there is an end of the header fields. */
function endOfHead(bytes: Uint8Array, start: number): number {
  let at = start + 3;
  while (bytes[at - 3] !== 13 || bytes[at - 2] !== 10 || bytes[at - 1] !== 13 || bytes[at] !== 10) at++;
  return at + 1;
}
