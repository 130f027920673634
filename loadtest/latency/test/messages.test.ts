import { describe, expect, it } from 'vitest';
import { Messages, Template } from '../messages.ts';

const PARTIES = {
  run: 'r1',
  user: 'bob',
  domain: 'strowger.test',
  caller: '127.0.0.1:7001',
  callee: '127.0.0.1:7002',
};
const messages = new Messages(PARTIES);

/** A request as the called side gets it: with what proxies add, in lines of all kinds. */
const ARRIVED = [
  'INVITE sip:bob@127.0.0.1:7002 SIP/2.0',
  'Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKproxy',
  'Record-Route: <sip:127.0.0.1:5060;lr;c=2>',
  'Record-Route: <sip:127.0.0.1:5061;lr;c=1>',
  'Via: SIP/2.0/UDP 127.0.0.1:7001;branch=z9hG4bKir1-00000042;rport=7001',
  'Max-Forwards: 69',
  'From: "Alice" <sip:alice@strowger.test>;tag=ar1-00000042',
  'To: <sip:bob@strowger.test>',
  'Call-ID: probe-r1-00000042@127.0.0.1',
  'CSeq: 1 INVITE',
  'Contact: <sip:alice@127.0.0.1:7001>',
  'Route: <sip:left.out>',
  'Content-Length: 9',
  '',
  'To: v=0\r\n',
].join('\r\n');

/** Memory with a message at 4,096. */
function received(text: string): { memory: Buffer; from: number; end: number } {
  const memory = Buffer.alloc(16_384);
  return { memory, from: 4_096, end: 4_096 + memory.write(text, 4_096) };
}

describe('a template', () => {
  it('has the number in all its places', () => {
    const memory = Buffer.alloc(64);
    const end = new Template('a@N@b@N@').write(memory, 3, 1_234_567);
    expect(memory.toString('latin1', 3, end)).toBe('a01234567b01234567');
  });
});

describe('messages of a probe', () => {
  it('answer with what RFC 3261 8.2.6.2 wants copied, in its order, and a tag', () => {
    const { memory, from, end } = received(ARRIVED);
    const text = memory.toString('latin1', 0, messages.response(180, memory, 0, 42, from, end));
    expect(text.split('\r\n')).toEqual([
      'SIP/2.0 180 Ringing',
      'Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKproxy',
      'Record-Route: <sip:127.0.0.1:5060;lr;c=2>',
      'Record-Route: <sip:127.0.0.1:5061;lr;c=1>',
      'Via: SIP/2.0/UDP 127.0.0.1:7001;branch=z9hG4bKir1-00000042;rport=7001',
      'From: "Alice" <sip:alice@strowger.test>;tag=ar1-00000042',
      'To: <sip:bob@strowger.test>;tag=cr1-00000042',
      'Call-ID: probe-r1-00000042@127.0.0.1',
      'CSeq: 1 INVITE',
      'Contact: <sip:bob@127.0.0.1:7002;transport=UDP>',
      'Content-Length: 0',
      '',
      '',
    ]);
  });

  it('are answered whatever the case and the length of header names', () => {
    const { memory, from, end } = received(
      [
        'BYE sip:b SIP/2.0',
        'v: a',
        'VIA: b',
        'Via : c',
        'Vienna: d',
        'f: e',
        't: f',
        'To-Do: g',
        '',
        '',
      ].join('\r\n'),
    );
    const text = memory.toString('latin1', 0, messages.response('bye', memory, 0, 42, from, end));
    expect(text.split('\r\n').slice(1, -3)).toEqual(['v: a', 'VIA: b', 'Via : c', 'f: e', 't: f']);
  });

  it('go within the dialog to the Contact along the route set, last Record-Route first', () => {
    const { memory, from, end } = received(
      [
        'SIP/2.0 200 OK',
        'Record-Route: <sip:4;lr>;x="a,b>" ,\t"One, two" <sip:3;lr;h=a,b>',
        'record-route:<sip:2;lr>,<sip:1;lr>',
        'Contact: "Bob" <sip:bob@127.0.0.1:9999;a=b>;expires=3',
        'Content-Length: 26',
        '',
        'Record-Route: <sip:body>\r\n',
      ].join('\r\n'),
    );
    const route = { at: 12_288, targetLength: 0, routesLength: 0 };
    const routeEnd = messages.dialogRoute(memory, route, from, end);
    expect(routeEnd).toBe(12_288 + route.targetLength + route.routesLength);
    const text = memory.toString('latin1', 0, messages.inDialog('BYE', memory, 0, 42, route));
    expect(text.split('\r\n')).toEqual([
      'BYE sip:bob@127.0.0.1:9999;a=b SIP/2.0',
      'Via: SIP/2.0/UDP 127.0.0.1:7001;branch=z9hG4bKbr1-00000042',
      'Route: <sip:1;lr>',
      'Route: <sip:2;lr>',
      'Route: "One, two" <sip:3;lr;h=a,b>',
      'Route: <sip:4;lr>;x="a,b>" ',
      'Max-Forwards: 70',
      'From: "Alice" <sip:alice@strowger.test>;tag=ar1-00000042',
      'To: <sip:bob@strowger.test>;tag=cr1-00000042',
      'Call-ID: probe-r1-00000042@127.0.0.1',
      'CSeq: 2 BYE',
      'Content-Length: 0',
      '',
      '',
    ]);
  });

  it('have no target when the 200 has no Contact', () => {
    const { memory, from, end } = received('SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n');
    const route = { at: 12_288, targetLength: 1, routesLength: 1 };
    messages.dialogRoute(memory, route, from, end);
    expect(route).toEqual({ at: 12_288, targetLength: 0, routesLength: 0 });
  });

  it('acknowledge a refusal within the transaction of the INVITE (RFC 3261 17.1.1.3)', () => {
    const { memory, from, end } = received(
      'SIP/2.0 503 Service Unavailable\r\nTo: <sip:bob@strowger.test>;tag=z\r\nRetry-After: 1\r\n\r\n',
    );
    const text = memory.toString('latin1', 0, messages.ackOfRefusal(memory, 0, 42, from, end));
    expect(text.split('\r\n')).toEqual([
      'ACK sip:bob@strowger.test SIP/2.0',
      'Via: SIP/2.0/UDP 127.0.0.1:7001;branch=z9hG4bKir1-00000042',
      'Max-Forwards: 70',
      'From: "Alice" <sip:alice@strowger.test>;tag=ar1-00000042',
      'To: <sip:bob@strowger.test>;tag=z',
      'Call-ID: probe-r1-00000042@127.0.0.1',
      'CSeq: 1 ACK',
      'Content-Length: 0',
      '',
      '',
    ]);
  });

  it('say how long their bodies are', () => {
    const memory = Buffer.alloc(4_096);
    const text = memory.toString('latin1', 0, messages.invite.write(memory, 0, 7));
    const [head = '', body = ''] = text.split('\r\n\r\n');
    expect(Number(/Content-Length: (\d+)/.exec(head)![1])).toBe(body.length);
  });
});
