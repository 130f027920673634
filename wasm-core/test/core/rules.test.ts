import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { Driver, header, lines, sent, testBank } from '../support/driver.ts';
import { register, request } from '../support/phone.ts';

describe('rules of a proxy (RFC 3261 16.3)', () => {
  let driver: Driver;
  const first = (text: string) => lines(driver.message(text))[0];

  beforeEach(async () => {
    driver = await Driver.start();
    register(driver, '1002', 7001);
  });

  it.each([
    ['an unknown user', { uri: 'sip:5555@strowger.test' }, '404 Not Found'],
    ['a user who is not registered', { uri: 'sip:1003@strowger.test' }, '480 Temporarily Unavailable'],
    ['another domain', { uri: 'sip:1002@elsewhere.test' }, '404 Not Found'],
    ['a scheme it does not have', { uri: 'http://strowger.test' }, '416 Unsupported URI Scheme'],
    ['sips without TLS', { uri: 'sips:1002@strowger.test' }, '416 Unsupported URI Scheme'],
    [
      'a method that is not for the switch',
      { uri: 'sip:strowger.test', method: 'PUBLISH' },
      '405 Method Not Allowed',
    ],
    ['a method that nobody knows', { uri: 'sip:strowger.test', method: 'FROBNICATE' }, '501 Not Implemented'],
    [
      'a dialog that is not there',
      { to: '<sip:1002@strowger.test>;tag=x', method: 'BYE' },
      '481 Call/Transaction Does Not Exist',
    ],
    ['a CANCEL of nothing', { method: 'CANCEL' }, '481 Call/Transaction Does Not Exist'],
    ['a Route through somebody else', { headers: ['Route: <sip:10.9.9.9;lr>'] }, '404 Not Found'],
  ])('answers %s', (_, fields, status) => {
    expect(first(request(fields))).toBe(`SIP/2.0 ${status} > 5070`);
  });

  it('refuses extensions that a proxy would need, and names them', () => {
    const effects = driver.message(request({ headers: ['Proxy-Require: teleport, path'] }));
    expect(lines(effects)).toEqual(['SIP/2.0 420 Bad Extension > 5070']);
    expect(header(sent(effects)[0]!.text, 'Unsupported')).toEqual(['teleport, path']);
  });

  it('stops at the last hop', () => {
    expect(first(request().replace('Max-Forwards: 70', 'Max-Forwards: 0'))).toBe(
      'SIP/2.0 483 Too Many Hops > 5070',
    );
  });

  it('gives a request without Max-Forwards seventy hops', () => {
    const effects = driver.message(request().replace('Max-Forwards: 70\r\n', ''));
    expect(header(sent(effects)[1]!.text, 'Max-Forwards')).toEqual(['70']);
  });

  it('recognises its own request when it comes back unchanged, and takes a spiral for what it is', () => {
    const text = request({ callId: 'loop', uri: 'sip:1002@strowger.test' });
    const forwarded = sent(driver.message(text))[1]!.text;
    const via = header(forwarded, 'Via').map((value) => `Via: ${value}`);
    const back = text.replace(
      /Via: [^\r]*/,
      ['Via: SIP/2.0/UDP 10.1.1.1;branch=z9hG4bKother', ...via].join('\r\n'),
    );
    expect(first(back)).toBe('SIP/2.0 482 Loop Detected > 5060');
    const spiral = back
      .replace('sip:1002@strowger.test SIP', 'sip:1003@strowger.test SIP')
      .replace('z9hG4bKother', 'z9hG4bKelse');
    expect(first(spiral)).toBe('SIP/2.0 480 Temporarily Unavailable > 5060');
    expect(driver.counter(abi.C_LOOPS)).toBe(1);
  });

  it('answers OPTIONS for itself, and forwards one for a user', () => {
    const own = driver.message(request({ method: 'OPTIONS', uri: 'sip:strowger.test' }));
    expect(lines(own)).toEqual(['SIP/2.0 200 OK > 5070']);
    expect(header(sent(own)[0]!.text, 'Allow')[0]).toContain('INVITE');
    expect(lines(driver.message(request({ method: 'OPTIONS' })))).toEqual([
      'OPTIONS sip:1002@127.0.0.1:7001 SIP/2.0 > 7001',
    ]);
  });

  it('forwards MESSAGE statelessly: repeated, it is the same to the letter', () => {
    const text = request({ method: 'MESSAGE', body: 'hello', headers: ['Content-Type: text/plain'] });
    const once = sent(driver.message(text)).map((effect) => effect.text);
    expect(once).toHaveLength(1);
    expect(once[0]).toContain('\r\n\r\nhello');
    expect(sent(driver.message(text)).map((effect) => effect.text)).toEqual(once);
  });

  it('fills in received and rport, and answers to where the request came from (RFC 3581)', () => {
    const text = request({
      method: 'OPTIONS',
      uri: 'sip:strowger.test',
      via: 'Via: SIP/2.0/UDP 192.168.1.9:5060;rport;branch=z9hG4bKn',
    });
    const [reply] = sent(driver.message(text, { address: '10.2.3.4', port: 33_333 }));
    expect(reply!.port).toBe(33_333);
    expect(header(reply!.text, 'Via')).toEqual([
      'SIP/2.0/UDP 192.168.1.9:5060;rport=33333;branch=z9hG4bKn;received=10.2.3.4',
    ]);
  });

  it('replaces a received that the sender made up', () => {
    const text = request({
      method: 'OPTIONS',
      uri: 'sip:strowger.test',
      via: 'Via: SIP/2.0/UDP h;received=6.6.6.6;branch=z9hG4bKn',
    });
    const [reply] = sent(driver.message(text, { address: '10.2.3.4', port: 5060 }));
    expect(header(reply!.text, 'Via')).toEqual(['SIP/2.0/UDP h;received=10.2.3.4;branch=z9hG4bKn']);
  });

  it('reaches a phone behind NAT where it registered from', () => {
    const text = request({
      method: 'REGISTER',
      uri: 'sip:strowger.test',
      from: '<sip:1004@strowger.test>;tag=r',
      to: '<sip:1004@strowger.test>',
      headers: ['Contact: <sip:1004@192.168.1.9:5060>'],
    });
    driver.message(text, { address: '127.7.7.7', port: 45_000 });
    expect(lines(driver.message(request({ uri: 'sip:1004@strowger.test' })))[1]).toBe(
      'INVITE sip:1004@192.168.1.9:5060 SIP/2.0 > 45000',
    );
  });

  it('calls a phone over TCP that asks for it, though it registered over UDP', () => {
    driver.message(
      request({
        method: 'REGISTER',
        uri: 'sip:strowger.test',
        from: '<sip:1005@strowger.test>;tag=r',
        to: '<sip:1005@strowger.test>',
        headers: ['Contact: <sip:1005@127.0.0.1:7005;transport=tcp>'],
      }),
    );
    const invite = sent(driver.message(request({ uri: 'sip:1005@strowger.test' })))[1]!;
    expect([invite.transport, invite.flow, invite.port]).toEqual([abi.TRANSPORT_TCP, 0, 7005]);
    expect(header(invite.text, 'Record-Route')).toHaveLength(2); // one for each side
  });

  it.each(['INVITE', 'MESSAGE', 'SUBSCRIBE', 'OPTIONS', 'REFER', 'FROB'])(
    'forwards no %s without credentials',
    async (method) => {
      const open = await Driver.start({}, testBank({ trusted: [] }));
      expect(lines(register(open, '1002', 7001))).toEqual(['SIP/2.0 401 Unauthorized > 7001']);
      for (const uri of ['sip:1002@strowger.test', 'sip:9555@strowger.test', 'sip:none@strowger.test']) {
        expect(lines(open.message(request({ method, uri })))).toEqual([
          'SIP/2.0 407 Proxy Authentication Required > 5070',
        ]);
      }
      expect([open.counter(abi.C_BINDINGS), open.counter(abi.C_CALLS_TOTAL)]).toEqual([0, 0]);
    },
  );

  it('leaves an asserted identity to a trusted network', () => {
    const text = request({ headers: ['P-Asserted-Identity: <sip:boss@strowger.test>'] });
    expect(header(sent(driver.message(text))[1]!.text, 'P-Asserted-Identity')).toHaveLength(1);
  });

  it('takes from a user his credentials and what he asserts of himself, and lets him call only as himself', async () => {
    const open = await Driver.start({}, testBank({ trusted: [] }));
    const challenged = sent(open.message(request()))[0]!.text;
    const nonce = /nonce="([^"]+)", algorithm=MD5/.exec(challenged)![1]!;
    const md5 = (text: string) => createHash('md5').update(text).digest('hex');
    const proof = (nc: string) =>
      `Proxy-Authorization: Digest username="1001", realm="strowger.test", nonce="${nonce}", uri="sip:9555@strowger.test", response="${md5(`${md5('1001:strowger.test:pw-1001')}:${nonce}:${nc}:c:auth:${md5('INVITE:sip:9555@strowger.test')}`)}", qop=auth, nc=${nc}, cnonce="c"`;
    const headers = ['P-Asserted-Identity: <sip:boss@strowger.test>'];
    const uri = 'sip:9555@strowger.test';
    const invite = sent(open.message(request({ uri, headers: [proof('00000001'), ...headers] })))[1]!.text;
    expect([header(invite, 'P-Asserted-Identity'), header(invite, 'Proxy-Authorization')]).toEqual([[], []]);
    const other = request({ uri, headers: [proof('00000002')], from: '<sip:1002@strowger.test>;tag=x' });
    expect(lines(open.message(other))).toEqual(['SIP/2.0 403 Forbidden > 5070']);
  });

  it('knows a trunk by its address, over a connection whatever port it comes from', async () => {
    const gateways = [
      { transport: abi.TRANSPORT_UDP, address: '10.0.0.9', port: 5090, priority: 0 },
      { transport: abi.TRANSPORT_TCP, address: '10.0.0.7', port: 5090, priority: 0 },
    ];
    const open = await Driver.start({}, testBank({ trusted: [], trunks: [{ name: 'outside', gateways }] }));
    const from = (address: string, port: number, transport: number) =>
      lines(
        open.message(request({ uri: 'sip:1003@strowger.test' }), { address, port, transport, flow: 1 }),
      )[0];
    expect(from('10.0.0.9', 5090, abi.TRANSPORT_UDP)).toContain('480');
    expect(from('10.0.0.9', 5091, abi.TRANSPORT_UDP)).toContain('407');
    expect(from('10.0.0.7', 40_000, abi.TRANSPORT_TCP)).toContain('480');
    expect(from('10.0.0.9', 40_000, abi.TRANSPORT_TCP)).toContain('407');
  });

  it('sends a number to a trunk without the signs that people write into it', () => {
    expect(lines(driver.message(request({ uri: 'sip:(9)5-55@strowger.test' })))[1]).toContain(
      'INVITE sip:00555@10.0.0.9',
    );
  });

  it('keeps the old configuration when a new one is not sound', () => {
    const bank = testBank();
    bank[8] = bank[8]! + 1; // its size
    expect(driver.loadBank(bank)).toBe(false);
    expect(lines(driver.message(request()))[1]).toContain('INVITE');
    expect(driver.loadBank(testBank({ users: [], routes: [], trunks: [] }))).toBe(true);
    expect(first(request({ uri: 'sip:9555@strowger.test' }))).toBe('SIP/2.0 404 Not Found > 5070');
  });
});
