/**
 * The messages of a probe, written without strings: requests from templates into which the number of the call is patched,
 * responses by copying lines of what arrived (RFC 3261 8.2.6.2), in-dialog requests with the remote target and the route set
 * of the 200 (12.2.1.1).
 */

/** Digits of a call's number. */
export const DIGITS = 8;
const NUMBER = '0'.repeat(DIGITS);

/** Record-Route values that are read. */
const VALUES_MAX = 16;

const CR = 13;
const LF = 10;
const TAB = 9;
const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const LEFT = 60;
const RIGHT = 62;

/** Bytes with places where the call's number goes. */
export class Template {
  readonly bytes: Buffer;
  readonly #places: number[] = [];

  /** @param text CRLF line ends; each `@N@` stands for the number. */
  constructor(text: string) {
    const parts = text.split('@N@');
    let at = 0;
    for (const part of parts.slice(0, -1)) {
      at += Buffer.byteLength(part);
      this.#places.push(at);
      at += DIGITS;
    }
    this.bytes = Buffer.from(parts.join(NUMBER));
  }

  /** Writes it for a call at `at`; returns where it ends. */
  write(memory: Buffer, at: number, call: number): number {
    this.bytes.copy(memory, at);
    for (const place of this.#places) {
      let rest = call;
      for (let i = at + place + DIGITS - 1; i >= at + place; i--) {
        memory[i] = 48 + (rest % 10);
        rest = Math.floor(rest / 10);
      }
    }
    return at + this.bytes.length;
  }
}

/** What a dialog's requests are addressed by: its remote target, and after it its Route lines. */
export interface DialogRoute {
  /** Where they lie. */
  readonly at: number;
  targetLength: number;
  routesLength: number;
}

/** Who calls whom, and from where. */
export interface Parties {
  /** Tells the calls of one probe from those of others: a token (RFC 3261 25.1). */
  run: string;
  user: string;
  domain: string;
  /** `address:port` of each side. */
  caller: string;
  callee: string;
}

function lines(...all: string[]): string {
  return all.map((line) => `${line}\r\n`).join('');
}

