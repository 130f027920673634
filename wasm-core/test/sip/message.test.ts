import { describe, expect, it } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { Parser } from '../support/parser.ts';

const parser = new Parser();

const FIELDS = {
  start: 'INVITE sip:bob@example.com SIP/2.0',
  via: 'Via: SIP/2.0/UDP 192.0.2.1:5062;rport;branch=z9hG4bKabc',
  from: 'From: "Alice" <sip:alice@example.com>;tag=1',
  to: 'To: <sip:bob@example.com>',
  callId: 'Call-ID: a84b4c76e66710',
  cseq: 'CSeq: 314159 INVITE',
  hops: 'Max-Forwards: 70',
  length: 'Content-Length: 0',
};

/** A message with some of its lines replaced, or (null) left out, and lines added. */
function message(
  changes: Partial<Record<keyof typeof FIELDS, string | null>> = {},
  ...more: string[]
): string {
  const lines = Object.values({ ...FIELDS, ...changes }).filter((line) => line !== null);
  return [...lines, ...more, '', ''].join('\r\n');
}

describe('a message', () => {
  it('is taken apart', () => {
    expect(parser.parse(`${message({ length: 'Content-Length: 4' })}body and more`)).toBe(0);
    expect(parser.get('isRequest')).toBe(1);
    expect(parser.get('methodId')).toBe(abi.METHOD_INVITE);
    expect(parser.span('method')).toBe('INVITE');
    expect(parser.span('uri')).toBe('sip:bob@example.com');
    expect(parser.get('cseqNumber')).toBe(314_159);
    expect(parser.get('cseqMethodId')).toBe(abi.METHOD_INVITE);
    expect(parser.span('callId')).toBe('a84b4c76e66710');
    expect(parser.span('fromTag')).toBe('1');
    expect(parser.get('toTagLen')).toBe(0);
    expect(parser.get('maxForwards')).toBe(70);
    expect(parser.get('contentLength')).toBe(4);
    expect(parser.span('body')).toBe('body');
    expect(parser.get('hdrCount')).toBe(7);
    expect(parser.text(parser.get('headersEnd'), 2)).toBe('\r\n');
    expect(parser.text(parser.get('msgPtr'), parser.get('msgLen')).endsWith('\r\n\r\nbody')).toBe(true);
  });

  it('has its topmost Via taken apart', () => {
    const via =
      'Via: SIP / 2.0 / wss [2001:db8::1] : 443 ;rport=4 ; received=192.0.2.9;branch=z9hG4bKx , SIP/2.0/UDP b';
    expect(parser.parse(message({ via }))).toBe(0);
    expect(parser.get('viaTransport')).toBe(abi.TRANSPORT_WSS);
    expect(parser.span('viaHost')).toBe('[2001:db8::1]');
    expect(parser.get('viaPort')).toBe(443);
    expect(parser.span('viaRport')).toBe('rport=4');
    expect(parser.span('viaReceived')).toBe('192.0.2.9');
    expect(parser.span('viaBranch')).toBe('z9hG4bKx');
    expect(parser.span('via')).toBe(via.slice(5, via.indexOf(' , ')));
    expect(parser.span('viaParams')).toBe(';rport=4 ; received=192.0.2.9;branch=z9hG4bKx');
    const [from, to] = [parser.get('viaCutPtr'), parser.get('viaCutEnd')];
    expect(parser.text(from, to - from)).toBe(via.slice(5, via.indexOf(' , ') + 3));
  });

  it('has the whole line of an only Via cut, folding included', () => {
    const via = 'v:\r\n SIP/2.0/UDP a\r\n\t;branch=z9hG4bK1';
    expect(parser.parse(message({ via }))).toBe(0);
    const [from, to] = [parser.get('viaCutPtr'), parser.get('viaCutEnd')];
    expect(parser.text(from, to - from)).toBe(`${via}\r\n`);
    expect(parser.span('viaHost')).toBe('a');
    expect(parser.get('viaPort')).toBe(0);
  });

  it('has parameters found behind any number of others', () => {
    for (const n of [14, 15, 16, 17, 40]) {
      const others = Array.from({ length: n }, (_, i) => `;x${i}=";tag=0;branch=0"`).join('');
      const text = message({
        from: `From: <sip:a@b>${others} ; tag = here`,
        via: `Via: SIP/2.0/UDP 192.0.2.1${others};branch=z9hG4bKhere;received=192.0.2.7`,
      });
      expect(parser.parse(text), `${n} parameters`).toBe(0);
      expect(parser.span('fromTag')).toBe('here');
      expect(parser.span('viaBranch')).toBe('z9hG4bKhere');
      expect(parser.span('viaReceived')).toBe('192.0.2.7');
    }
  });

  it('leaves nothing of the one before', () => {
    expect(
      parser.parse(message({ to: 'To: <sip:b@c>;tag=9', via: 'Via: SIP/2.0/TCP a:1;received=b;rport' })),
    ).toBe(0);
    expect(parser.parse(message({ via: 'Via: SIP/2.0/UDP a' }))).toBe(0);
    for (const name of ['viaRportPtr', 'viaReceivedPtr', 'viaBranchLen', 'viaPort', 'toTagLen']) {
      expect(parser.get(name), name).toBe(0);
    }
  });

  it('that is a response is read', () => {
    expect(parser.parse(message({ start: 'SIP/2.0 486 Busy, \u00fc: really' }))).toBe(0);
    expect(parser.get('isRequest')).toBe(0);
    expect(parser.get('statusCode')).toBe(486);
    expect(parser.get('cseqMethodId')).toBe(abi.METHOD_INVITE);
  });

  it('finds headers by any name, in their order', () => {
    const more = [
      'm: <sip:a@b>',
      'CONTACT: <sip:c@d>',
      'e: gzip',
      'k: path, outbound',
      'X-Own: 1',
      'Contact : *',
    ];
    expect(parser.parse(message({}, ...more))).toBe(0);
    expect(parser.values('H_CONTACT')).toEqual(['<sip:a@b>', '<sip:c@d>', '*']);
    expect(parser.values('H_CONTENT_ENCODING')).toEqual(['gzip']);
    expect(parser.values('H_SUPPORTED')).toEqual(['path, outbound']);
    expect(parser.values('H_OTHER')).toEqual(['1']);
    expect(parser.values('H_EVENT')).toEqual([]);
  });

  it('of 256 header lines is read, of 257 answered 400', () => {
    const lines = (n: number) => Array.from({ length: n }, (_, i) => `X-${i}: ${i}`);
    expect(parser.parse(message({}, ...lines(256 - 7)))).toBe(0);
    expect(parser.get('hdrCount')).toBe(256);
    expect(parser.verdict(message({}, ...lines(257 - 7)))).toBe(400);
    expect(parser.values('H_CALL_ID')).toEqual(['a84b4c76e66710']);
  });

  it('that is malformed keeps what is needed to answer it', () => {
    expect(parser.verdict(message({ start: 'INVITE sip:[bad SIP/2.0', cseq: 'CSeq: x' }, 'no header'))).toBe(
      400,
    );
    expect(parser.get('isRequest')).toBe(1);
    expect(parser.span('callId')).toBe('a84b4c76e66710');
    expect(parser.span('viaBranch')).toBe('z9hG4bKabc');
    for (const id of ['H_VIA', 'H_FROM', 'H_TO', 'H_CSEQ']) expect(parser.values(id), id).toHaveLength(1);
  });
});

