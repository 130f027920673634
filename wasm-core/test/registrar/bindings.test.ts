import { describe, expect, it } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { formatAddress } from '../../host/address.ts';
import { type BindingRecord, decodeBinding, decodeRecords } from '../../host/records.ts';
import { Driver, header, lines, sent, type Source, testBank } from '../support/driver.ts';
import { request } from '../support/phone.ts';

function register(
  driver: Driver,
  user: string,
  contact: string,
  source: Source,
  headers: string[] = [],
): string {
  const text = request({
    method: 'REGISTER',
    uri: 'sip:strowger.test',
    from: `<sip:${user}@strowger.test>;tag=r`,
    to: `<sip:${user}@strowger.test>`,
    via: `Via: SIP/2.0/UDP x.invalid;rport;branch=z9hG4bK${source.port}${source.flow ?? 0}`,
    headers: [`Contact: ${contact}`, ...headers],
  });
  return sent(driver.message(text, source))[0]!.text;
}

interface Page {
  records: BindingRecord[];
  next: number;
  total: number;
}

function page(driver: Driver, cursor: number, limit: number): Page {
  const [reply] = driver
    .event(abi.EV_QUERY, { args: [7, abi.QUERY_BINDINGS, cursor, limit] })
    .filter(({ kind }) => kind === abi.EF_QUERY_REPLY);
  const [id, query, next, count, total] = reply!.args;
  expect([id, query]).toEqual([7, abi.QUERY_BINDINGS]);
  return { records: decodeRecords(reply!.bytes, count!, decodeBinding), next: next!, total: total! };
}

/** Where a call to 1002 goes: address and request-URI. */
function called(driver: Driver): { port: number; flow: number; uri: string } | undefined {
  const invite = sent(driver.message(request())).find(({ text }) => text.startsWith('INVITE'));
  return invite && { port: invite.port, flow: invite.flow, uri: invite.text.split(' ')[1]! };
}

describe('bindings, as the API sees them', () => {
  it('have all that is known of them', async () => {
    const driver = await Driver.start();
    const contact = '<sip:a@10.1.1.1:5070;ob>;reg-id=3;q=0.5;+sip.instance="<urn:uuid:1>"';
    const headers = ['Path: <sip:p.example;lr>', 'User-Agent: phone 1.0', 'Expires: 100'];
    register(driver, '1002', contact, { port: 5071, flow: 9, transport: abi.TRANSPORT_WS }, headers);
    const { records, next, total } = page(driver, 0, 10);
    expect([records.length, next, total]).toEqual([1, abi.CURSOR_END, 1]);
    const [binding] = records;
    expect(binding).toMatchObject({
      user: '1002',
      contact: 'sip:a@10.1.1.1:5070;ob',
      instanceId: '"<urn:uuid:1>"',
      path: '<sip:p.example;lr>',
      userAgent: 'phone 1.0',
      transport: abi.TRANSPORT_WS,
      expiresUs: driver.nowUs + 100e6,
      q: 0.5,
      regId: 3,
      port: 5071,
      flow: 9,
    });
    expect(formatAddress(binding!.address)).toBe('127.0.0.1');
  });

  it('come in pages, each once', async () => {
    const driver = await Driver.start();
    const users = Array.from({ length: 10 }, (_, i) => String(1001 + i));
    for (const user of users) register(driver, user, '<sip:a@127.0.0.1:5070>', { port: 5070 });
    register(driver, '1004', '<sip:a@127.0.0.1:5070>;expires=0', { port: 5070 });
    const seen: string[] = [];
    let cursor = 0;
    for (let pages = 0; cursor !== abi.CURSOR_END; pages++) {
      expect(pages).toBeLessThan(5);
      const { records, next, total } = page(driver, cursor, 3);
      expect(total).toBe(9);
      seen.push(...records.map(({ user }) => user));
      cursor = next;
    }
    expect(seen.sort()).toEqual(users.filter((user) => user !== '1004'));
  });
});

