import { describe, expect, it } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { Driver, header, lines, sent } from '../support/driver.ts';
import { request } from '../support/phone.ts';

const PORT = 7001;

interface Registration {
  contacts?: string[];
  headers?: string[];
  callId?: string;
  cseq?: number;
  branch?: string;
  user?: string;
  to?: string;
}

function send(driver: Driver, fields: Registration = {}): string {
  const { user = '1002', contacts = [], headers = [] } = fields;
  const text = request({
    method: 'REGISTER',
    uri: 'sip:strowger.test',
    from: `<sip:${user}@strowger.test>;tag=r`,
    to: fields.to ?? `<sip:${user}@strowger.test>`,
    port: PORT,
    callId: fields.callId ?? 'reg',
    cseq: fields.cseq ?? 1,
    branch: fields.branch,
    headers: [...contacts.map((contact) => `Contact: ${contact}`), ...headers],
  });
  return sent(driver.message(text, { port: PORT }))[0]!.text;
}

const status = (message: string) => message.slice(8, 11);
const contactsOf = (message: string) => header(message, 'Contact');

describe('REGISTER', () => {
  it('keeps several contacts and lists them all, with what is left of their time', async () => {
    const driver = await Driver.start();
    send(driver, { contacts: ['<sip:a@127.0.0.1:7001>;expires=600;q=0.5'] });
    driver.nowUs += 100e6;
    const reply = send(driver, { contacts: ['<sip:b@127.0.0.1:7002>'], headers: ['Expires: 300'], cseq: 2 });
    expect(contactsOf(reply)).toEqual([
      '<sip:a@127.0.0.1:7001>;q=0.500;expires=500',
      '<sip:b@127.0.0.1:7002>;expires=300',
    ]);
  });

  it('takes several contacts from one header line', async () => {
    const driver = await Driver.start();
    const reply = send(driver, {
      contacts: ['<sip:a@127.0.0.1:7001>;expires=60, "B, or not" <sip:b@127.0.0.1:7002>;expires=70'],
    });
    expect(contactsOf(reply)).toEqual([
      '<sip:a@127.0.0.1:7001>;expires=60',
      '<sip:b@127.0.0.1:7002>;expires=70',
    ]);
  });

  it('answers a fetch with what is there, and nothing else changes', async () => {
    const driver = await Driver.start();
    expect(contactsOf(send(driver))).toEqual([]);
    send(driver, { contacts: ['<sip:a@127.0.0.1:7001>'] });
    expect(contactsOf(send(driver, { cseq: 2 }))).toHaveLength(1);
    expect(driver.counter(abi.C_BINDINGS)).toBe(1);
  });

  it('forgets a binding when its time is over', async () => {
    const driver = await Driver.start();
    send(driver, { contacts: ['<sip:a@127.0.0.1:7001>;expires=60'] });
    driver.wait(59_000);
    expect(driver.counter(abi.C_BINDINGS)).toBe(1);
    driver.wait(2_000);
    expect([driver.counter(abi.C_BINDINGS), driver.counter(abi.C_AORS)]).toEqual([0, 0]);
    expect(lines(driver.message(request()))).toEqual(['SIP/2.0 480 Temporarily Unavailable > 5070']);
  });

  it('removes one with expires 0, and all with a star', async () => {
    const driver = await Driver.start();
    send(driver, {
      contacts: ['<sip:a@127.0.0.1:7001>', '<sip:b@127.0.0.1:7002>', '<sip:c@127.0.0.1:7003>'],
    });
    expect(
      contactsOf(send(driver, { contacts: ['<sip:b@127.0.0.1:7002>;expires=0'], cseq: 2 })),
    ).toHaveLength(2);
    expect(status(send(driver, { contacts: ['*'], headers: ['Expires: 60'], cseq: 3 }))).toBe('400');
    expect(status(send(driver, { contacts: ['*'], cseq: 3 }))).toBe('400');
    expect(
      status(send(driver, { contacts: ['*', '<sip:b@127.0.0.1:7002>'], headers: ['Expires: 0'], cseq: 3 })),
    ).toBe('400');
    expect(driver.counter(abi.C_BINDINGS)).toBe(2);
    expect(status(send(driver, { contacts: ['*'], headers: ['Expires: 0'], cseq: 4 }))).toBe('200');
    expect(driver.counter(abi.C_BINDINGS)).toBe(0);
  });

  it('refuses too short an interval with the least it takes, and shortens too long a one', async () => {
    const driver = await Driver.start({ expiresMinS: 60, expiresMaxS: 600 });
    const brief = send(driver, { contacts: ['<sip:a@127.0.0.1:7001>;expires=5'] });
    expect([status(brief), header(brief, 'Min-Expires')]).toEqual(['423', ['60']]);
    expect(contactsOf(send(driver, { contacts: ['<sip:a@127.0.0.1:7001>;expires=9999'] }))[0]).toContain(
      'expires=600',
    );
  });

  it('is all or nothing: one bad contact and none is taken', async () => {
    const driver = await Driver.start();
    const reply = send(driver, { contacts: ['<sip:a@127.0.0.1:7001>', '<sip:b@127.0.0.1:7002>;expires=1'] });
    expect(status(reply)).toBe('423');
    expect(driver.counter(abi.C_BINDINGS)).toBe(0);
  });

  it('keeps the order of requests: an older one of the same Call-ID is refused, a repeated one answered again', async () => {
    const driver = await Driver.start();
    const contacts = ['<sip:a@127.0.0.1:7001>;expires=100'];
    const gone = ['<sip:a@127.0.0.1:7001>;expires=0'];
    send(driver, { contacts, cseq: 5, branch: 'z9hG4bKfifth' });
    expect(status(send(driver, { contacts: gone, cseq: 4 }))).toBe('500');
    expect(status(send(driver, { contacts: ['*'], headers: ['Expires: 0'], cseq: 4 }))).toBe('500');
    expect(status(send(driver, { contacts: gone, cseq: 5 }))).toBe('500');
    expect(status(send(driver, { contacts, cseq: 5, branch: 'z9hG4bKfifth' }))).toBe('200');
    expect(driver.counter(abi.C_BINDINGS)).toBe(1);
    expect(status(send(driver, { contacts: gone, cseq: 1, callId: 'other' }))).toBe('200');
    expect(driver.counter(abi.C_BINDINGS)).toBe(0);
  });

  it('takes URIs that differ only in what does not matter for one (RFC 3261 19.1.4)', async () => {
    const driver = await Driver.start();
    send(driver, { contacts: ['<sip:%61lice@PHONE.example:5060>'] });
    const reply = send(driver, { contacts: ['<sip:alice@phone.EXAMPLE:5060>'], cseq: 2 });
    expect(contactsOf(reply)).toHaveLength(1);
    const other = send(driver, {
      contacts: ['<sip:Alice@phone.example:5060>', '<sip:alice@phone.example>'],
      cseq: 3,
    });
    expect(contactsOf(other)).toHaveLength(3);
  });

  it('keeps escaped zero bytes apart (RFC 4475 3.1.1.4)', async () => {
    const driver = await Driver.start();
    const reply = send(driver, {
      contacts: ['<sip:%00@host5.example.com>', '<sip:%00%00@host5.example.com>'],
    });
    expect(contactsOf(reply)).toHaveLength(2);
  });

  it('returns the parameters of a Contact as they came', async () => {
    const driver = await Driver.start();
    const reply = send(driver, {
      contacts: ['<sip:a@127.0.0.1:7001;x=1?Route=%3Csip:b%3E>;p="a;b,c";expires=60;q=0.25'],
    });
    expect(contactsOf(reply)).toEqual([
      '<sip:a@127.0.0.1:7001;x=1?Route=%3Csip:b%3E>;p="a;b,c";q=0.250;expires=60',
    ]);
  });

  it('records Path and calls through it', async () => {
    const driver = await Driver.start();
    const reply = send(driver, {
      contacts: ['<sip:a@127.0.0.1:7001>'],
      headers: ['Path: <sip:edge.example;lr>', 'Supported: path'],
    });
    expect(header(reply, 'Path')).toEqual(['<sip:edge.example;lr>']);
    const invite = sent(driver.message(request()))[1]!.text;
    expect(header(invite, 'Route')).toEqual(['<sip:edge.example;lr>']);
  });

  it('keeps one binding for a device that comes back on another connection (RFC 5626)', async () => {
    const driver = await Driver.start();
    const device = ';reg-id=1;+sip.instance="<urn:uuid:1>"';
    const from = (flow: number, contact: string) =>
      driver.message(
        request({
          method: 'REGISTER',
          uri: 'sip:strowger.test',
          from: '<sip:1002@strowger.test>;tag=r',
          to: '<sip:1002@strowger.test>',
          via: `Via: SIP/2.0/WS x.invalid;branch=z9hG4bK${flow}`,
          headers: [`Contact: <sip:${contact}@x.invalid;transport=ws>${device}`, 'Supported: outbound'],
        }),
        { transport: abi.TRANSPORT_WS, flow, port: 40_000 + flow },
      );
    const first = sent(from(1, 'aaa'))[0]!;
    expect([first.flow, header(first.text, 'Require')]).toEqual([1, ['outbound']]);
    driver.event(abi.EV_FLOW_CLOSED, { source: { flow: 1, transport: abi.TRANSPORT_WS } });
    expect(lines(driver.message(request()))).toEqual(['SIP/2.0 480 Temporarily Unavailable > 5070']);
    from(2, 'bbb');
    expect(driver.counter(abi.C_BINDINGS)).toBe(1);
    const invite = sent(driver.message(request()))[1]!;
    expect([invite.flow, invite.text.split('\r\n')[0]]).toEqual([
      2,
      'INVITE sip:bbb@x.invalid;transport=ws SIP/2.0',
    ]);
  });

  it('refuses whom it does not know, other schemes, other domains, and too many contacts', async () => {
    const driver = await Driver.start({ contactsPerAorMax: 2 });
    expect(status(send(driver, { user: '9999' }))).toBe('404');
    expect(status(send(driver, { to: '<sip:1002@elsewhere.test>' }))).toBe('404');
    expect(status(send(driver, { to: '<http://strowger.test>' }))).toBe('400');
    const three = ['<sip:a@127.0.0.1:1>', '<sip:a@127.0.0.1:2>', '<sip:a@127.0.0.1:3>'];
    expect(status(send(driver, { contacts: three }))).toBe('403');
  });

  it('answers 503 when its table is full', async () => {
    const driver = await Driver.start({ bindingsMax: 1 });
    send(driver, { contacts: ['<sip:a@127.0.0.1:7001>'] });
    expect(status(send(driver, { user: '1003', contacts: ['<sip:a@127.0.0.1:7001>'] }))).toBe('503');
    expect(driver.counter(abi.C_AORS)).toBe(1);
  });
});
