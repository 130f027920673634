import { beforeEach, describe, expect, it } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { Driver, header, sent, type Source } from '../support/driver.ts';
import { type RequestFields, request } from '../support/phone.ts';

const SOURCE = { port: 7001 };
let cseq = 0;

function registration(contacts: readonly string[], fields: RequestFields = {}): string {
  return request({
    method: 'REGISTER',
    uri: 'sip:strowger.test',
    from: '<sip:1002@strowger.test>;tag=r',
    to: '<sip:1002@strowger.test>',
    port: 7001,
    callId: 'reg',
    cseq: ++cseq,
    ...fields,
    headers: [...contacts.map((contact) => `Contact: ${contact}`), ...(fields.headers ?? [])],
  });
}

function send(
  driver: Driver,
  contacts: readonly string[],
  fields: RequestFields = {},
  source: Source = SOURCE,
): string {
  const [answer] = sent(driver.message(registration(contacts, fields), source));
  if (answer === undefined) throw new Error('no answer');
  return answer.text;
}

const status = (message: string) => Number(message.slice(8, 11));
const contactsOf = (message: string) => header(message, 'Contact');
const contact = (n: number, params = '') => `<sip:c${n}@127.0.0.1:${8000 + n}>${params}`;

/** Bindings, addresses of record, blocks of the pool, timers. */
function counts(driver: Driver): number[] {
  driver.wait(0);
  return [abi.C_BINDINGS, abi.C_AORS, abi.C_BLOCKS_USED, abi.C_TIMERS].map((c) => driver.counter(c));
}

beforeEach(() => {
  cseq = 0;
});

describe('a REGISTER is taken whole or not at all', () => {
  it('when the table of bindings is full', async () => {
    const driver = await Driver.start({ bindingsMax: 3 });
    send(driver, [contact(1), contact(2)]);
    const before = counts(driver);
    const answer = send(driver, [contact(1, ';expires=0'), contact(3), contact(4)]);
    expect([status(answer), header(answer, 'Retry-After')]).toEqual([503, ['5']]);
    expect(counts(driver)).toEqual(before);
    expect(contactsOf(send(driver, []))).toEqual([contact(1, ';expires=3600'), contact(2, ';expires=3600')]);
    expect(contactsOf(send(driver, [contact(3)]))).toHaveLength(3);
  });

  it('when the pool is empty', async () => {
    const driver = await Driver.start({ blocks256: 3, blocks1k: 0, blocks4k: 0, blocks64k: 0 });
    send(driver, [contact(1), contact(2)]);
    const before = counts(driver);
    expect(status(send(driver, [contact(1, ';q=0.1'), contact(3)]))).toBe(503);
    expect(counts(driver)).toEqual(before);
    expect(contactsOf(send(driver, []))[0]).not.toContain('q=');
    expect(contactsOf(send(driver, [contact(3)]))).toHaveLength(3);
  });

  it('when the table of addresses of record is full', async () => {
    const driver = await Driver.start({ aorsMax: 1 });
    send(driver, [contact(1)]);
    const before = counts(driver);
    const other = { from: '<sip:1003@strowger.test>;tag=r', to: '<sip:1003@strowger.test>' };
    expect(status(send(driver, [contact(2)], other))).toBe(503);
    expect(counts(driver)).toEqual(before);
    expect(status(send(driver, [contact(2, ';expires=0')], other))).toBe(200);
  });

  it.each([
    ['the last Contact is malformed', [contact(1), '<sip:>'], 400],
    ['the last Contact is none of SIP', [contact(1), '<mailto:a@example.com>'], 400],
    ['a star stands among others', [contact(1), '*'], 400],
    ['the last Contact is too large', [contact(1), `<sip:${'a'.repeat(4000)}@127.0.0.1>`], 400],
    ['the last Contact is too brief', [contact(1), contact(2, ';expires=1')], 423],
    ['there are too many', Array.from({ length: 11 }, (_, n) => contact(n)), 403],
    ['there are too many to look at', Array.from({ length: 65 }, (_, n) => contact(n, ';expires=0')), 403],
  ])('when %s', async (_, contacts, expected) => {
    const driver = await Driver.start();
    send(driver, [contact(20)]);
    const before = counts(driver);
    expect(status(send(driver, contacts))).toBe(expected);
    expect(counts(driver)).toEqual(before);
  });

  it('and leaves nothing behind when all has gone', async () => {
    const driver = await Driver.start();
    send(driver, [contact(1, ';+sip.instance="<urn:uuid:1>"'), contact(2), contact(2, ';q=0.2'), contact(3)]);
    expect(counts(driver)).toEqual([3, 1, 3, 3]);
    send(driver, [contact(1, `;x=${'y'.repeat(500)}`), contact(2, ';expires=0')]);
    expect(counts(driver)).toEqual([2, 1, 2, 2]);
    send(driver, ['*'], { headers: ['Expires: 0'] });
    expect(counts(driver)).toEqual([0, 0, 0, 0]);
  });
});

