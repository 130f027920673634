import { describe, expect, it } from 'vitest';
import { Messages, Template } from '../messages.ts';

const PARTIES = {
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
  'Via: SIP/2.0/UDP 127.0.0.1:7001;branch=z9hG4bKi00000042;rport=7001',
  'Max-Forwards: 69',
  'From: "Alice" <sip:alice@strowger.test>;tag=a00000042',
  'To: <sip:bob@strowger.test>',
  'Call-ID: probe-00000042@127.0.0.1',
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
      'Via: SIP/2.0/UDP 127.0.0.1:7001;branch=z9hG4bKi00000042;rport=7001',
      'From: "Alice" <sip:alice@strowger.test>;tag=a00000042',
      'To: <sip:bob@strowger.test>;tag=c00000042',
      'Call-ID: probe-00000042@127.0.0.1',
      'CSeq: 1 INVITE',
      'Contact: <sip:bob@127.0.0.1:7002;transport=UDP>',
      'Content-Length: 0',
      '',
      '',
    ]);
  });

  it('go within the dialog along the route set, last Record-Route first', () => {
    const { memory, from, end } = received(ARRIVED);
    const routeEnd = messages.routes(memory, 12_288, from, end);
    const length = routeEnd - 12_288;
    const text = memory.toString('latin1', 0, messages.inDialog('BYE', memory, 0, 42, 12_288, length));
    expect(text.split('\r\n')).toEqual([
      'BYE sip:bob@127.0.0.1:7002;transport=UDP SIP/2.0',
      'Via: SIP/2.0/UDP 127.0.0.1:7001;branch=z9hG4bKb00000042',
      'Route: <sip:127.0.0.1:5061;lr;c=1>',
      'Route: <sip:127.0.0.1:5060;lr;c=2>',
      'Max-Forwards: 70',
      'From: "Alice" <sip:alice@strowger.test>;tag=a00000042',
      'To: <sip:bob@strowger.test>;tag=c00000042',
      'Call-ID: probe-00000042@127.0.0.1',
      'CSeq: 2 BYE',
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
