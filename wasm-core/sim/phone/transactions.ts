/** The transactions of a phone, by the names of RFC 3261 17.1.3 and 17.2.3. */
import type { SipMessage } from '../sip/message.ts';
import type { Outgoing, ReplyPath } from './outgoing.ts';
import { clientKey } from './outgoing.ts';
import type { Phone } from './phone.ts';
import { InviteClient, type InviteUser } from './transaction/invite-client.ts';
import { InviteServer } from './transaction/invite-server.ts';
import { type FinalResponse, NonInviteClient } from './transaction/non-invite-client.ts';
import { NonInviteServer } from './transaction/non-invite-server.ts';

export class Transactions {
  readonly #phone: Phone;
  readonly #clients = new Map<string, InviteClient | NonInviteClient>();
  readonly #servers = new Map<string, InviteServer | NonInviteServer>();

  constructor(phone: Phone) {
    this.#phone = phone;
  }

  /** All are forgotten; their timers are the phone's to drop. */
  forget(): void {
    this.#clients.clear();
    this.#servers.clear();
  }

  invite(outgoing: Outgoing, user: InviteUser): InviteClient {
    const transaction = new InviteClient(this.#phone, outgoing, user);
    this.#clients.set(outgoing.key, transaction);
    return transaction;
  }

  request(outgoing: Outgoing, final: FinalResponse): NonInviteClient {
    const transaction = new NonInviteClient(this.#phone, outgoing, final);
    this.#clients.set(outgoing.key, transaction);
    return transaction;
  }

  inviteServer(key: string, request: SipMessage, path: ReplyPath): InviteServer {
    const transaction = new InviteServer(this.#phone, key, request, path);
    this.#servers.set(key, transaction);
    return transaction;
  }

  nonInviteServer(key: string, request: SipMessage, path: ReplyPath): NonInviteServer {
    const transaction = new NonInviteServer(this.#phone, key, request, path);
    this.#servers.set(key, transaction);
    return transaction;
  }

  client(branch: string, method: string): InviteClient | NonInviteClient | undefined {
    return this.#clients.get(clientKey(branch, method));
  }

  server(key: string): InviteServer | NonInviteServer | undefined {
    return this.#servers.get(key);
  }

  clientEnded(key: string): void {
    this.#clients.delete(key);
  }

  serverEnded(key: string): void {
    this.#servers.delete(key);
  }
}