describe('a binding', () => {
  it('is one for both, when a request names its Contact twice: the last counts', async () => {
    const driver = await Driver.start();
    expect(contactsOf(send(driver, [contact(1, ';q=0.1'), contact(1, ';q=0.2')]))).toEqual([
      contact(1, ';q=0.200;expires=3600'),
    ]);
    expect(contactsOf(send(driver, [contact(1), contact(1, ';expires=0')]))).toEqual([]);
  });

  it('holds for longer than the timer wheel can count', async () => {
    const days = 86_400;
    const driver = await Driver.start({ expiresMaxS: 60 * days });
    send(driver, [contact(1, `;expires=${30 * days}`)]);
    driver.wait(29 * days * 1000);
    expect(contactsOf(send(driver, []))).toEqual([contact(1, `;expires=${days}`)]);
    driver.wait(days * 1000 + 1);
    expect(counts(driver)).toEqual([0, 0, 0, 0]);
  });

  it.each([
    ['without any', [contact(1)], [], 3600],
    ['of the header', [contact(1)], ['Expires: 100'], 100],
    ['of the Contact before that of the header', [contact(1, ';expires=200')], ['Expires: 100'], 200],
    ['malformed in the Contact', [contact(1, ';expires=soon')], ['Expires: 100'], 100],
    ['malformed in the header', [contact(1)], ['Expires: soon'], 3600],
    ['beyond 32 bits', [contact(1, ';expires=99999999999')], [], 3600],
    ['above the most', [contact(1, ';expires=4294967295')], [], 7200],
    ['with capitals', [contact(1, ';EXPIRES=99')], [], 99],
  ])('expires by the right number: %s', async (_, contacts, headers, expected) => {
    const driver = await Driver.start({ expiresDefaultS: 3600, expiresMaxS: 7200 });
    expect(contactsOf(send(driver, contacts, { headers }))).toEqual([contact(1, `;expires=${expected}`)]);
  });

  it.each([
    ['q=1', ''],
    ['q=1.000', ''],
    ['q=0', ';q=0.000'],
    ['q=0.7', ';q=0.700'],
    ['q=0.05', ';q=0.050'],
    ['Q=0.123', ';q=0.123'],
  ])('keeps its preference: %s', async (q, expected) => {
    const driver = await Driver.start();
    expect(contactsOf(send(driver, [contact(1, `;${q}`)]))).toEqual([contact(1, `${expected};expires=3600`)]);
  });

  it('is of the URI in angle brackets only when there are some (RFC 3261 20.10)', async () => {
    const driver = await Driver.start();
    expect(contactsOf(send(driver, ['sip:a@127.0.0.1;x=1;expires=60']))).toEqual([
      '<sip:a@127.0.0.1>;x=1;expires=60',
    ]);
  });

  it('takes from 80 to 4000 bytes of text and gives back the same', async () => {
    const driver = await Driver.start();
    for (const length of [80, 170, 250, 900, 1020, 3900]) {
      const value = `<sip:a@127.0.0.1:8001>;x="${'y'.repeat(length)}"`;
      expect(contactsOf(send(driver, [value]))).toEqual([`${value};expires=3600`]);
    }
    expect(driver.counter(abi.C_BLOCKS_USED)).toBe(1);
  });
});

