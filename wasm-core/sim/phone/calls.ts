/** The calls of a phone that have not ended. */
import type { CallSpec } from '../scenario.ts';
import type { SipMessage } from '../sip/message.ts';
import type { Call } from './call.ts';
import { Callee } from './callee.ts';
import { Caller } from './caller.ts';
import type { Phone } from './phone.ts';
import { type InviteServer, NOTHING } from './transaction/invite-server.ts';
import type { NonInviteServer } from './transaction/non-invite-server.ts';

/** With so many calls, another one is answered 486. */
const LINES = 2;

export class Calls {
  readonly #phone: Phone;
  /** By local tag. */
  readonly #calls = new Map<string, Call>();

  constructor(phone: Phone) {
    this.#phone = phone;
  }

  /** In the order of their beginning. */
  get list(): readonly Call[] {
    return [...this.#calls.values()];
  }

  get size(): number {
    return this.#calls.size;
  }

  /** All have ended without a word. */
  forget(): void {
    for (const call of [...this.#calls.values()]) call.become('ended');
    this.#calls.clear();
  }

  ended(call: Call): void {
    if (this.#calls.delete(call.localTag)) this.#phone.callEnded();
  }

  place(spec: CallSpec): void {
    const call = new Caller(this.#phone, spec);
    this.#calls.set(call.localTag, call);
    call.begin();
  }

  /** Tells the other sides of all calls that are up the present Contact. */
  refresh(): void {
    for (const call of [...this.#calls.values()]) call.reinvites.refresh();
  }

  /** INVITE. */
  invited(request: SipMessage, transaction: InviteServer): void {
    if (request.toTag !== '') {
      const call = this.#find(request);
      if (call === undefined) return void transaction.respond({ ...NOTHING, status: 481 });
      call.inviteReceived(request, transaction);
      return;
    }
    let status = 0;
    if (this.#isMerged(request)) status = 482;
    else if (this.#phone.isWinding) status = 480;
    else if (this.#calls.size >= LINES) status = 486;
    if (status !== 0) {
      const toTag = this.#phone.identifiers.tag();
      return void transaction.respond({ ...NOTHING, status, toTag });
    }
    const call = new Callee(this.#phone, transaction);
    this.#calls.set(call.localTag, call);
    call.begin();
  }

  /** ACK to a 2xx; one to a dialog that has ended may be late. */
  acknowledged(request: SipMessage): void {
    if (!this.#phone.identifiers.isOwnTag(request.toTag)) {
      this.#phone.protest('dialog', request.callId, `ACK to a dialog of ${request.toTag}`);
      return;
    }
    this.#find(request)?.acknowledged(request);
  }

  /** BYE. */
  byeReceived(request: SipMessage, transaction: NonInviteServer): void {
    const call = this.#find(request);
    if (call === undefined) transaction.respond({ ...NOTHING, status: 481 });
    else call.byeReceived(request, transaction);
  }

  /** By To tag and Call-ID. */
  #find(request: SipMessage): Call | undefined {
    const call = this.#calls.get(request.toTag);
    if (call === undefined) return undefined;
    if (call.callId === request.callId) return call;
    this.#phone.protest('dialog', request.callId, `${request.method} with the To tag of ${call.callId}`);
    return undefined;
  }

  /** It has come on another way already (8.2.2.2). */
  #isMerged(request: SipMessage): boolean {
    for (const call of this.#calls.values()) {
      if (call instanceof Callee && call.callId === request.callId) {
        const { fromTag, cseq } = call.invite.request;
        if (fromTag === request.fromTag && cseq === request.cseq) return true;
      }
    }
    return false;
  }
}
