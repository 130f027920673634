/** A SIP message on the wire; it is read once, however many look at it. */
import { SipMessage } from './sip/message.ts';

export class Packet {
  /** Never changed after sending. */
  readonly bytes: Uint8Array;
  #sip: SipMessage | null | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** As message; null when it can't be read. */
  get sip(): SipMessage | null {
    if (this.#sip === undefined) this.#sip = SipMessage.parse(this.bytes);
    return this.#sip;
  }
}
