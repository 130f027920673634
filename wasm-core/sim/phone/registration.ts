/** A phone's registration (RFC 3261 10, with RFC 5626 for streams): made, refreshed, mended, moved and let go. */
import { DOMAIN } from '../bank.ts';
import type { Timer } from '../scheduler.ts';
import { parameter, type SipMessage, uriOf } from '../sip/message.ts';
import { TRIES_MAX } from './digest.ts';
import type { Phone } from './phone.ts';
import type { NonInviteClient } from './transaction/non-invite-client.ts';

/** A registration is refreshed after so much of its time, per mille. */
const REFRESH_LEAST = 500;
const REFRESH_MOST = 800;
/** Pauses after failures, ms: the first; each one is twice as long, up to the longest. */
const PAUSE_MS = 2_000;
const PAUSE_MAX_MS = 60_000;
/** A phone that wants to go doesn't try for ever: its binding expires. */
const RELEASES_MAX = 5;

export class Registration {
  readonly #phone: Phone;
  readonly #instance: string;
  readonly #random;
  readonly #aor: string;
  #callId = '';
  #from = '';
  #cseq = 0;
  /** Asked for, s: 423 may make it longer. */
  #expiresS: number;
  #timer: Timer | undefined;
  #pending: NonInviteClient | null = null;
  /** Before it tries again, at most. */
  #pauseMs = PAUSE_MS;
  #releases = 0;
  #state: 'off' | 'on' | 'leaving' = 'off';
  /** There may be a binding. */
  #mayBeBound = false;
  /** A Contact that the phone had before it moved. */
  #former = '';
  /** Told once the next REGISTER has been answered with 200. */
  #moved: (() => void) | undefined;

  constructor(phone: Phone) {
    this.#phone = phone;
    this.#random = phone.random;
    const { random } = phone;
    this.#instance = `urn:uuid:${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-8${random.hex(3)}-${random.hex(12)}`;
    this.#aor = `sip:${phone.spec.user}@${DOMAIN}`;
    this.#expiresS = phone.spec.expiresS;
  }

  /** Registers after a time. */
  start(delayMs: number): void {
    this.#state = 'on';
    this.#callId = this.#phone.identifiers.callId();
    this.#from = this.#phone.style.from(this.#aor, this.#phone.identifiers.tag());
    this.#cseq = 0;
    this.#registerAfter(delayMs);
  }

  /** All is forgotten, as when it was off. */
  forget(): void {
    this.#state = 'off';
    this.#pending = null;
    this.#timer = undefined;
    this.#pauseMs = PAUSE_MS;
    this.#mayBeBound = false;
    this.#former = '';
    this.#moved = undefined;
  }

  /** The phone has another address. `moved`: the switch knows it. */
  move(formerContact: string, moved: () => void): void {
    if (this.#state !== 'on') {
      moved();
      return;
    }
    if (!this.#phone.wire.isReliable && this.#mayBeBound) this.#former = formerContact;
    this.#moved = moved;
    this.#pauseMs = PAUSE_MS;
    this.#registerAfter(0);
  }

  /** The stream has gone, and the binding with it (RFC 5626 4.4). */
  flowLost(): void {
    if (this.#state === 'off') return;
    this.#abandon();
    this.#again(0);
  }

  /** Lets the binding go. */
  leave(): void {
    if (this.#state !== 'on') return;
    this.#state = 'leaving';
    this.#timer?.cancel();
    if (!this.#mayBeBound) this.#state = 'off';
    else if (this.#pending === null) this.#register();
  }

  #registerAfter(ms: number): void {
    this.#timer?.cancel();
    this.#abandon();
    this.#timer = this.#phone.after(ms, () => this.#register());
  }

  #abandon(): void {
    this.#pending?.abandon();
    this.#pending = null;
  }

  #register(tries = 1): void {
    const phone = this.#phone;
    const expiresS = this.#state === 'leaving' ? 0 : this.#expiresS;
    const uri = `sip:${DOMAIN}`;
    const outgoing = phone.outgoing(
      {
        method: 'REGISTER',
        uri,
        routes: [],
        from: this.#from,
        to: `<${this.#aor}>`,
        callId: this.#callId,
        cseq: ++this.#cseq,
        contact: this.#contact(expiresS),
        more:
          phone.credentials.line('REGISTER', uri) +
          (phone.wire.isReliable ? 'Supported: outbound, path\r\n' : ''),
        body: '',
      },
      phone.nodeIp,
      phone.nodePort,
    );
    const { nonce } = phone.credentials;
    this.#mayBeBound = true;
    this.#pending = phone.transactions.request(outgoing, (status, response) => {
      this.#pending = null;
      const isChallenge = status === 401 && response !== null && tries < TRIES_MAX;
      if (isChallenge && phone.credentials.challenged(response, nonce)) this.#register(tries + 1);
      else if (status >= 200 && status < 300 && response !== null) this.#registered(response, expiresS);
      else this.#failed(status, response);
    });
  }

  #contact(expiresS: number): string {
    const { wire, spec } = this.#phone;
    const instance = wire.isReliable ? `;+sip.instance="<${this.#instance}>";reg-id=1` : '';
    const q = spec.q === undefined ? '' : `;q=${spec.q}`;
    const own = `<${wire.contactUri}>${instance}${q};expires=${expiresS}`;
    return this.#former === '' ? own : `${own}, <${this.#former}>;expires=0`;
  }

  #registered(response: SipMessage, askedS: number): void {
    const uri = this.#phone.wire.contactUri;
    const own = response.headers('contact').find((contact) => uriOf(contact) === uri);
    this.#pauseMs = PAUSE_MS;
    this.#former = '';
    if (askedS === 0) {
      if (own !== undefined)
        this.#phone.protest('contact', this.#callId, 'the binding is still there after its removal');
      this.#state = 'off';
      this.#mayBeBound = false;
      this.#phone.note({ kind: 'registered', expiresS: 0 });
      return;
    }
    if (own === undefined) {
      this.#phone.protest('contact', this.#callId, `no Contact ${uri} in the 200 to its REGISTER`);
      this.#failed(200, null);
      return;
    }
    const expiresS = Number(parameter(own, 'expires'));
    if (!(expiresS > 0 && expiresS <= askedS)) {
      this.#phone.protest('contact', this.#callId, `expires=${expiresS} when ${askedS} s were asked for`);
      this.#failed(200, null);
      return;
    }
    this.#phone.note({ kind: 'registered', expiresS });
    const moved = this.#moved;
    this.#moved = undefined;
    moved?.();
    if (this.#state === 'leaving') {
      this.#register();
      return;
    }
    this.#timer = this.#phone.after(expiresS * this.#random.between(REFRESH_LEAST, REFRESH_MOST), () =>
      this.#register(),
    );
  }

  #failed(status: number, response: SipMessage | null): void {
    this.#phone.note({ kind: 'register-failed', status });
    if (status === 423 && response !== null) {
      const least = Number(response.header('min-expires'));
      if (least > this.#expiresS && least < 86_400) this.#expiresS = least;
    }
    const retryAfterS = response === null ? 0 : Number.parseInt(response.header('retry-after'), 10) || 0;
    this.#again(retryAfterS);
  }

  #again(retryAfterS: number): void {
    if (this.#state === 'leaving' && ++this.#releases > RELEASES_MAX) {
      this.#state = 'off';
      return;
    }
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(PAUSE_MAX_MS, 2 * pauseMs);
    this.#registerAfter(Math.max(this.#random.between(pauseMs / 2, pauseMs), retryAfterS * 1_000));
  }
}
