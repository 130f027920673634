/** A call of a phone: what callers and callees have in common, above all once it is up. */
import type { Timer } from '../scheduler.ts';
import type { SipMessage } from '../sip/message.ts';
import type { CallState } from '../world.ts';
import type { Dialog } from './dialog.ts';
import type { Phone } from './phone.ts';
import { Reinvites } from './reinvites.ts';
import { type Description, informationOf } from './sdp.ts';
import { type InviteServer, NOTHING } from './transaction/invite-server.ts';
import type { NonInviteServer } from './transaction/non-invite-server.ts';

export abstract class Call {
  readonly phone: Phone;
  readonly callId: string;
  readonly localTag: string;
  readonly role: 'caller' | 'callee';
  /** User part of the other side. */
  readonly peer: string;
  readonly description: Description;
  readonly reinvites: Reinvites;
  state: CallState = 'trying';
  /** Final response to the INVITE, 0 before. */
  status = 0;
  /** Set by the answer. */
  dialog: Dialog | null = null;
  #isLeaving = false;
  readonly #timers: Timer[] = [];

  constructor(phone: Phone, role: 'caller' | 'callee', callId: string, peer: string) {
    this.phone = phone;
    this.role = role;
    this.callId = callId;
    this.peer = peer;
    this.localTag = phone.identifiers.tag();
    this.description = phone.describe(callId, this.localTag);
    this.reinvites = new Reinvites(this);
  }

  get hasEnded(): boolean {
    return this.state === 'ended';
  }

  /** In a dialog that has been acknowledged, as far as it knows, and that it hasn't left. */
  get isUp(): boolean {
    return this.dialog !== null && (this.state === 'up' || this.state === 'held') && !this.#isLeaving;
  }

  /** Takes part in glare as the owner of the Call-ID (14.1). */
  get ownsCallId(): boolean {
    return this.role === 'caller';
  }

  become(state: CallState): void {
    if (this.state === state || this.hasEnded) return;
    this.state = state;
    const { callId, role, status, peer } = this;
    this.phone.note({ kind: 'call', callId, role, state, status, peer });
  }

  /** Does something later, unless the call has ended by then. */
  after(ms: number, run: () => void): Timer {
    const timer = this.phone.after(ms, run);
    this.#timers.push(timer);
    return timer;
  }

  /** BYE (15.1.1). */
  bye(): void {
    if (this.dialog === null || this.#isLeaving || this.hasEnded) return;
    this.#isLeaving = true;
    this.#stop();
    this.phone.transactions.request(this.dialog.request(this.phone, 'BYE'), () => this.end());
  }

  /** As when a person hangs up: BYE, CANCEL or a refusal, whichever fits. */
  abstract hangUp(): void;

  end(): void {
    if (this.hasEnded) return;
    this.#stop();
    this.become('ended');
    this.phone.calls.ended(this);
  }

  /** The dialog is of no use any more: the other side doesn't know it (481), or nobody answers (408). */
  lost(status: number): void {
    if (status === 481) this.end();
    else this.bye();
  }

  /** ACK to a 2xx. */
  acknowledged(ack: SipMessage): void {
    this.reinvites.acknowledged(ack.cseq);
  }

  /** BYE with its To tag and Call-ID. */
  byeReceived(request: SipMessage, transaction: NonInviteServer): void {
    if (this.dialog === null || !this.belongs(this.dialog, request)) {
      transaction.respond({ ...NOTHING, status: 481 });
      return;
    }
    if (this.isOutOfOrder(this.dialog, request)) {
      transaction.respond({ ...NOTHING, status: 500 });
      return;
    }
    transaction.respond({ ...NOTHING, status: 200 });
    this.end();
  }

  /** INVITE with its To tag and Call-ID. */
  inviteReceived(request: SipMessage, transaction: InviteServer): void {
    if (this.dialog === null || this.#isLeaving || !this.belongs(this.dialog, request)) {
      transaction.respond({ ...NOTHING, status: 481 });
    } else if (this.isOutOfOrder(this.dialog, request)) {
      transaction.respond({ ...NOTHING, status: 500 });
    } else this.reinvites.received(this.dialog, request, transaction);
  }

  /** A caller may hear of a device that has answered too late and was hung up on before it reached the caller. */
  belongs(dialog: Dialog, request: SipMessage): boolean {
    if (request.fromTag === dialog.remoteTag) return true;
    if (this.role === 'callee') {
      this.phone.protest(
        'dialog',
        this.callId,
        `${request.method} with another From tag: ${request.fromTag}`,
      );
    }
    return false;
  }

  isOutOfOrder(dialog: Dialog, request: SipMessage): boolean {
    const order = dialog.takes(request);
    if (order === 'went back') {
      this.phone.protest('cseq', this.callId, `CSeq of ${request.method} went back to ${request.cseq}`);
    }
    return order !== 'in order';
  }

  /** Protests when an offer or answer is not that of the other side of this call. */
  checkBody(message: SipMessage, tag: string): void {
    if (message.body.includes(informationOf(this.callId, tag))) return;
    const what = message.body === '' ? 'no body' : 'a body of somebody else';
    this.phone.protest('body', this.callId, `${message.startLine} has ${what}`);
  }

  #stop(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.length = 0;
    this.stopped();
    this.reinvites.stop();
  }

  /** Stops what else goes on. */
  protected stopped(): void {
    // A caller has nothing else.
  }
}
