/** Server transaction of any other request (RFC 3261 17.2.2); phones answer these at once. */
import type { Packet } from '../../packet.ts';
import type { SipMessage } from '../../sip/message.ts';
import type { ReplyPath } from '../outgoing.ts';
import type { Phone } from '../phone.ts';
import type { ResponseParts } from '../style.ts';
import { LONGEST_MS } from '../timing.ts';

export class NonInviteServer {
  readonly request: SipMessage;
  readonly #path: ReplyPath;
  readonly #phone: Phone;
  readonly #key: string;
  #last: Packet | null = null;

  constructor(phone: Phone, key: string, request: SipMessage, path: ReplyPath) {
    this.#phone = phone;
    this.#key = key;
    this.request = request;
    this.#path = path;
  }

  /** Sends the final response. */
  respond(parts: ResponseParts): void {
    this.#last = this.#phone.responseTo(this.request, this.#path, parts);
    this.#phone.transmitResponse(this.#last, this.#path);
    const jMs = this.#phone.wire.isReliable ? 0 : LONGEST_MS;
    this.#phone.after(jMs, () => this.#phone.transactions.serverEnded(this.#key));
  }

  repeated(): void {
    if (this.#last !== null) this.#phone.transmitResponse(this.#last, this.#path);
  }
}
