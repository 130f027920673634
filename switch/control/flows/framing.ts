/**
 * Cuts a byte stream into SIP messages (RFC 3261 18.3, 7.5): headers to the empty line, then as many BYTES of body
 * as Content-Length says. Between messages, CRLFs are keep-alives (RFC 5626 3.5.1): a double one asks for a pong.
 */

/** What a stream held. */
export interface FramingSink {
  /** A whole message; the view is valid only during the call. */
  message(bytes: Uint8Array): void;
  /** A double CRLF: answer with one CRLF. */
  ping(): void;
}

/** Thrown when the stream can't be followed any further: close it. */
export class FramingError extends Error {
  override name = 'FramingError';
  /** The last message was passed on and may be answered before the stream is closed. */
  readonly answerable: boolean;

  constructor(message: string, answerable = false) {
    super(message);
    this.answerable = answerable;
  }
}

const CR = 13;
const LF = 10;
const HEADER_END = Buffer.from('\r\n\r\n');
/** A start line must end within this. */
const START_LINE_BYTES_MAX = 8192;
/** Content-Length or its compact form `l`, its value possibly folded; never inside another header's folded value. */
const CONTENT_LENGTH = /\r\n(?:content-length|l)[ \t]*:[ \t]*(?:\r\n[ \t]+)?([^\r]*)/gi;

/** Cuts one stream. */
export class SipFramer {
  readonly #bytesMax: number;
  readonly #sink: FramingSink;
  #held: Buffer = Buffer.alloc(0);
  /** Bytes of `#held` known not to contain the end of the headers. */
  #searched = 0;
  /** Whole length of the message being collected, 0 while its headers are incomplete. */
  #total = 0;
  /** The message has no Content-Length: where it ends, and so where the next begins, is anybody's guess. */
  #endless = false;
  /** The previous thing in the stream was one CRLF. */
  #afterCrlf = false;

  /** @param bytesMax largest message, headers and body. */
  constructor(bytesMax: number, sink: FramingSink) {
    this.#bytesMax = bytesMax;
    this.#sink = sink;
  }

  /** True while a message has begun and is not complete. */
  get partial(): boolean {
    return this.#held.length > 0;
  }

  /** Takes the next bytes of the stream. @throws FramingError */
  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let data = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    for (;;) {
      const rest = this.#total === 0 ? this.#skipKeepAlives(data) : data;
      const length = this.#messageLength(rest);
      if (length === 0 || rest.length < length) {
        // A copy, because the chunk belongs to the socket and a small rest must not hold a large chunk.
        this.#held = rest.length === 0 ? Buffer.alloc(0) : rest === this.#held ? rest : Buffer.from(rest);
        return;
      }
      data = rest.subarray(length);
      this.#total = 0;
      this.#searched = 0;
      this.#sink.message(rest.subarray(0, length));
      if (this.#endless) throw new FramingError('a message without Content-Length', true);
    }
  }

  /** Removes CRLFs before a message; a CR at the very end waits for its LF. */
  #skipKeepAlives(data: Buffer): Buffer {
    let at = 0;
    while (data[at] === CR && data[at + 1] === LF) {
      if (this.#afterCrlf) this.#sink.ping();
      this.#afterCrlf = !this.#afterCrlf;
      at += 2;
    }
    const first = data[at];
    if (first === undefined || (first === CR && at + 1 === data.length)) return data.subarray(at);
    // A method or `SIP/2.0` begins with a token character (RFC 3261 25.1): anything else is another protocol.
    if (first <= 32 || first >= 127) throw new FramingError('not the start of a SIP message');
    this.#afterCrlf = false;
    return at === 0 ? data : data.subarray(at);
  }

  /** Length of the message at the start of `data`; 0 while its headers are incomplete. */
  #messageLength(data: Buffer): number {
    if (this.#total > 0) return this.#total;
    const from = Math.max(0, this.#searched - HEADER_END.length);
    const end = data.indexOf(HEADER_END, from);
    if (this.#searched < START_LINE_BYTES_MAX) checkStartLine(data);
    if (end < 0) {
      if (data.length >= this.#bytesMax)
        throw new FramingError(`headers longer than ${this.#bytesMax} bytes`);
      this.#searched = data.length;
      return 0;
    }
    const headerBytes = end + HEADER_END.length;
    const bodyBytes = contentLength(data.toString('latin1', 0, end + 2));
    this.#endless = bodyBytes === null;
    const total = headerBytes + (bodyBytes ?? 0);
    if (total > this.#bytesMax)
      throw new FramingError(`message of ${total} bytes, at most ${this.#bytesMax}`);
    this.#total = total;
    return total;
  }
}

/** Refuses other protocols at their first line. The version itself is the core's business (505). */
function checkStartLine(data: Buffer): void {
  const end = data.indexOf('\r\n');
  if (end < 0 && data.length < START_LINE_BYTES_MAX) return;
  const line = data.subarray(0, end < 0 ? data.length : end);
  if (end < 0 || !/sip\//i.test(line.toString('latin1'))) throw new FramingError('not a SIP start line');
}

/**
 * Body length by the headers in `text` (which ends with the last header's CRLF); null when there is no Content-Length,
 * which RFC 3261 18.3 demands on streams.
 */
function contentLength(text: string): number | null {
  let length: number | null = null;
  for (const match of text.matchAll(CONTENT_LENGTH)) {
    const value = (match[1] ?? '').trim();
    if (!/^\d{1,9}$/.test(value)) throw new FramingError('Content-Length is not a number');
    if (length !== null && length !== Number(value))
      throw new FramingError('two different values of Content-Length');
    length = Number(value);
  }
  return length;
}
