import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { Driver, sent, testBank } from '../support/driver.ts';
import { register, request } from '../support/phone.ts';
import { validRequest } from './grammar.ts';
import { readMessage } from './reader.ts';

const encoder = new TextEncoder();
const SOURCE = { address: '192.0.2.77', port: 5099 };

/** What a proxy writes into the topmost Via is left out of a comparison. */
const plainVia = (value: string) =>
  value.replaceAll(/;(received=[^;]*|rport(=[^;]*)?)/g, '').replaceAll(/\s+/g, '');

describe('any message', () => {
  let driver: Driver;

  beforeAll(async () => {
    driver = await Driver.start({}, testBank({ trusted: ['127.0.0.0/8', '192.0.2.0/24'] }));
  });

  it('that is valid is forwarded with its meaning unchanged', () => {
    fc.assert(
      fc.property(validRequest, ({ text, meaning }) => {
        register(driver, '1002', 7001);
        const effects = sent(driver.bytes(encoder.encode(text), SOURCE));
        const forwarded = effects.find(({ port }) => port === 7001);
        expect(forwarded, `not forwarded: ${effects[0]?.text}`).toBeDefined();
        const read = readMessage(forwarded!.bytes);
        expect(read.start).toBe(`${meaning.method} sip:1002@127.0.0.1:7001 SIP/2.0`);
        expect(read.values('via').slice(1).map(plainVia)).toEqual(meaning.vias.map(plainVia));
        expect(read.first('call-id')).toBe(meaning.callId);
        expect(read.first('cseq')).toMatch(new RegExp(`^${meaning.cseq}\\s+${meaning.method}$`));
        expect(read.first('from')?.endsWith(`;tag=${meaning.fromTag}`)).toBe(true);
        expect(read.first('to')).toBe('<sip:1002@strowger.test>');
        expect(read.first('max-forwards')).toBe('69');
        expect(read.first('subject') ?? null).toBe(meaning.subject);
        expect(read.body).toBe(meaning.body);
        driver.wait(200_000); // until nothing is left of it
      }),
      { numRuns: 4_000 },
    );
    expect(driver.leftovers).toEqual({ calls: 0, transactions: 0, branches: 0, pending: 0 });
  });

  const mutation = fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), value: fc.integer({ min: 0, max: 255 }) }),
    fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), length: fc.integer({ min: 1, max: 80 }) }),
    fc.record({
      kind: fc.constant('double' as const),
      at: fc.nat(),
      length: fc.integer({ min: 1, max: 200 }),
    }),
    fc.record({ kind: fc.constant('end' as const), at: fc.nat() }),
    fc.record({
      kind: fc.constant('insert' as const),
      at: fc.nat(),
      text: fc.constantFrom(
        '\r\n',
        '"',
        '<',
        '>',
        ',',
        ';',
        '\0',
        '\\',
        '@',
        ':',
        '%',
        '[',
        '\r\n ',
        'Via:',
        ' ',
        '*',
        '4294967296',
      ),
    }),
  );

  function mutate(
    bytes: Uint8Array,
    list: readonly (typeof mutation extends fc.Arbitrary<infer M> ? M : never)[],
  ): Uint8Array {
    let out = bytes;
    for (const m of list) {
      const at = out.length === 0 ? 0 : m.at % out.length;
      if (m.kind === 'flip') out = Uint8Array.from(out, (byte, i) => (i === at ? m.value : byte));
      else if (m.kind === 'cut') out = concat(out.slice(0, at), out.slice(at + m.length));
      else if (m.kind === 'double') out = concat(out.slice(0, at + m.length), out.slice(at));
      else if (m.kind === 'end') out = out.slice(0, at);
      else out = concat(out.slice(0, at), encoder.encode(m.text), out.slice(at));
    }
    return out;
  }

  it('that was damaged never traps the core, and what is behind it in memory makes no difference', async () => {
    const bank = testBank({ trusted: ['0.0.0.0/0'] });
    const [one, two] = [await Driver.start({}, bank), await Driver.start({}, bank)];
    fill(one, 0);
    fill(two, 0x41);
    const responses = fc.constant(
      encoder.encode(
        `SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-s.AgAAAA\r\n${request().split('\r\n').slice(2).join('\r\n')}`,
      ),
    );
    const start = fc.oneof(
      validRequest.map(({ text }) => encoder.encode(text)),
      responses,
    );
    fc.assert(
      fc.property(start, fc.array(mutation, { minLength: 1, maxLength: 6 }), (bytes, list) => {
        const damaged = mutate(bytes, list);
        const [a, b] = [one, two].map((each) =>
          each.bytes(damaged, SOURCE).map(({ kind, port, text }) => ({ kind, port, text })),
        );
        expect(a).toEqual(b);
      }),
      { numRuns: 20_000 },
    );
    const alive = one.message(request({ method: 'OPTIONS', uri: 'sip:strowger.test' }));
    expect(sent(alive)[0]!.text).toContain('200 OK');
    expect(one.counter(abi.C_MALFORMED)).toBeGreaterThan(0);
  });
});

function concat(...parts: Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

/** Fills the receive slot, so that bytes behind a message are known. */
function fill(driver: Driver, value: number): void {
  const at = driver.core.slot(0);
  driver.core.bytes.fill(value, at + abi.FRAME_HEADER_BYTES, at + abi.RX_SLOT_BYTES);
}
