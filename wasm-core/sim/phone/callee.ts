/** A call that the phone gets (RFC 3261 13.3). */
import type { SipMessage } from '../sip/message.ts';
import { uriOf, userOf } from '../sip/message.ts';
import { Call } from './call.ts';
import { Dialog } from './dialog.ts';
import { ALLOW } from './methods.ts';
import type { Phone } from './phone.ts';
import { RepeatedAnswer } from './repeated-answer.ts';
import { scriptOf } from './script.ts';
import { answerTo, directionOf } from './sdp.ts';
import { CALLEE_HOLD_MS } from './timing.ts';
import { type InviteServer, NOTHING } from './transaction/invite-server.ts';
import type { NonInviteServer } from './transaction/non-invite-server.ts';

export class Callee extends Call {
  readonly invite: InviteServer;
  #answer: RepeatedAnswer | null = null;

  constructor(phone: Phone, invite: InviteServer) {
    super(phone, 'callee', invite.request.callId, userOf(uriOf(invite.request.header('from'))));
    this.invite = invite;
    invite.cancelled = () => this.#refuse(487);
  }

  begin(): void {
    const { answer } = this.phone.spec;
    const { isManual } = this.phone;
    const { callId, role, state, status, peer } = this;
    this.phone.note({ kind: 'call', callId, role, state, status, peer });
    this.dialog = Dialog.ofInvite(this.invite.request, this.localTag);
    this.dialog.check(this.phone);
    this.checkBody(this.invite.request, this.dialog.remoteTag);
    if (isManual) {
      this.#ring();
      return;
    }
    if (answer.ringMs < answer.answerMs) this.after(answer.ringMs, () => this.#ring());
    this.after(answer.answerMs, () => (answer.status < 300 ? this.#accept() : this.#refuse(answer.status)));
  }

  /** As when a person answers; nothing when it has been answered. */
  answer(): void {
    if (this.isRinging) this.#accept();
  }

  /** It can still be answered or refused. */
  get isRinging(): boolean {
    return this.invite.isPending && !this.hasEnded;
  }

  override hangUp(): void {
    if (this.isRinging) this.#refuse(486);
    else this.bye();
  }

  #ring(): void {
    this.become('ringing');
    this.#respond(180, '');
  }

  #accept(): void {
    const { invite, phone } = this;
    const direction = answerTo(directionOf(invite.request.body), 'sendrecv');
    this.status = 200;
    const packet = this.#respond(200, this.description.write(phone.ipText, direction));
    this.#answer = new RepeatedAnswer(phone, packet, invite.path, () => this.bye());
    this.after(CALLEE_HOLD_MS, () => this.bye());
  }

  #respond(status: number, body: string) {
    const { phone, localTag } = this;
    return this.invite.respond({
      status,
      toTag: localTag,
      contact: `<${phone.wire.contactUri}>`,
      makesDialog: true,
      more: `Allow: ${ALLOW}\r\n`,
      body,
    });
  }

  #refuse(status: number): void {
    if (!this.invite.isPending) return;
    const contact = status === 302 ? '<sip:elsewhere@elsewhere.invalid>' : '';
    this.invite.respond({ ...NOTHING, status, toTag: this.localTag, contact });
    this.status = status;
    this.end();
  }

  // --- in its dialog --------------------------------------------------------------------------------

  override acknowledged(ack: SipMessage): void {
    if (this.#answer === null || ack.cseq !== this.invite.request.cseq) {
      super.acknowledged(ack);
      return;
    }
    this.#answer.stop();
    this.#answer = null;
    this.become('up');
    const { calleeByeMs, calleeReinviteMs } = scriptOf(this.invite.request);
    if (calleeByeMs !== undefined) this.after(calleeByeMs, () => this.bye());
    this.reinvites.begin(calleeReinviteMs);
  }

  override byeReceived(request: SipMessage, transaction: NonInviteServer): void {
    if (this.invite.isPending && request.fromTag === this.dialog?.remoteTag) this.status = 487;
    super.byeReceived(request, transaction);
    if (this.hasEnded && this.invite.isPending) {
      this.invite.respond({ ...NOTHING, status: 487, toTag: this.localTag });
    }
  }

  override inviteReceived(request: SipMessage, transaction: InviteServer): void {
    if (this.invite.isPending) {
      const more = `Retry-After: ${this.phone.random.below(11)}\r\n`;
      transaction.respond({ ...NOTHING, status: 500, more }); // 14.2
    } else if (this.#answer !== null) {
      transaction.respond({ ...NOTHING, status: 491 }); // RFC 5407 3.1.4: its ACK is late or lost
    } else super.inviteReceived(request, transaction);
  }

  protected override stopped(): void {
    this.#answer?.stop();
    this.#answer = null;
  }
}
