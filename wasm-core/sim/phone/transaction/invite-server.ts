/** Server transaction of an INVITE (RFC 3261 17.2.1, with the Accepted state of RFC 6026). */
import type { Packet } from '../../packet.ts';
import type { Timer } from '../../scheduler.ts';
import type { SipMessage } from '../../sip/message.ts';
import type { ReplyPath } from '../outgoing.ts';
import type { Phone } from '../phone.ts';
import type { ResponseParts } from '../style.ts';
import { LONGEST_MS, T1_MS, T2_MS, T4_MS, TRYING_MS } from '../timing.ts';

export class InviteServer {
  readonly request: SipMessage;
  readonly path: ReplyPath;
  /** Somebody has cancelled it: set by who answers it. */
  cancelled: (() => void) | undefined;
  readonly #phone: Phone;
  readonly #key: string;
  #state: 'proceeding' | 'accepted' | 'completed' | 'confirmed' | 'terminated' = 'proceeding';
  #last: Packet | null = null;
  #repeat: Timer | undefined;
  #limit: Timer | undefined;
  #trying: Timer;

  constructor(phone: Phone, key: string, request: SipMessage, path: ReplyPath) {
    this.#phone = phone;
    this.#key = key;
    this.request = request;
    this.path = path;
    this.#trying = phone.after(TRYING_MS, () => this.respond({ ...NOTHING, status: 100 }));
  }

  /** No final response yet. */
  get isPending(): boolean {
    return this.#state === 'proceeding';
  }

  /** Whether an ACK of its branch is for its failure; that of a 2xx is none of its business. */
  get isFailed(): boolean {
    return this.#state === 'completed' || this.#state === 'confirmed';
  }

  /** Sends a response. A 2xx is repeated by who sends it (13.3.1.4). */
  respond(parts: ResponseParts): Packet {
    const packet = this.#phone.responseTo(this.request, this.path, parts);
    const { status } = parts;
    this.#trying.cancel();
    this.#last = packet;
    this.#phone.transmitResponse(packet, this.path);
    if (status >= 200 && this.#state === 'proceeding') {
      this.#state = status < 300 ? 'accepted' : 'completed';
      if (status >= 300 && !this.#phone.wire.isReliable) this.#repeatAfter(T1_MS);
      this.#limit = this.#phone.after(LONGEST_MS, () => this.#terminate()); // timers L and H
    }
    return packet;
  }

  /** The INVITE has come again. */
  repeated(): void {
    if (this.#last !== null && (this.#state === 'proceeding' || this.#state === 'completed')) {
      this.#phone.transmitResponse(this.#last, this.path);
    }
  }

  /** ACK of its branch. */
  acknowledged(): void {
    if (this.#state !== 'completed') return;
    this.#state = 'confirmed';
    this.#repeat?.cancel();
    this.#limit?.cancel();
    const iMs = this.#phone.wire.isReliable ? 0 : T4_MS;
    this.#limit = this.#phone.after(iMs, () => this.#terminate());
  }

  /** Timer G. */
  #repeatAfter(ms: number): void {
    this.#repeat = this.#phone.after(ms, () => {
      this.#phone.transmitResponse(this.#last!, this.path);
      this.#repeatAfter(Math.min(2 * ms, T2_MS));
    });
  }

  #terminate(): void {
    this.#state = 'terminated';
    this.#repeat?.cancel();
    this.#phone.transactions.serverEnded(this.#key);
  }
}

/** A response with nothing in it. */
export const NOTHING: ResponseParts = {
  status: 0,
  toTag: '',
  contact: '',
  makesDialog: false,
  more: '',
  body: '',
};
