/** Re-INVITEs of a call (RFC 3261 14): hold and resume in turns, the new Contact after a move, and glare. */
import type { Timer } from '../scheduler.ts';
import type { SipMessage } from '../sip/message.ts';
import { uriOf } from '../sip/message.ts';
import type { Call } from './call.ts';
import type { Dialog } from './dialog.ts';
import type { Outgoing } from './outgoing.ts';
import { RepeatedAnswer } from './repeated-answer.ts';
import { answerTo, directionOf } from './sdp.ts';
import type { InviteClient } from './transaction/invite-client.ts';
import { type InviteServer, NOTHING } from './transaction/invite-server.ts';

/** Hold, resume, hold, resume. */
const TURNS = 4;
/** From one turn to the next at least, and until it tries again while another INVITE is pending. */
const PAUSE_MS = 1_000;

export class Reinvites {
  readonly #call: Call;
  #everyMs = 0;
  #turns = 0;
  #isHolding = false;
  #client: InviteClient | null = null;
  #ack: Outgoing | null = null;
  #server: InviteServer | null = null;
  #answer: RepeatedAnswer | null = null;
  #timer: Timer | undefined;

  constructor(call: Call) {
    this.#call = call;
  }

  /** Hold and resume in turns, the first one after `everyMs`. */
  begin(everyMs: number | undefined): void {
    if (everyMs === undefined) return;
    this.#everyMs = everyMs;
    this.#turns = TURNS;
    this.#turnAfter(everyMs);
  }

  /** Tells the new Contact. */
  refresh(): void {
    if (!this.#call.isUp) return;
    if (this.#isBusy) this.#call.after(PAUSE_MS, () => this.refresh());
    else this.#offer(this.#isHolding);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#answer?.stop();
  }

  // --- of its own -----------------------------------------------------------------------------------

  /** Another INVITE is going on in either direction (14.1). */
  get #isBusy(): boolean {
    return this.#client?.isPending === true || this.#server?.isPending === true || this.#answer !== null;
  }

  #turnAfter(ms: number): void {
    if (this.#turns > 0) this.#timer = this.#call.after(ms, () => this.#turn());
  }

  #turn(): void {
    if (!this.#call.isUp) return;
    if (this.#isBusy) {
      this.#turnAfter(PAUSE_MS);
      return;
    }
    this.#turns--;
    this.#offer(!this.#isHolding);
  }

  #offer(holds: boolean): void {
    const { phone, description } = this.#call;
    const dialog = this.#call.dialog!;
    const body = description.write(phone.ipText, holds ? 'sendonly' : 'sendrecv');
    const outgoing = dialog.request(phone, 'INVITE', body);
    const { cseq } = outgoing.parts;
    this.#ack = null;
    this.#client = phone.transactions.invite(outgoing, {
      provisional: () => undefined,
      success: (response) => this.#accepted(dialog, response, cseq, holds),
      failure: (status) => this.#refused(status, holds),
    });
  }

  #accepted(dialog: Dialog, response: SipMessage, cseq: number, holds: boolean): void {
    const { phone } = this.#call;
    if (dialog.localCseq !== cseq && this.#ack?.parts.cseq !== cseq) {
      // A late repetition of an older answer.
      phone.transmit(dialog.request(phone, 'ACK', '', '', cseq));
      return;
    }
    if (this.#ack?.parts.cseq === cseq) {
      phone.transmit(this.#ack);
      return;
    }
    const contact = uriOf(response.header('contact'));
    if (contact !== '') dialog.target = contact;
    this.#ack = dialog.request(phone, 'ACK', '', '', cseq);
    phone.transmit(this.#ack);
    if (!this.#call.isUp) return;
    this.#call.checkBody(response, dialog.remoteTag);
    this.#isHolding = holds;
    this.#call.become(holds ? 'held' : 'up');
    this.#turnAfter(Math.max(this.#everyMs, PAUSE_MS));
  }

  #refused(status: number, holds: boolean): void {
    if (!this.#call.isUp) return;
    if (status === 481 || status === 408) {
      this.#call.lost(status);
      return;
    }
    if (status !== 491) return; // the session stays as it was (14.1)
    const { random } = this.#call.phone;
    const pauseMs = this.#call.ownsCallId ? 2_100 + 10 * random.below(191) : 10 * random.below(201);
    this.#timer = this.#call.after(pauseMs, () => {
      if (!this.#call.isUp) return;
      if (this.#isBusy) return this.#turnAfter(PAUSE_MS);
      this.#offer(holds);
    });
  }

  // --- of the other side ----------------------------------------------------------------------------

  received(dialog: Dialog, request: SipMessage, transaction: InviteServer): void {
    const { phone, description } = this.#call;
    if (this.#client?.isPending === true) {
      return void transaction.respond({ ...NOTHING, status: 491 });
    }
    if (this.#answer !== null) {
      // The ACK to the answer before is late or lost (RFC 5407 3.1.4): its offer may still be under way.
      this.#answer.stop();
      this.#answer = null;
    }
    this.#call.checkBody(request, dialog.remoteTag);
    const contact = uriOf(request.header('contact'));
    if (contact !== '') dialog.target = contact;
    const direction = answerTo(directionOf(request.body), this.#isHolding ? 'sendonly' : 'sendrecv');
    const packet = transaction.respond({
      ...NOTHING,
      status: 200,
      contact: `<${phone.wire.contactUri}>`,
      body: description.write(phone.ipText, direction),
    });
    this.#server = transaction;
    this.#answer = new RepeatedAnswer(phone, packet, transaction.path, () => {
      this.#answer = null;
      this.#call.bye(); // 14.2
    });
  }

  acknowledged(cseq: number): void {
    if (this.#server?.request.cseq !== cseq) return;
    this.#answer?.stop();
    this.#answer = null;
  }
}
