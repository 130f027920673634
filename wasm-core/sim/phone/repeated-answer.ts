/** A 2xx to an INVITE, sent until its ACK comes, over any transport (RFC 3261 13.3.1.4). */
import type { Packet } from '../packet.ts';
import type { Timer } from '../scheduler.ts';
import type { ReplyPath } from './outgoing.ts';
import type { Phone } from './phone.ts';
import { LONGEST_MS, T1_MS, T2_MS } from './timing.ts';

export class RepeatedAnswer {
  readonly #phone: Phone;
  readonly #packet: Packet;
  readonly #path: ReplyPath;
  readonly #limit: Timer;
  #repeat: Timer | undefined;

  /**
   * @param packet  sent once already
   * @param unheard  no ACK came in 64 * T1
   */
  constructor(phone: Phone, packet: Packet, path: ReplyPath, unheard: () => void) {
    this.#phone = phone;
    this.#packet = packet;
    this.#path = path;
    this.#limit = phone.after(LONGEST_MS, () => {
      this.stop();
      unheard();
    });
    this.#repeatAfter(T1_MS);
  }

  stop(): void {
    this.#repeat?.cancel();
    this.#limit.cancel();
  }

  #repeatAfter(ms: number): void {
    this.#repeat = this.#phone.after(ms, () => {
      this.#phone.transmitResponse(this.#packet, this.#path);
      this.#repeatAfter(Math.min(2 * ms, T2_MS));
    });
  }
}
