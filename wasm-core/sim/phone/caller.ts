/** A call that the phone places (RFC 3261 13.2): challenge, early dialogs, answer, CANCEL. */
import { DOMAIN } from '../bank.ts';
import type { CallSpec } from '../scenario.ts';
import type { Timer } from '../scheduler.ts';
import type { SipMessage } from '../sip/message.ts';
import { Call } from './call.ts';
import { Dialog } from './dialog.ts';
import { TRIES_MAX } from './digest.ts';
import { ALLOW } from './methods.ts';
import type { Outgoing } from './outgoing.ts';
import type { Phone } from './phone.ts';
import { scriptLine } from './script.ts';
import { LONGEST_MS, RING_MAX_MS } from './timing.ts';
import type { InviteClient, InviteUser } from './transaction/invite-client.ts';
import { NOTHING } from './transaction/invite-server.ts';
import { WHATEVER } from './transaction/non-invite-client.ts';
import type { NonInviteServer } from './transaction/non-invite-server.ts';

export class Caller extends Call implements InviteUser {
  readonly #spec: CallSpec;
  readonly #from: string;
  #client: InviteClient | null = null;
  #cseq = 0;
  #tries = 0;
  /** Nonce of the INVITE's credentials. */
  #nonce = '';
  #ring: Timer | undefined;
  /** It wants no answer any more. */
  #isCancelled = false;
  #cancelSent = false;
  /** To tags of provisional responses. */
  readonly #early = new Set<string>();
  /** Early dialogs that the other side has left. */
  readonly #left = new Set<string>();
  /** By To tag of the 2xx. */
  readonly #acks = new Map<string, Outgoing>();

  constructor(phone: Phone, spec: CallSpec) {
    super(phone, 'caller', phone.identifiers.callId(), spec.to);
    this.#spec = spec;
    this.#from = phone.style.from(`sip:${phone.spec.user}@${DOMAIN}`, this.localTag);
  }

  begin(): void {
    const { callId, role, status, peer, state } = this;
    this.phone.note({ kind: 'call', callId, role, state, status, peer });
    this.#invite();
    this.#ring = this.after(RING_MAX_MS, () => this.#cancel());
    if (this.#spec.cancelMs !== undefined) this.after(this.#spec.cancelMs, () => this.#cancel());
  }

  #invite(): void {
    const { phone } = this;
    const uri = `sip:${this.#spec.to}@${DOMAIN}`;
    this.#tries++;
    this.#cseq++;
    this.#nonce = phone.credentials.nonce;
    const outgoing = phone.outgoing(
      {
        method: 'INVITE',
        uri,
        routes: phone.preloadedRoutes,
        from: this.#from,
        to: `<${uri}>`,
        callId: this.callId,
        cseq: this.#cseq,
        contact: `<${phone.wire.contactUri}>`,
        more: `${phone.credentials.line('INVITE', uri)}Allow: ${ALLOW}\r\n${scriptLine(this.#spec)}`,
        body: this.description.write(phone.ipText, 'sendrecv'),
      },
      phone.nodeIp,
      phone.nodePort,
    );
    this.#client = phone.transactions.invite(outgoing, this);
  }

  // --- user of its INVITE transaction ---------------------------------------------------------------

  provisional(response: SipMessage): void {
    if (this.#isCancelled) this.#sendCancel();
    const tag = response.toTag;
    if (response.status === 100 || tag === '') return;
    this.#early.add(tag);
    if (!this.hasEnded && this.dialog === null) this.become('ringing');
  }

  success(response: SipMessage): void {
    const { phone } = this;
    const tag = response.toTag;
    const known = this.#acks.get(tag);
    if (known !== undefined) {
      phone.transmit(known);
      return;
    }
    const dialog = Dialog.ofResponse(response, this.#from, this.#cseq);
    dialog.check(phone);
    const line = this.#client!.outgoing.parts.more;
    const ack = dialog.request(phone, 'ACK', '', credentialsOf(line), this.#cseq);
    this.#acks.set(tag, ack);
    const isFirst = this.#acks.size === 1;
    if (!isFirst || this.#spec.loseAck !== true) phone.transmit(ack);
    if (!isFirst)
      phone.protest('second-answer', this.callId, `${response.status} of ${tag} after that of another`);
    if (!isFirst || this.hasEnded) {
      phone.transactions.request(dialog.request(phone, 'BYE'), WHATEVER);
      return;
    }
    this.status = response.status;
    this.dialog = dialog;
    this.#ring?.cancel();
    this.checkBody(response, tag);
    this.become('up');
    if (this.#isCancelled || this.#left.has(tag)) {
      this.bye();
      return;
    } // the answer was faster (15)
    this.after(this.#spec.holdMs, () => this.bye());
    this.reinvites.begin(this.#spec.reinviteMs);
  }

  failure(status: number, response: SipMessage | null): void {
    const isChallenge = (status === 401 || status === 407) && response !== null && !this.#isCancelled;
    if (isChallenge && !this.hasEnded && this.#tries < TRIES_MAX) {
      if (this.phone.credentials.challenged(response, this.#nonce)) {
        this.#invite();
        return;
      }
    }
    this.#fail(status);
  }

  #fail(status: number): void {
    if (this.dialog !== null || this.hasEnded) return;
    this.status = status;
    this.end();
  }

  override hangUp(): void {
    if (this.dialog === null) this.#cancel();
    else this.bye();
  }

  // --- CANCEL (9.1) ---------------------------------------------------------------------------------

  #cancel(): void {
    if (this.dialog !== null || this.#isCancelled) return;
    this.#isCancelled = true;
    this.#sendCancel();
  }

  /** Only once there is a provisional response; then the INVITE's final one must come in 64 * T1. */
  #sendCancel(): void {
    const client = this.#client!;
    if (this.#cancelSent || !client.isProceeding) return;
    this.#cancelSent = true;
    this.phone.transactions.request(this.phone.cancelOf(client.outgoing), WHATEVER);
    this.after(LONGEST_MS, () => this.#fail(408));
  }

  // --- in its dialogs -------------------------------------------------------------------------------

  override byeReceived(request: SipMessage, transaction: NonInviteServer): void {
    if (this.dialog !== null || !this.#early.has(request.fromTag)) {
      super.byeReceived(request, transaction);
      return;
    }
    this.#left.add(request.fromTag);
    transaction.respond({ ...NOTHING, status: 200 });
  }
}

/** The credentials among header lines: an ACK has those of its INVITE (13.2.2.4). */
function credentialsOf(lines: string): string {
  return lines.startsWith('Proxy-Authorization') ? lines.slice(0, lines.indexOf('\r\n') + 2) : '';
}