/** What a message is answered with; 200: it parses; 0: it is dropped. */
const VERDICTS: [what: string, text: string, verdict: number][] = [
  ['as it should be', message(), 200],
  ['line breaks in front', `\r\n\r\n${message()}`, 200],
  ['bare LF as line end', message().replaceAll('\r\n', '\n'), 200],
  [
    'RFC 2543: neither branch nor tag nor Max-Forwards nor Content-Length',
    message({ via: 'Via: SIP/2.0/UDP a', from: 'From: sip:a@b', hops: null, length: null }),
    200,
  ],
  ['nothing', '', 0],
  ['a keepalive', '\r\n\r\n', 0],
  ['no blank line', message().slice(0, -2), 400],
  ['an unfinished line', message().slice(0, -4), 400],
  ['version 7.0', message({ start: 'INVITE sip:a@b SIP/7.0' }), 505],
  ['version 2.00', message({ start: 'INVITE sip:a@b SIP/2.00' }), 505],
  ['version in lower case', message({ start: 'INVITE sip:a@b sip/2.0' }), 200],
  ['another protocol', message({ start: 'INVITE sip:a@b HTTP/1.1' }), 400],
  ['no version', message({ start: 'INVITE sip:a@b' }), 400],
  ['no URI', message({ start: 'INVITE  SIP/2.0' }), 400],
  ['two spaces', message({ start: 'INVITE  sip:a@b SIP/2.0' }), 400],
  ['a space behind', message({ start: 'INVITE sip:a@b SIP/2.0 ' }), 400],
  ['a tab', message({ start: 'INVITE\tsip:a@b SIP/2.0' }), 400],
  ['white space in the URI', message({ start: 'INVITE sip:a@b; lr SIP/2.0' }), 400],
  ['brackets about the URI', message({ start: 'INVITE <sip:a@b> SIP/2.0' }), 400],
  ['headers in the URI', message({ start: 'INVITE sip:a@b?Route=c SIP/2.0' }), 400],
  ['an IPv6 address without brackets', message({ start: 'INVITE sip:2001:db8::10 SIP/2.0' }), 400],
  ['an IPv6 address', message({ start: 'INVITE sip:[2001:db8::10]:5070 SIP/2.0' }), 200],
  ['an unknown scheme', message({ start: 'INVITE nobody:a@b SIP/2.0' }), 200],
  ['a URI without scheme', message({ start: 'INVITE bob SIP/2.0' }), 400],
  ['a method in lower case is another one', message({ start: 'invite sip:a@b SIP/2.0' }), 501],
  ['an unknown method', message({ start: 'FROB sip:a@b SIP/2.0', cseq: 'CSeq: 1 FROB' }), 200],
  ['an unknown method with another CSeq', message({ start: 'FROB sip:a@b SIP/2.0' }), 501],
  ['a CSeq of another method', message({ cseq: 'CSeq: 1 OPTIONS' }), 400],
  ['the greatest CSeq number', message({ cseq: 'CSeq: 4294967295 INVITE' }), 200],
  ['a CSeq number above', message({ cseq: 'CSeq: 4294967296 INVITE' }), 400],
  ['a CSeq number far above', message({ cseq: 'CSeq: 36893488147419103232 INVITE' }), 400],
  ['a negative CSeq number', message({ cseq: 'CSeq: -1 INVITE' }), 400],
  ['a CSeq without method', message({ cseq: 'CSeq: 1' }), 400],
  ['a CSeq with more behind', message({ cseq: 'CSeq: 1 INVITE x' }), 400],
  ['Max-Forwards above 255', message({ hops: 'Max-Forwards: 256' }), 400],
  ['Max-Forwards that is no number', message({ hops: 'Max-Forwards: many' }), 400],
  ['Max-Forwards 0', message({ hops: 'Max-Forwards: 0' }), 200],
  ['a body that is too short', message({ length: 'Content-Length: 1' }), 400],
  ['a negative Content-Length', message({ length: 'Content-Length: -999' }), 400],
  ['an empty Content-Length', message({ length: 'Content-Length:' }), 400],
  ['a Content-Length of 2^32', message({ length: 'Content-Length: 4294967296' }), 400],
  ['a Content-Length with a fraction', message({ length: 'Content-Length: 0.5' }), 400],
  ['a line without colon', message({}, 'Subject'), 400],
  ['a line without name', message({}, ': x'), 400],
  ['a name with a space in it', message({}, 'My Header: x'), 400],
  ['a name that is no token', message({}, 'Süß: x'), 400],
  ['an empty value', message({}, 'Subject:'), 200],
  ['a fold before the first header', message().replace('\r\n', '\r\n x: y\r\n'), 400],
  ['an empty Call-ID', message({ callId: 'Call-ID:' }), 400],
  ['a Via of another version', message({ via: 'Via: SIP/3.0/UDP a' }), 400],
  ['a Via without host', message({ via: 'Via: SIP/2.0/UDP ;branch=z9hG4bK1' }), 400],
  ['a Via with port 65536', message({ via: 'Via: SIP/2.0/UDP a:65536' }), 400],
  ['a Via with empty parameters', message({ via: 'Via: SIP/2.0/UDP a;;branch=z9hG4bK1' }), 400],
  ['a Via whose brackets do not close', message({ via: 'Via: SIP/2.0/UDP [::1;branch=z9hG4bK1' }), 400],
  [
    'a Via with a received in brackets',
    message({ via: 'Via: SIP/2.0/UDP [::1];received=[2001:db8::9]' }),
    200,
  ],
  ['a display name that does not end', message({ to: 'To: "Bob <sip:b@c>' }), 400],
  ['a display name with a comma', message({ from: 'From: Bell, Alexander <sip:a@b>;tag=4' }), 400],
  ['a display name in UTF-8 without quotes', message({ from: 'From: Jürgen <sip:a@b>;tag=4' }), 200],
  ['a display name with escaped quotes', message({ from: 'From: "a\\"<\\\\" <sip:a@b>;tag=4' }), 200],
  ['no space before the bracket', message({ from: 'From: caller<sip:a@b>;tag=4' }), 200],
  ['a bracket that does not close', message({ to: 'To: <sip:b@c' }), 400],
  ['empty brackets', message({ to: 'To: <>' }), 400],
  ['no scheme', message({ to: 'To: <bob>' }), 400],
  ['white space in brackets', message({ to: 'To: < sip:b@c >' }), 400],
  ['text behind the brackets', message({ to: 'To: <sip:b@c> x' }), 400],
  ['two values in To', message({ to: 'To: <sip:b@c>, <sip:d@e>' }), 400],
  ['an empty parameter in From', message({ from: 'From: <sip:a@b>;;tag=1' }), 400],
  ['a response of another version', message({ start: 'SIP/3.0 200 OK' }), 0],
  ['a response of version 2.10', message({ start: 'SIP/2.10 200 OK' }), 0],
  ['a response without phrase', message({ start: 'SIP/2.0 200' }), 200],
  ['a response with an empty phrase', message({ start: 'SIP/2.0 100 ' }), 200],
  ['a response of four digits', message({ start: 'SIP/2.0 2000 OK' }), 0],
  ['a response of 2^32 + 5', message({ start: 'SIP/2.0 4294967301 x' }), 0],
  ['a response below 100', message({ start: 'SIP/2.0 099 x' }), 0],
  ['a response above 699', message({ start: 'SIP/2.0 700 x' }), 0],
  ['a response with a bad CSeq', message({ start: 'SIP/2.0 200 OK', cseq: 'CSeq: 4294967296 INVITE' }), 0],
  ['bytes of another protocol', '\0\x01\0\0!\x12\xa4B and more', 0],
];

describe('verdicts', () => {
  it.each(VERDICTS)('%s', (_, text, verdict) => {
    expect(parser.verdict(text)).toBe(verdict);
  });

  it.each(['via', 'from', 'to', 'callId', 'cseq'] as const)('without %s: 400', (field) => {
    expect(parser.verdict(message({ [field]: null }))).toBe(400);
  });

  it.each(['from', 'to', 'callId', 'cseq', 'hops', 'length'] as const)('%s twice: 400', (field) => {
    expect(parser.verdict(message({}, FIELDS[field]))).toBe(400);
  });

  it('a second Via: fine', () => {
    expect(parser.verdict(message({}, FIELDS.via))).toBe(200);
  });

  it('without Content-Length on a stream: no body', () => {
    expect(parser.parse(`${message({ length: null })}rest`, true)).toBe(0);
    expect(parser.get('bodyLen')).toBe(0);
    expect(parser.parse(`${message({ length: null })}rest`)).toBe(0);
    expect(parser.span('body')).toBe('rest');
  });
});
