/** What a user agent does: registers, asks the switch for its options, calls, answers. */
import { header, methodOf, routeSet, token, uriOf, type SipMessage } from './messages.ts';
import type { Draft, Outcome, UserAgent } from './user-agent.ts';

/** How long a registration holds, s. */
const EXPIRES_S = 600;

/** An offer, and an answer, of one Opus stream. Nothing is sent on it. */
const SDP = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 40000 RTP/AVP 111',
  'a=rtpmap:111 opus/48000/2',
  '',
].join('\r\n');

/** A response that is not what the script needs. */
export class Refusal extends Error {}

/**
 * Registers the contact of a user agent (RFC 3261 10.2), or with `expiresS` 0 takes it back.
 * @throws Refusal unless the answer is 200
 */
export async function register(agent: UserAgent, expiresS: number = EXPIRES_S): Promise<Outcome> {
  const uri = `sip:${agent.account.domain}`;
  const outcome = await agent.request({
    ...outOfDialog(agent, 'REGISTER', uri, agent.aor),
    headers: [['Contact', `${agent.contact};expires=${expiresS}`]],
  });
  return accepted('REGISTER', outcome);
}

/** Asks the switch itself for its options (RFC 3261 11): one message there and one back. */
export async function options(agent: UserAgent): Promise<Outcome> {
  const uri = `sip:${agent.account.domain}`;
  return accepted('OPTIONS', await agent.request(outOfDialog(agent, 'OPTIONS', uri, uri)));
}

/** A call that was answered, on the caller's side. */
export interface Call {
  /** From the first INVITE to the first 180; undefined when none came. */
  ringingMs: number | undefined;
  /** From the first INVITE to the 200. */
  answeredMs: number;
  /** Ends it. @throws Refusal unless the BYE is answered by 200 */
  hangUp: () => Promise<Outcome>;
}

/**
 * Calls an address of record and acknowledges the answer (RFC 3261 13.2).
 * @throws Refusal unless the final response is 200
 */
export async function call(agent: UserAgent, target: string): Promise<Call> {
  const invite: Draft = {
    ...outOfDialog(agent, 'INVITE', target, target),
    headers: [
      ['Contact', agent.contact],
      ['Content-Type', 'application/sdp'],
    ],
    body: SDP,
  };
  let ringingMs: number | undefined;
  const outcome = await agent.request(invite, ({ startLine }, tookMs) => {
    if (startLine.startsWith('SIP/2.0 180')) ringingMs ??= tookMs;
  });
  const { response } = accepted('INVITE', outcome);
  const inDialog = (method: string, cseq: number): Draft => ({
    ...invite,
    method,
    uri: uriOf(header(response, 'contact')),
    to: header(response, 'to'),
    cseq,
    headers: routeSet(response).map((route) => ['Route', route]),
    body: '',
  });
  agent.sendAck(inDialog('ACK', invite.cseq));
  return {
    ringingMs,
    answeredMs: outcome.tookMs,
    hangUp: async () => accepted('BYE', await agent.request(inDialog('BYE', invite.cseq + 1))),
  };
}

/** What an answering user agent has seen. */
export interface Answered {
  acks: number;
  byes: number;
}

/** Answers every call with 180 and 200, `delayMs` after its INVITE, and every BYE. */
export function answerCalls(agent: UserAgent, delayMs: number): Answered {
  const seen: Answered = { acks: 0, byes: 0 };
  const answer = (invite: SipMessage) => {
    const tag = token();
    agent.respond(invite, '180 Ringing', tag, [['Contact', agent.contact]]);
    const described: [string, string][] = [
      ['Contact', agent.contact],
      ['Content-Type', 'application/sdp'],
    ];
    agent.respond(invite, '200 OK', tag, described, SDP);
  };
  agent.onRequest = (request) => {
    switch (methodOf(request)) {
      case 'INVITE':
        if (delayMs > 0) setTimeout(() => answer(request), delayMs);
        else answer(request);
        break;
      case 'ACK':
        seen.acks++;
        break;
      case 'BYE':
        seen.byes++;
        agent.respond(request, '200 OK', '');
        break;
      default:
        agent.respond(request, '501 Not Implemented', token());
    }
  };
  return seen;
}

function outOfDialog(agent: UserAgent, method: string, uri: string, to: string): Draft {
  return {
    method,
    uri,
    from: `<${agent.aor}>;tag=${token()}`,
    to: `<${to}>`,
    callId: `${token()}${token()}`,
    cseq: 1,
    headers: [],
    body: '',
  };
}

function accepted(method: string, outcome: Outcome): Outcome {
  if (outcome.status !== 200) throw new Refusal(`${method}: ${outcome.response.startLine.slice(8)}`);
  return outcome;
}
