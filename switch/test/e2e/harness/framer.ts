/** Messages out of a TCP stream, by Content-Length (RFC 3261 18.3), keepalive CRLFs counted (RFC 5626 3.5.1). */
import { SipMessage } from './message.ts';

export class Framer {
  /** CRLFs between messages so far. */
  keepalives = 0;
  #buffer = Buffer.alloc(0);

  /** Adds bytes and returns the messages they complete. */
  read(bytes: Buffer): SipMessage[] {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    const messages: SipMessage[] = [];
    for (;;) {
      while (this.#buffer[0] === 0x0d && this.#buffer[1] === 0x0a) {
        this.keepalives++;
        this.#buffer = this.#buffer.subarray(2);
      }
      const blank = this.#buffer.indexOf('\r\n\r\n');
      if (blank < 0) return messages;
      const head = SipMessage.parse(this.#buffer.subarray(0, blank + 4));
      const end = blank + 4 + Number(head.header('content-length') || 0);
      if (this.#buffer.length < end) return messages;
      messages.push(SipMessage.parse(this.#buffer.subarray(0, end)));
      this.#buffer = this.#buffer.subarray(end);
    }
  }
}
