/** A dialog (RFC 3261 12), as one of its two sides has it. */
import { parameter, type SipMessage, uriOf } from '../sip/message.ts';
import { hopOf, type Outgoing } from './outgoing.ts';
import type { Phone } from './phone.ts';

export class Dialog {
  readonly callId: string;
  /** From and To values of the requests of this side, with tags. */
  readonly local: string;
  readonly remote: string;
  readonly remoteTag: string;
  readonly routes: readonly string[];
  /** Remote target. */
  target: string;
  localCseq: number;
  /** CSeq numbers of the other side's requests, ascending. */
  readonly #remoteCseqs: number[] = [];

  private constructor(
    callId: string,
    local: string,
    remote: string,
    routes: readonly string[],
    target: string,
    localCseq: number,
  ) {
    this.callId = callId;
    this.local = local;
    this.remote = remote;
    this.remoteTag = parameter(remote, 'tag');
    this.routes = routes;
    this.target = target;
    this.localCseq = localCseq;
  }

  /** Of the caller (12.1.2). */
  static ofResponse(response: SipMessage, local: string, cseq: number): Dialog {
    const routes = response.headers('record-route').reverse();
    const target = uriOf(response.header('contact'));
    return new Dialog(response.callId, local, response.header('to'), routes, target, cseq);
  }

  /** Of the callee (12.1.1). */
  static ofInvite(invite: SipMessage, tag: string): Dialog {
    const routes = invite.headers('record-route');
    const target = uriOf(invite.header('contact'));
    const local = `${invite.header('to')};tag=${tag}`;
    const dialog = new Dialog(invite.callId, local, invite.header('from'), routes, target, 0);
    dialog.#remoteCseqs.push(invite.cseq);
    return dialog;
  }

  /** Protests against a route set that doesn't lead back through the phone's own node, or one of strict routers. */
  check(phone: Phone): void {
    const first = this.routes[0];
    if (first === undefined) {
      phone.protest('route', this.callId, 'the route set is empty');
      return;
    }
    if (hopOf(uriOf(first)).ip !== phone.nodeIp) {
      phone.protest('route', this.callId, `the first Route is ${first}`);
    }
    for (const route of this.routes) {
      if (!uriOf(route).includes(';lr')) phone.protest('route', this.callId, `${route} is no loose router`);
    }
    if (this.target === '') phone.protest('route', this.callId, 'there is no Contact');
  }

  /** A request of this side. `cseq`: of the INVITE, for its ACK; else the next one. */
  request(phone: Phone, method: string, body = '', more = '', cseq = ++this.localCseq): Outgoing {
    const { ip, port } = hopOf(this.routes[0] === undefined ? this.target : uriOf(this.routes[0]));
    return phone.outgoing(
      {
        method,
        uri: this.target,
        routes: this.routes,
        from: this.local,
        to: this.remote,
        callId: this.callId,
        cseq,
        contact: method === 'INVITE' ? `<${phone.wire.contactUri}>` : '',
        more,
        body,
      },
      ip,
      port,
    );
  }

  /**
   * The order of the other side's requests (12.2.2). One that was overtaken by later requests is late; but nobody begins a
   * request before the one before it is answered, except BYE, so one that never came before has a number that went back.
   */
  takes(request: SipMessage): 'in order' | 'late' | 'went back' {
    const { cseq } = request;
    const last = this.#remoteCseqs.at(-1);
    if (last === undefined || cseq > last) {
      this.#remoteCseqs.push(cseq);
      return 'in order';
    }
    if (cseq === last) return 'in order';
    return this.#remoteCseqs.includes(cseq) ? 'late' : 'went back';
  }
}
