/**
 * The messages of a probe, written without strings: requests from templates into which the number of the call is patched,
 * responses by copying lines of what arrived (RFC 3261 8.2.6.2), in-dialog requests with the route set of the 200 (12.2.1.1).
 */

/** Digits of a call's number. */
export const DIGITS = 8;
const NUMBER = '0'.repeat(DIGITS);

const CR = 13;
const LF = 10;

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

/** Who calls whom, and from where. */
export interface Parties {
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
  readonly #ack: Template[];
  readonly #bye: Template[];
  readonly #ringing: Template;
  readonly #answer: Template;
  readonly #toTag = new Template(';tag=c@N@\r\n');
  readonly #noBody = Buffer.from('Content-Length: 0\r\n\r\n');
  readonly #statuses = {
    180: Buffer.from('SIP/2.0 180 Ringing\r\n'),
    200: Buffer.from('SIP/2.0 200 OK\r\n'),
  };
  readonly #record = Buffer.from('Record-Route');
  readonly #route = Buffer.from('Route');

  constructor({ user, domain, caller, callee }: Parties) {
    const body = sdp('alice', '127.0.0.1');
    this.invite = new Template(
      lines(
        `INVITE sip:${user}@${domain} SIP/2.0`,
        `Via: SIP/2.0/UDP ${caller};branch=z9hG4bKi@N@`,
        'Max-Forwards: 70',
        `From: "Alice" <sip:alice@${domain}>;tag=a@N@`,
        `To: <sip:${user}@${domain}>`,
        'Call-ID: probe-@N@@127.0.0.1',
        'CSeq: 1 INVITE',
        `Contact: <sip:alice@${caller};transport=UDP>`,
        'Content-Type: application/sdp',
        `Content-Length: ${body.length}`,
        '',
      ) + body,
    );
    const inDialog = (method: string, cseq: number) => [
      new Template(
        lines(
          `${method} sip:${user}@${callee};transport=UDP SIP/2.0`,
          `Via: SIP/2.0/UDP ${caller};branch=z9hG4bK${method[0]!.toLowerCase()}@N@`,
        ),
      ),
      new Template(
        lines(
          'Max-Forwards: 70',
          `From: "Alice" <sip:alice@${domain}>;tag=a@N@`,
          `To: <sip:${user}@${domain}>;tag=c@N@`,
          'Call-ID: probe-@N@@127.0.0.1',
          `CSeq: ${cseq} ${method}`,
          'Content-Length: 0',
          '',
        ),
      ),
    ];
    this.#ack = inDialog('ACK', 1);
    this.#bye = inDialog('BYE', 2);
    const contact = `Contact: <sip:${user}@${callee};transport=UDP>`;
    const answer = sdp('answer', '127.0.0.1');
    this.#ringing = new Template(lines(contact, 'Content-Length: 0', ''));
    this.#answer = new Template(
      lines(contact, 'Content-Type: application/sdp', `Content-Length: ${answer.length}`, '') + answer,
    );
  }

  /** Writes ACK or BYE at `at`, with route lines of `routeLength` bytes at `route`; returns where it ends. */
  inDialog(
    method: 'ACK' | 'BYE',
    memory: Buffer,
    at: number,
    call: number,
    route: number,
    routeLength: number,
  ): number {
    const [head, tail] = method === 'ACK' ? this.#ack : this.#bye;
    const end = head!.write(memory, at, call);
    memory.copyWithin(end, route, route + routeLength);
    return tail!.write(memory, end + routeLength, call);
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
    const status = this.#statuses[what === 'bye' ? 200 : what];
    let out = at + status.copy(memory, at);
    for (let line = memory.indexOf(LF, from) + 1; line < end; ) {
      const next = memory.indexOf(LF, line) + 1;
      if (memory[line] === CR) break;
      const first = memory[line]! | 32;
      const second = memory[line + 1]! | 32;
      if (isCopied(first, second, memory[line + 2]! | 32)) {
        memory.copyWithin(out, line, next);
        out += next - line;
        // The To of a request outside of a dialog gets the tag.
        if (first === 116 && what !== 'bye') out = this.#toTag.write(memory, out - 2, call);
      }
      line = next;
    }
    if (what === 'bye') return out + this.#noBody.copy(memory, out);
    return (what === 180 ? this.#ringing : this.#answer).write(memory, out, call);
  }

  /** Writes the Record-Route lines of a response as Route lines, last first; returns where they end. */
  routes(memory: Buffer, at: number, from: number, end: number): number {
    const found: [number, number][] = [];
    for (let line = memory.indexOf(LF, from) + 1; line < end; ) {
      const next = memory.indexOf(LF, line) + 1;
      if (memory[line] === CR) break;
      if (startsWith(memory, line, this.#record)) found.push([line + this.#record.length, next]);
      line = next;
    }
    let out = at;
    for (const [start, stop] of found.reverse()) {
      out += this.#route.copy(memory, out);
      memory.copyWithin(out, start, stop);
      out += stop - start;
    }
    return out;
  }
}

/** Via, From, To, Call-ID, CSeq, Record-Route: by the first three letters of the name, in lower case. */
function isCopied(first: number, second: number, third: number): boolean {
  if (first === 118) return second === 105; // Via
  if (first === 102) return second === 114; // From
  if (first === 116) return second === 111 && (third === 58 || third === 32); // To
  if (first === 99) return second === 97 || second === 115; // Call-ID, CSeq
  return first === 114 && third === 99; // Record-Route
}

function startsWith(memory: Buffer, at: number, text: Buffer): boolean {
  for (let i = 0; i < text.length; i++) if (memory[at + i] !== text[i]) return false;
  return true;
}