describe('devices with several flows (RFC 5626)', () => {
  const flow = (n: number, uri = 'sip:a@x.invalid;transport=ws', instance = '<urn:uuid:1>') =>
    `<${uri}>;reg-id=${n};+sip.instance="${instance}"`;
  const ws = (n: number): Source => ({ transport: abi.TRANSPORT_WS, flow: n, port: 40_000 + n });
  const via = 'Via: SIP/2.0/WS x.invalid;branch=z9hG4bKws';
  const supported = { via, headers: ['Supported: path, outbound'] };

  it('have a binding for each, even with one Contact URI', async () => {
    const driver = await Driver.start();
    send(driver, [flow(1)], supported, ws(1));
    expect(contactsOf(send(driver, [flow(2)], supported, ws(2)))).toHaveLength(2);
    expect(contactsOf(send(driver, [flow(2)], supported, ws(3)))).toHaveLength(2);
    expect(contactsOf(send(driver, [flow(1, undefined, '<urn:uuid:2>')], supported, ws(4)))).toHaveLength(3);
    expect(contactsOf(send(driver, [`${flow(1)};expires=0`], supported, ws(1)))).toHaveLength(2);
  });

  it('are told that this was understood, on a connection and where they ask for it', async () => {
    const driver = await Driver.start();
    const required = (answer: string) => header(answer, 'Require');
    expect(required(send(driver, [flow(1)], supported, ws(1)))).toEqual(['outbound']);
    expect(
      required(send(driver, [flow(1)], { via, headers: ['Supported: outbounds, x-outbound'] }, ws(1))),
    ).toEqual([]);
    expect(required(send(driver, [flow(1)], { headers: ['Supported: outbound'] }))).toEqual([]);
    expect(required(send(driver, ['<sip:a@x.invalid>;reg-id=1'], supported, ws(1)))).toEqual([]);
    expect(required(send(driver, [], supported, ws(1)))).toEqual([]);
  });

  it('have one binding when they come back with another URI', async () => {
    const driver = await Driver.start();
    const device = (uri: string) => `<sip:${uri}@x.invalid;transport=ws>;+sip.instance="<urn:uuid:9>"`;
    send(driver, [device('first')], { via }, ws(1));
    expect(contactsOf(send(driver, [device('second')], { via }, ws(2)))).toEqual([
      `${device('second')};expires=3600`,
    ]);
    expect(driver.counter(abi.C_BINDINGS)).toBe(1);
  });
});

describe('Path (RFC 3327)', () => {
  it('is returned to who supports it', async () => {
    const driver = await Driver.start();
    const path = 'Path: <sip:a.example;lr>,<sip:b.example;lr>';
    const paths = (headers: string[], contacts = [contact(1)]) =>
      header(send(driver, contacts, { headers }), 'Path');
    expect(paths([path, 'Supported: path'])).toEqual([path.slice(6)]);
    expect(paths([path])).toEqual([]);
    expect(paths([path, 'Supported: path'], [])).toEqual([]);
  });

  it('of any length is no danger, with or without a Contact', async () => {
    const driver = await Driver.start();
    const path = Array.from({ length: 15 }, (_, n) => `Path: <sip:${'p'.repeat(4000)}${n}@a.example;lr>`);
    const headers = [...path, 'Supported: path'];
    expect(status(send(driver, [], { headers }))).toBe(200);
    expect(status(send(driver, ['*'], { headers: [...headers, 'Expires: 0'] }))).toBe(200);
    expect(status(send(driver, [contact(1)], { headers }))).toBe(400);
    expect(contactsOf(send(driver, [contact(1)]))).toHaveLength(1);
  });
});

describe('who may register', () => {
  const trunk = { address: '10.0.0.9', port: 5090 };

  it('is no trunk', async () => {
    const driver = await Driver.start();
    expect(status(send(driver, [contact(1)], {}, trunk))).toBe(403);
    expect(driver.counter(abi.C_BINDINGS)).toBe(0);
  });

  it.each([
    ['<sip:1002@STROWGER.TEST>', 200],
    ['"A name" <sip:1002@strowger.test:5060;x=y>', 200],
    ['<sips:1002@strowger.test>', 200],
    ['<sip:%31002@strowger.test>', 200],
    ['<sip:1002@elsewhere.test>', 404],
    ['<sip:1002x@strowger.test>', 404],
    [`<sip:${'1'.repeat(200)}@strowger.test>`, 404],
    ['<sip:strowger.test>', 404],
    ['<http://strowger.test>', 400],
    ['<tel:1002>', 400],
  ])('is found by To: %s', async (to, expected) => {
    const driver = await Driver.start();
    const answer = send(driver, [contact(1)], { to });
    expect(status(answer)).toBe(expected);
    expect(driver.counter(abi.C_REGISTER_FINAL + Math.floor(expected / 100))).toBe(1);
  });
});
