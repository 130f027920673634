/** A SIP user agent on one WebSocket (RFC 7118): its transactions, and digest where it is asked for. */
import { type Algorithm, challengesOf, chooseChallenge, credentialsFor, type Hash } from './digest.ts';
import {
  branchOf,
  formatMessage,
  header,
  type Header,
  methodOf,
  parseMessage,
  responseTo,
  type SipMessage,
  statusOf,
  token,
} from './messages.ts';

/** A final answer must come within this. */
const ANSWER_TIMEOUT_MS = 10_000;

/** What a user agent needs from around it: k6 and the tests each bring their own. */
export interface Surroundings {
  /** A monotonic clock, in ms with fractions. */
  nowMs: () => number;
  hash: Hash;
  send: (text: string) => void;
}

export interface Account {
  user: string;
  password: string;
  domain: string;
  /** Answered when the server offers it; without it, the server's own preference. */
  prefer?: Algorithm;
}

/** A request before it has a Via. */
export interface Draft {
  method: string;
  uri: string;
  from: string;
  to: string;
  callId: string;
  cseq: number;
  headers: Header[];
  body: string;
}

/** The end of a transaction. */
export interface Outcome {
  response: SipMessage;
  status: number;
  /** From sending the first request, challenge included, to the final response. */
  tookMs: number;
}

interface Transaction {
  onResponse: (response: SipMessage) => void;
  fail: (error: Error) => void;
}

export class UserAgent {
  readonly account: Account;
  readonly contact: string;
  /** Takes the requests that others send; responses go out by {@link respond}. */
  onRequest: ((request: SipMessage) => void) | undefined;
  readonly #surroundings: Surroundings;
  /** A name that nobody can resolve stands for a client behind a WebSocket (RFC 7118 5). */
  readonly #host = `${token()}.invalid`;
  readonly #transactions = new Map<string, Transaction>();

  constructor(account: Account, surroundings: Surroundings) {
    this.account = account;
    this.contact = `<sip:${account.user}@${this.#host};transport=ws>`;
    this.#surroundings = surroundings;
  }

  /** Address of record. */
  get aor(): string {
    return `sip:${this.account.user}@${this.account.domain}`;
  }

  nowMs(): number {
    return this.#surroundings.nowMs();
  }

  /** Takes one message from the WebSocket. What is no answer to a request of ours is dropped. */
  receive(text: string): void {
    const message = parseMessage(text);
    if (statusOf(message) === 0) this.onRequest?.(message);
    else this.#transactions.get(branchOf(message))?.onResponse(message);
  }

  /** The connection is gone: nothing will be answered. */
  disconnected(): void {
    for (const { fail } of [...this.#transactions.values()]) fail(new Error('connection closed'));
  }

  /** Answers a request, in the dialog that `tag` names on our side. */
  respond(request: SipMessage, status: string, tag: string, more?: Header[], body?: string): void {
    this.#surroundings.send(formatMessage(responseTo(request, status, tag, more, body)));
  }

  /**
   * Sends a request and gives its final response, after answering a challenge (RFC 3261 22.2) if there was one.
   * @param onProvisional called with each provisional response and the time since the first request was sent
   * @throws Error when no final response comes or the connection closes
   */
  async request(
    draft: Draft,
    onProvisional?: (response: SipMessage, tookMs: number) => void,
  ): Promise<Outcome> {
    const sentMs = this.nowMs();
    const since = () => this.nowMs() - sentMs;
    const provisional = onProvisional && ((one: SipMessage) => onProvisional(one, since()));
    const first = await this.#transact(draft, since, provisional);
    if (first.status !== 401 && first.status !== 407) return first;
    const challenge = chooseChallenge(challengesOf(first.response), this.account.prefer);
    if (!challenge) throw new Error(`${draft.method} ${first.status} with no challenge to answer`);
    const name = first.status === 401 ? 'Authorization' : 'Proxy-Authorization';
    const value = credentialsFor(challenge, this.account, draft, this.#surroundings.hash);
    draft.cseq++;
    const proven = { ...draft, headers: [...draft.headers, [name, value] as Header] };
    return this.#transact(proven, since, provisional);
  }

  /** Sends a request that has no response: the ACK of a 2xx (RFC 3261 13.2.2.4). */
  sendAck(draft: Draft): void {
    this.#surroundings.send(formatMessage(this.#complete(draft, newBranch())));
  }

  #transact(
    draft: Draft,
    since: () => number,
    onProvisional?: (response: SipMessage) => void,
  ): Promise<Outcome> {
    const branch = newBranch();
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.#transactions.delete(branch);
      };
      const fail = (error: Error) => {
        end();
        reject(new Error(`${draft.method}: ${error.message}`));
      };
      const timer = setTimeout(() => fail(new Error('no answer')), ANSWER_TIMEOUT_MS);
      const onResponse = (response: SipMessage) => {
        const tookMs = since();
        const status = statusOf(response);
        if (methodOf(response) !== draft.method) return;
        if (status < 200) return onProvisional?.(response);
        end();
        if (draft.method === 'INVITE' && status >= 300) this.#ackRefusal(draft, branch, response);
        resolve({ response, status, tookMs });
      };
      this.#transactions.set(branch, { onResponse, fail });
      this.#surroundings.send(formatMessage(this.#complete(draft, branch)));
    });
  }

  /** The ACK within an INVITE transaction (RFC 3261 17.1.1.3). */
  #ackRefusal(invite: Draft, branch: string, response: SipMessage): void {
    const ack = { ...invite, method: 'ACK', to: header(response, 'to'), headers: [], body: '' };
    this.#surroundings.send(formatMessage(this.#complete(ack, branch)));
  }

  #complete({ method, uri, from, to, callId, cseq, headers, body }: Draft, branch: string): SipMessage {
    return {
      startLine: `${method} ${uri} SIP/2.0`,
      headers: [
        ['Via', `SIP/2.0/WS ${this.#host};branch=${branch}`],
        ['Max-Forwards', '70'],
        ['From', from],
        ['To', to],
        ['Call-ID', callId],
        ['CSeq', `${cseq} ${method}`],
        ...headers,
      ],
      body,
    };
  }
}

function newBranch(): string {
  return `z9hG4bK${token()}${token()}`;
}