function sdp(owner: string, address: string): string {
  return lines(
    'v=0',
    `o=${owner} 1 1 IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    'm=audio 6000 RTP/AVP 0',
    'a=rtpmap:0 PCMU/8000',
  );
}

/** Templates of one probe. */
export class Messages {
  readonly invite: Template;
  /** What stands before the number of the call in a Call-ID, and nowhere else in a message. */
  readonly callIdStart: Buffer;
  readonly #ack: Template;
  readonly #bye: Template;
  readonly #refusedHead: Template;
  readonly #refusedTail: Template;
  readonly #via: Record<'ACK' | 'BYE', Template>;
  readonly #ringing: Template;
  readonly #answer: Template;
  readonly #toTag: Template;
  readonly #noBody = Buffer.from('Content-Length: 0\r\n\r\n');
  readonly #statuses = {
    180: Buffer.from('SIP/2.0 180 Ringing\r\n'),
    200: Buffer.from('SIP/2.0 200 OK\r\n'),
  };
  readonly #methods = { ACK: Buffer.from('ACK '), BYE: Buffer.from('BYE ') };
  readonly #route = Buffer.from('Route: ');
  readonly #lineEnd = Buffer.from('\r\n');
  /** Where values begin and end, two entries each. */
  readonly #values = new Int32Array(2 * VALUES_MAX);

  constructor({ run, user, domain, caller, callee }: Parties) {
    const body = sdp('alice', '127.0.0.1');
    const callId = `probe-${run}-`;
    this.callIdStart = Buffer.from(callId);
    const from = `From: "Alice" <sip:alice@${domain}>;tag=a${run}-@N@`;
    const via = (letter: string) => `Via: SIP/2.0/UDP ${caller};branch=z9hG4bK${letter}${run}-@N@`;
    this.#toTag = new Template(`;tag=c${run}-@N@\r\n`);
    this.invite = new Template(
      lines(
        `INVITE sip:${user}@${domain} SIP/2.0`,
        via('i'),
        'Max-Forwards: 70',
        from,
        `To: <sip:${user}@${domain}>`,
        `Call-ID: ${callId}@N@@127.0.0.1`,
        'CSeq: 1 INVITE',
        `Contact: <sip:alice@${caller};transport=UDP>`,
        'Content-Type: application/sdp',
        `Content-Length: ${body.length}`,
        '',
      ) + body,
    );
    const end = (cseq: string) => [
      `Call-ID: ${callId}@N@@127.0.0.1`,
      `CSeq: ${cseq}`,
      'Content-Length: 0',
      '',
    ];
    const to = `To: <sip:${user}@${domain}>;tag=c${run}-@N@`;
    this.#via = {
      ACK: new Template(` SIP/2.0\r\n${lines(via('a'))}`),
      BYE: new Template(` SIP/2.0\r\n${lines(via('b'))}`),
    };
    this.#ack = new Template(lines('Max-Forwards: 70', from, to, ...end('1 ACK')));
    this.#bye = new Template(lines('Max-Forwards: 70', from, to, ...end('2 BYE')));
    this.#refusedHead = new Template(
      lines(`ACK sip:${user}@${domain} SIP/2.0`, via('i'), 'Max-Forwards: 70', from),
    );
    this.#refusedTail = new Template(lines(...end('1 ACK')));
    const contact = `Contact: <sip:${user}@${callee};transport=UDP>`;
    const answer = sdp('answer', '127.0.0.1');
    this.#ringing = new Template(lines(contact, 'Content-Length: 0', ''));
    this.#answer = new Template(
      lines(contact, 'Content-Type: application/sdp', `Content-Length: ${answer.length}`, '') + answer,
    );
  }

  /** Writes ACK (of a 200) or BYE at `at`; returns where it ends. */
  inDialog(method: 'ACK' | 'BYE', memory: Buffer, at: number, call: number, route: DialogRoute): number {
    const routes = route.at + route.targetLength;
    let out = at + this.#methods[method].copy(memory, at);
    memory.copyWithin(out, route.at, routes);
    out = this.#via[method].write(memory, out + route.targetLength, call);
    memory.copyWithin(out, routes, routes + route.routesLength);
    return (method === 'ACK' ? this.#ack : this.#bye).write(memory, out + route.routesLength, call);
  }

  /** Writes the ACK of the refusal that lies at `from` to `end` (RFC 3261 17.1.1.3); returns where it ends. */
  ackOfRefusal(memory: Buffer, at: number, call: number, from: number, end: number): number {
    let out = this.#refusedHead.write(memory, at, call);
    for (let line = nextLine(memory, from); isHeader(memory, line, end); line = nextLine(memory, line)) {
      if (!isNamed(memory, line, TO)) continue;
      const next = nextLine(memory, line);
      memory.copyWithin(out, line, next);
      out += next - line;
    }
    return this.#refusedTail.write(memory, out, call);
  }

  /** Writes 180 or 200 to the INVITE, or 200 to the BYE, that lies at `from` to `end`; returns where it ends. */
  response(
    what: 180 | 200 | 'bye',
    memory: Buffer,
    at: number,
    call: number,
    from: number,
    end: number,
  ): number {
    let out = at + this.#statuses[what === 'bye' ? 200 : what].copy(memory, at);
    for (let line = nextLine(memory, from); isHeader(memory, line, end); ) {
      const next = nextLine(memory, line);
      if (isCopied(memory, line)) {
        memory.copyWithin(out, line, next);
        out += next - line;
        // The To of a request outside of a dialog gets the tag.
        if (what !== 'bye' && isNamed(memory, line, TO)) out = this.#toTag.write(memory, out - 2, call);
      }
      line = next;
    }
    if (what === 'bye') return out + this.#noBody.copy(memory, out);
    return (what === 180 ? this.#ringing : this.#answer).write(memory, out, call);
  }

  /**
   * Writes what the 200 that lies at `from` to `end` says about the dialog to `route.at`, and how long it is to `route`: the
   * URI of its Contact as the remote target, and its Record-Route values as Route lines, last first (RFC 3261 12.1.2).
   * Returns where it ends; the target is empty when there is no Contact with <>.
   */
  dialogRoute(memory: Buffer, route: DialogRoute, from: number, end: number): number {
    const values = this.#values;
    let count = 0;
    let out = route.at;
    for (let line = nextLine(memory, from); isHeader(memory, line, end); ) {
      const next = nextLine(memory, line);
      if (isNamed(memory, line, RECORD_ROUTE)) count = addValues(values, count, memory, line, next - 2);
      else if (isNamed(memory, line, CONTACT) && out === route.at) {
        const start = memory.indexOf(LEFT, line) + 1;
        const stop = memory.indexOf(RIGHT, start);
        if (start > line && stop < next) {
          memory.copyWithin(out, start, stop);
          out += stop - start;
        }
      }
      line = next;
    }
    route.targetLength = out - route.at;
    for (let i = 2 * (count - 1); i >= 0; i -= 2) {
      const start = values[i]!;
      const stop = values[i + 1]!;
      out += this.#route.copy(memory, out);
      memory.copyWithin(out, start, stop);
      out += stop - start;
      out += this.#lineEnd.copy(memory, out);
    }
    route.routesLength = out - route.at - route.targetLength;
    return out;
  }
}

/** A header's name in lower case, and its compact form (RFC 3261 7.3.3), 0 for none. */
class Name {
  readonly bytes: Buffer;
  readonly compact: number;

  constructor(name: string, compact = '') {
    this.bytes = Buffer.from(name);
    this.compact = compact === '' ? 0 : compact.charCodeAt(0);
  }
}

const TO = new Name('to', 't');
const CONTACT = new Name('contact', 'm');
const RECORD_ROUTE = new Name('record-route');
const COPIED = [
  new Name('via', 'v'),
  new Name('from', 'f'),
  TO,
  new Name('call-id', 'i'),
  new Name('cseq'),
  RECORD_ROUTE,
];

/** What responses take over from their request (RFC 3261 8.2.6.2, 12.1.1). */
function isCopied(memory: Buffer, line: number): boolean {
  for (let i = 0; i < COPIED.length; i++) if (isNamed(memory, line, COPIED[i]!)) return true;
  return false;
}

/** Whether a header line has that name; `-` and digits are not changed by setting the bit of lower case. */
function isNamed(memory: Buffer, line: number, { bytes, compact }: Name): boolean {
  if ((memory[line]! | 32) === compact && isNameEnd(memory[line + 1]!)) return true;
  for (let i = 0; i < bytes.length; i++) if ((memory[line + i]! | 32) !== bytes[i]) return false;
  return isNameEnd(memory[line + bytes.length]!);
}

function isNameEnd(byte: number): boolean {
  return byte === COLON || byte === SPACE || byte === TAB;
}

/** Whether a line that begins here is one of the header. */
function isHeader(memory: Buffer, line: number, end: number): boolean {
  return line < end && memory[line] !== CR;
}

/** Where the line after this one begins. Beyond all memory when there is none. */
function nextLine(memory: Buffer, from: number): number {
  const found = memory.indexOf(LF, from);
  return found < 0 ? memory.length : found + 1;
}

/** Adds the values of a header line, which commas outside of <> and quotes divide (RFC 3261 7.3.1); returns how many there are. */
function addValues(values: Int32Array, known: number, memory: Buffer, line: number, end: number): number {
  let count = known;
  let start = memory.indexOf(COLON, line) + 1;
  let within = false;
  let quoted = false;
  for (let i = start; i <= end; i++) {
    const byte = memory[i];
    if (i === end || (byte === COMMA && !within && !quoted)) {
      while (start < i && (memory[start] === SPACE || memory[start] === TAB)) start++;
      if (start < i && count < VALUES_MAX) {
        values[2 * count] = start;
        values[2 * count++ + 1] = i;
      }
      start = i + 1;
    } else if (byte === QUOTE && !within) quoted = !quoted;
    else if (byte === LEFT && !quoted) within = true;
    else if (byte === RIGHT && !quoted) within = false;
  }
  return count;
}