describe('what is kept of a binding', () => {
  it('stays as it is beside others that are written, whatever their length', async () => {
    const driver = await Driver.start();
    const source = { port: 5081 };
    const uri = (user: string, length: number) => `sip:${user}@${'h'.repeat(length)}`;
    const contacts = (user: string) => page(driver, 0, 100).records.filter((record) => record.user === user);
    const used = driver.counter(abi.C_BLOCKS_USED);
    for (let length = 190; length < 240; length++) {
      register(driver, '1001', `<${uri('1001', length)}>`, source);
      register(driver, '1002', `<${uri('1002', length)}>`, source);
      register(driver, '1001', `<${uri('1001', length)}>`, source);
      register(driver, '1001', `<${uri('1001', length)}>`, source);
      expect(contacts('1002').map(({ contact }) => contact)).toEqual([uri('1002', length)]);
      expect(contacts('1001').map(({ contact }) => contact)).toEqual([uri('1001', length)]);
      for (const user of ['1002', '1001']) register(driver, user, '*', source, ['Expires: 0']);
      expect(driver.counter(abi.C_BLOCKS_USED)).toBe(used);
    }
  });
});

describe('a binding is reached', () => {
  it('at its Contact, when that is where the REGISTER came from', async () => {
    const driver = await Driver.start();
    register(driver, '1002', '<sip:a@127.0.0.1:6000>', { port: 7001 });
    expect(called(driver)).toEqual({ port: 6000, flow: 0, uri: 'sip:a@127.0.0.1:6000' });
  });

  it('where the REGISTER came from, when the Contact is behind a NAT or a name', async () => {
    const driver = await Driver.start();
    for (const contact of ['sip:a@192.168.1.9:6000', 'sip:a@phone.invalid']) {
      register(driver, '1002', `<${contact}>;+sip.instance="<urn:uuid:1>"`, { port: 7001 });
      expect(called(driver)).toEqual({ port: 7001, flow: 0, uri: contact });
    }
  });

  it('by the connection that it came on last', async () => {
    const driver = await Driver.start();
    const device = '<sip:a@x.invalid;transport=ws>;+sip.instance="<urn:uuid:1>"';
    for (const flow of [5, 6]) {
      register(driver, '1002', device, { port: 7000 + flow, flow, transport: abi.TRANSPORT_WS });
      expect(called(driver)?.flow).toBe(flow);
    }
    driver.event(abi.EV_FLOW_CLOSED, { source: { flow: 5, transport: abi.TRANSPORT_WS } });
    expect(called(driver)?.flow).toBe(6);
  });

  it('by nobody after its connection has closed, and not for long is it kept', async () => {
    const driver = await Driver.start();
    const source = { port: 7001, flow: 5, transport: abi.TRANSPORT_WS };
    register(driver, '1002', '<sip:a@x.invalid;transport=ws>', source);
    driver.event(abi.EV_FLOW_CLOSED, { source });
    expect(lines(driver.message(request()))).toEqual(['SIP/2.0 480 Temporarily Unavailable > 5070']);
    expect(driver.counter(abi.C_BINDINGS)).toBe(1);
    driver.wait(121_000);
    expect([abi.C_BINDINGS, abi.C_AORS, abi.C_BLOCKS_USED].map((c) => driver.counter(c))).toEqual([0, 0, 0]);
  });

  it('in the order of preference', async () => {
    const driver = await Driver.start();
    for (const [port, q] of [
      [7001, '0.2'],
      [7002, '0.9'],
      [7003, '0.5'],
    ] as const) {
      register(driver, '1002', `<sip:a@127.0.0.1:${port}>;q=${q}`, { port });
    }
    expect(called(driver)?.port).toBe(7002);
  });
});

describe('long user parts', () => {
  it.each([1, 47, 48, 49, 128])('of %d bytes are kept whole', async (length) => {
    const name = 'n'.repeat(length);
    const ha1 = { ha1Md5: new Uint8Array(16), ha1Sha256: new Uint8Array(32) };
    const users = [name, `${name.slice(1)}m`].map((user) => ({ user, ...ha1 }));
    const driver = await Driver.start({}, testBank({ users, routes: [] }));
    const answer = register(driver, name, '<sip:a@127.0.0.1:6000>', { port: 6000 });
    expect(header(answer, 'Contact')).toHaveLength(1);
    expect(page(driver, 0, 10).records.map(({ user }) => user)).toEqual([name]);
    register(driver, name, '<sip:a@127.0.0.1:6000>;expires=0', { port: 6000 });
    expect([abi.C_AORS, abi.C_BLOCKS_USED].map((c) => driver.counter(c))).toEqual([0, 0]);
  });
});
