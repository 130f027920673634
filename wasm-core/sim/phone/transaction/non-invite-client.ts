/** Client transaction of any other request (RFC 3261 17.1.2). */
import type { Timer } from '../../scheduler.ts';
import type { SipMessage } from '../../sip/message.ts';
import type { Outgoing } from '../outgoing.ts';
import type { Phone } from '../phone.ts';
import { LONGEST_MS, T1_MS, T2_MS, T4_MS } from '../timing.ts';

/** Gets the final response; null when there was none: then `status` is 408. */
export type FinalResponse = (status: number, response: SipMessage | null) => void;

export class NonInviteClient {
  readonly outgoing: Outgoing;
  readonly #phone: Phone;
  readonly #final: FinalResponse;
  #state: 'trying' | 'proceeding' | 'completed' | 'terminated' = 'trying';
  #repeat: Timer | undefined;
  #limit: Timer;

  constructor(phone: Phone, outgoing: Outgoing, final: FinalResponse) {
    this.#phone = phone;
    this.outgoing = outgoing;
    this.#final = final;
    phone.transmit(outgoing);
    if (!phone.wire.isReliable) this.#repeatAfter(T1_MS);
    this.#limit = phone.after(LONGEST_MS, () => this.#timedOut()); // timer F
  }

  take(response: SipMessage): void {
    const { status } = response;
    // Stateless elements may answer a repetition otherwise than the request (8.2.7): only the first final response counts.
    if (this.#state === 'completed' || this.#state === 'terminated') return;
    if (status < 200) {
      this.#state = 'proceeding';
      return;
    }
    this.#state = 'completed';
    this.#repeat?.cancel();
    this.#limit.cancel();
    const kMs = this.#phone.wire.isReliable ? 0 : T4_MS;
    this.#limit = this.#phone.after(kMs, () => this.abandon());
    this.#final(status, response);
  }

  /** Nobody waits for the response any more. */
  abandon(): void {
    this.#state = 'terminated';
    this.#repeat?.cancel();
    this.#limit.cancel();
    this.#phone.transactions.clientEnded(this.outgoing.key);
  }

  /** Timer E: when it is due in Proceeding, it is T2 from then on. */
  #repeatAfter(ms: number): void {
    this.#repeat = this.#phone.after(ms, () => {
      this.#phone.transmit(this.outgoing);
      this.#repeatAfter(this.#state === 'proceeding' ? T2_MS : Math.min(2 * ms, T2_MS));
    });
  }

  #timedOut(): void {
    this.abandon();
    this.#final(408, null);
  }
}

/** For requests whose response changes nothing. */
export const WHATEVER: FinalResponse = () => undefined;
