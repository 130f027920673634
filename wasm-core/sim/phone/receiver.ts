/** What a phone gets: looked at as strictly as a phone can, then given to its transaction, or to a new one. */
import { type Arrival, ipText } from '../network.ts';
import type { SipMessage } from '../sip/message.ts';
import { parameter, userOf } from '../sip/message.ts';
import { ALLOW, isKnownMethod } from './methods.ts';
import { replyPath, serverKey } from './outgoing.ts';
import type { Phone } from './phone.ts';
import { InviteServer, NOTHING } from './transaction/invite-server.ts';
import type { NonInviteServer } from './transaction/non-invite-server.ts';

export class Receiver {
  readonly #phone: Phone;

  constructor(phone: Phone) {
    this.#phone = phone;
  }

  take(arrival: Arrival): void {
    const message = arrival.packet.sip;
    if (message === null) {
      this.#phone.protest('unreadable', '', 'a message that cannot be read');
      return;
    }
    this.#phone.hostile?.saw(message);
    const length = message.header('content-length');
    if (length !== String(message.bodyBytes)) {
      const text = `Content-Length ${length} with a body of ${message.bodyBytes} bytes`;
      this.#phone.protest('content-length', message.callId, text);
      return;
    }
    if (message.callId === '' || message.fromTag === '' || Number.isNaN(message.cseq)) {
      this.#phone.protest('unreadable', message.callId, `${message.startLine} lacks what it needs`);
      return;
    }
    if (message.isRequest) this.#request(message, arrival);
    else this.#response(message);
  }

  #response(response: SipMessage): void {
    const { identifiers, transactions } = this.#phone;
    const vias = response.headers('via');
    const branch = parameter(vias[0] ?? '', 'branch');
    if (vias.length !== 1 || !identifiers.isOwnBranch(branch)) {
      const text = `${response.startLine} with ${vias.length} Via, the first one ${vias[0] ?? 'missing'}`;
      this.#phone.protest('via', response.callId, text);
      return;
    }
    const transaction = transactions.client(branch, response.method);
    if (transaction === undefined) return; // late: its transaction has ended
    const { parts } = transaction.outgoing;
    const isOfIt =
      response.callId === parts.callId &&
      response.cseq === parts.cseq &&
      response.fromTag === parameter(parts.from, 'tag');
    if (isOfIt) transaction.take(response);
    else this.#phone.protest('response', response.callId, `${response.startLine} isn't that of ${branch}`);
  }

  #request(request: SipMessage, arrival: Arrival): void {
    const { transactions, calls } = this.#phone;
    const { method } = request;
    const top = request.headers('via')[0];
    if (top === undefined) {
      this.#phone.protest('via', request.callId, `${method} without Via`);
      return;
    }
    const key = serverKey(top, method);
    const server = transactions.server(key);
    if (method === 'ACK') {
      if (server instanceof InviteServer && server.isFailed) server.acknowledged();
      else calls.acknowledged(request);
      return;
    }
    if (server !== undefined) {
      server.repeated();
      return;
    }
    const path = replyPath(request, arrival, ipText(arrival.fromIp));
    if (method === 'INVITE') {
      const transaction = transactions.inviteServer(key, request, path);
      if (this.#isForUs(request)) calls.invited(request, transaction);
      else transaction.respond({ ...NOTHING, status: 404, toTag: this.#phone.identifiers.tag() });
      return;
    }
    const transaction = transactions.nonInviteServer(key, request, path);
    if (method === 'CANCEL') this.#cancel(transactions.server(serverKey(top, 'INVITE')), transaction);
    else if (method === 'BYE') calls.byeReceived(request, transaction);
    else this.#other(method, transaction);
  }

  /** Whether its Request-URI is this phone's, now or before it moved. */
  #isForUs(request: SipMessage): boolean {
    if (userOf(request.uri) === this.#phone.spec.user) return true;
    this.#phone.protest('request-uri', request.callId, `${request.method} for ${request.uri}`);
    return false;
  }

  /** RFC 3261 9.2. */
  #cancel(invite: unknown, transaction: NonInviteServer): void {
    const toTag = this.#phone.identifiers.tag();
    if (!(invite instanceof InviteServer)) {
      transaction.respond({ ...NOTHING, status: 481, toTag });
      return;
    }
    transaction.respond({ ...NOTHING, status: 200, toTag });
    invite.cancelled?.();
  }

  #other(method: string, transaction: NonInviteServer): void {
    const toTag = this.#phone.identifiers.tag();
    const more = `Allow: ${ALLOW}\r\n`;
    if (method === 'OPTIONS') {
      transaction.respond({ ...NOTHING, status: 200, toTag, more: `${more}Accept: application/sdp\r\n` });
    } else if (transaction.request.toTag !== '') transaction.respond({ ...NOTHING, status: 481 });
    else transaction.respond({ ...NOTHING, status: isKnownMethod(method) ? 405 : 501, toTag, more });
  }
}
