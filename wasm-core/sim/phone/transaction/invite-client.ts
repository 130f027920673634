/** Client transaction of an INVITE (RFC 3261 17.1.1, with the Accepted state of RFC 6026). */
import type { Timer } from '../../scheduler.ts';
import type { SipMessage } from '../../sip/message.ts';
import type { Outgoing } from '../outgoing.ts';
import type { Phone } from '../phone.ts';
import { D_MS, LONGEST_MS, T1_MS } from '../timing.ts';

/** Who sent the INVITE. */
export interface InviteUser {
  /** A 1xx. */
  provisional(response: SipMessage): void;
  /** A 2xx, each one that comes. */
  success(response: SipMessage): void;
  /** The final response, null when there was none: then `status` is 408. */
  failure(status: number, response: SipMessage | null): void;
}

export class InviteClient {
  readonly outgoing: Outgoing;
  readonly #phone: Phone;
  readonly #user: InviteUser;
  #state: 'calling' | 'proceeding' | 'accepted' | 'completed' | 'terminated' = 'calling';
  #status = 0;
  #ack: Outgoing | null = null;
  #repeat: Timer | undefined;
  #limit: Timer;

  constructor(phone: Phone, outgoing: Outgoing, user: InviteUser) {
    this.#phone = phone;
    this.outgoing = outgoing;
    this.#user = user;
    phone.transmit(outgoing);
    if (!phone.wire.isReliable) this.#repeatAfter(T1_MS);
    this.#limit = phone.after(LONGEST_MS, () => this.#timedOut()); // timer B
  }

  get isPending(): boolean {
    return this.#state === 'calling' || this.#state === 'proceeding';
  }

  /** It has had a provisional response, and no final one: it may be cancelled. */
  get isProceeding(): boolean {
    return this.#state === 'proceeding';
  }

  take(response: SipMessage): void {
    const { status } = response;
    if (this.#state === 'completed' || this.#state === 'accepted') {
      this.#again(status, response);
      return;
    }
    if (this.#state === 'terminated') return;
    this.#repeat?.cancel();
    this.#limit.cancel();
    if (status < 200) {
      this.#state = 'proceeding';
      this.#user.provisional(response);
      return;
    }
    this.#status = status;
    if (status < 300) {
      this.#state = 'accepted';
      this.#limit = this.#phone.after(LONGEST_MS, () => this.#terminate()); // timer M
      this.#user.success(response);
      return;
    }
    this.#state = 'completed';
    this.#ack = this.#phone.ackOf(this.outgoing, response);
    this.#phone.transmit(this.#ack);
    const dMs = this.#phone.wire.isReliable ? 0 : D_MS;
    this.#limit = this.#phone.after(dMs, () => this.#terminate());
    this.#user.failure(status, response);
  }

  /** A response after the final one. */
  #again(status: number, response: SipMessage): void {
    if (status < 200) return;
    if (status < 300 !== this.#status < 300) {
      // Copies of a re-INVITE are forwarded without a context, each with a fate of its own.
      if (this.outgoing.parts.to.includes(';tag=')) return;
      this.#phone.protest('second-final', response.callId, `${status} to an INVITE after ${this.#status}`);
    } else if (this.#state === 'accepted') this.#user.success(response);
    else if (this.#ack !== null) this.#phone.transmit(this.#ack);
  }

  /** Timer A. */
  #repeatAfter(ms: number): void {
    this.#repeat = this.#phone.after(ms, () => {
      this.#phone.transmit(this.outgoing);
      this.#repeatAfter(2 * ms);
    });
  }

  #timedOut(): void {
    this.#terminate();
    this.#user.failure(408, null);
  }

  #terminate(): void {
    this.#state = 'terminated';
    this.#repeat?.cancel();
    this.#phone.transactions.clientEnded(this.outgoing.key);
  }
}
