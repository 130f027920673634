import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  formatMessage,
  header,
  methodOf,
  parseMessage,
  responseTo,
  type SipMessage,
} from '../lib/messages.ts';
import { answerCalls, call, register } from '../lib/requests.ts';
import type { UserAgent } from '../lib/user-agent.ts';
import { hash, userAgent } from './fixture.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A server that answers each request as `serve` says, and what it got. */
function served(serve: (request: SipMessage) => [string, [string, string][]?] | undefined) {
  const got: SipMessage[] = [];
  const agent: UserAgent = userAgent(
    'alice',
    (text) => {
      const request = parseMessage(text);
      got.push(request);
      const answer = serve(request);
      if (!answer) return;
      const response = formatMessage(responseTo(request, answer[0], 'server', answer[1]));
      queueMicrotask(() => agent.receive(response));
    },
    'SHA-256',
  );
  return { agent, got };
}

const CHALLENGE: [string, string][] = [
  ['WWW-Authenticate', 'Digest realm="r", nonce="n", algorithm=MD5, qop="auth"'],
  ['WWW-Authenticate', 'Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"'],
];

describe('a user agent of the load scripts', () => {
  it('answers a challenge, and its time includes it', async () => {
    const { agent, got } = served((request) =>
      header(request, 'authorization') === '' ? ['401 Unauthorized', CHALLENGE] : ['200 OK'],
    );
    const { status, tookMs } = await register(agent);
    expect(status).toBe(200);
    expect(tookMs).toBe(2); // the clock was read at the start, at the 401 and at the 200
    const [first, second] = got;
    expect(header(first!, 'cseq')).toBe('1 REGISTER');
    expect(header(second!, 'cseq')).toBe('2 REGISTER');
    expect(header(second!, 'call-id')).toBe(header(first!, 'call-id'));
    const credentials = header(second!, 'authorization');
    const value = (name: string) => new RegExp(`${name}="?([^",]+)`).exec(credentials)![1]!;
    const [ha1, ha2] = ['alice:r:secret-alice', 'REGISTER:sip:example.org'].map((a) => hash('SHA-256', a));
    const proof = hash('SHA-256', `${ha1}:n:00000001:${value('cnonce')}:auth:${ha2}`);
    expect(value('response')).toBe(proof);
  });

  it('does not try twice with credentials that were refused', async () => {
    const { agent, got } = served(() => ['401 Unauthorized', CHALLENGE]);
    await expect(register(agent)).rejects.toThrow('REGISTER: 401 Unauthorized');
    expect(got).toHaveLength(2);
  });

  it('acknowledges the refusal of an INVITE in its transaction', async () => {
    const { agent, got } = served((request) =>
      methodOf(request) === 'INVITE' ? ['486 Busy Here'] : undefined,
    );
    await expect(call(agent, 'sip:bob@example.org')).rejects.toThrow('INVITE: 486 Busy Here');
    const [invite, ack] = got;
    expect(header(ack!, 'cseq')).toBe('1 ACK');
    expect(header(ack!, 'via')).toBe(header(invite!, 'via'));
    expect(header(ack!, 'to')).toBe('<sip:bob@example.org>;tag=server');
  });

  it('gives up when no answer comes', async () => {
    const { agent } = served(() => undefined);
    const outcome = expect(register(agent)).rejects.toThrow('REGISTER: no answer');
    await vi.runAllTimersAsync();
    await outcome;
  });

  it('fails what waits when the connection closes, and leaves no timer behind', async () => {
    const { agent } = served(() => undefined);
    const outcome = expect(register(agent)).rejects.toThrow('REGISTER: connection closed');
    agent.disconnected();
    await outcome;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('drops a response to somebody else', async () => {
    const { agent, got } = served(() => undefined);
    const outcome = register(agent);
    const request = got[0]!;
    const strange = { ...request, headers: request.headers.map(([n, v]): [string, string] => [n, v]) };
    strange.headers[0]![1] = strange.headers[0]![1].replace('z9hG4bK', 'z9hG4bKx');
    agent.receive(formatMessage(responseTo(strange, '500 Not for you', '')));
    agent.receive(formatMessage(responseTo(request, '200 OK', '')));
    expect((await outcome).status).toBe(200);
  });
});

describe('a call between two user agents', () => {
  /** Two on one wire, with a proxy that leaves its Record-Route in the INVITE. */
  function wired(delayMs: number) {
    const sent: SipMessage[] = [];
    const proxied = (text: string) => {
      sent.push(parseMessage(text));
      return text.replace(/^(INVITE[^\r]*\r\n)/, '$1Record-Route: <sip:proxy;lr>\r\n');
    };
    const alice: UserAgent = userAgent('alice', (text) => bob.receive(proxied(text)));
    const bob: UserAgent = userAgent('bob', (text) => alice.receive(proxied(text)));
    return { alice, bob, seen: answerCalls(bob, delayMs), sent };
  }

  it('rings, is answered, acknowledged and ended within its dialog', async () => {
    const { alice, bob, seen, sent } = wired(0);
    const { ringingMs, answeredMs, hangUp } = await call(alice, bob.aor);
    expect(ringingMs).toBeLessThan(answeredMs);
    expect(seen).toEqual({ acks: 1, byes: 0 });
    await hangUp();
    expect(seen).toEqual({ acks: 1, byes: 1 });
    const [invite, ringing, , ack, bye] = sent;
    const dialogTag = /;tag=(\w+)/.exec(header(ringing!, 'to'))![1]!;
    for (const request of [ack!, bye!]) {
      expect(request.startLine.split(' ')[1]).toBe(bob.contact.slice(1, -1));
      expect(header(request, 'route')).toBe('<sip:proxy;lr>');
      expect(header(request, 'call-id')).toBe(header(invite!, 'call-id'));
      expect(header(request, 'from')).toBe(header(invite!, 'from'));
      expect(header(request, 'to')).toBe(`<${bob.aor}>;tag=${dialogTag}`);
    }
    expect([header(ack!, 'cseq'), header(bye!, 'cseq')]).toEqual(['1 ACK', '2 BYE']);
  });

  it('is answered late when the called side waits', async () => {
    const { alice, bob, sent } = wired(500);
    const answered = call(alice, bob.aor);
    await vi.advanceTimersByTimeAsync(499);
    expect(sent.map(({ startLine }) => startLine)).toEqual([`INVITE ${bob.aor} SIP/2.0`]);
    await vi.advanceTimersByTimeAsync(1);
    await answered;
    expect(sent.map(({ startLine }) => startLine.slice(0, 11))).toContain('SIP/2.0 180');
  });
});
