import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import type { BankRoute } from '../../host/bank.ts';
import { Driver, sent, testBank } from '../support/driver.ts';
import { request } from '../support/phone.ts';

const TRUNKS = ['a', 'b', 'c'].map((name, i) => ({
  name,
  gateways: [{ transport: abi.TRANSPORT_UDP, address: `10.0.0.${i + 1}`, port: 5090, priority: 0 }],
}));

const escaped = (number: string) => number.replaceAll('#', '%23');

/** Where a number goes: user part and host of the request-URI that leaves, or the status of the refusal. */
function destination(driver: Driver, number: string): string {
  const text = request({ method: 'MESSAGE', uri: `sip:${escaped(number)}@strowger.test` });
  const [message] = sent(driver.message(text));
  const first = message?.text.split('\r\n')[0] ?? '';
  return /^MESSAGE sip:(.+):5090 SIP/.exec(first)?.[1] ?? first.slice(8, 11);
}

/** The same by trying all routes. */
function naive(routes: readonly BankRoute[], number: string): string {
  const fitting = routes.filter(({ prefix }) => number.startsWith(prefix));
  const best = fitting.sort((a, b) => b.prefix.length - a.prefix.length)[0];
  if (best === undefined) return '404';
  const host = `10.0.0.${TRUNKS.findIndex(({ name }) => name === best.trunk) + 1}`;
  return `${best.prepend}${number.slice(best.strip)}@${host}`;
}

const character = fc.constantFrom(...'0123456789+*#ab');
const digits = (minLength: number, maxLength: number) => fc.string({ unit: character, minLength, maxLength });
const route = fc.record({
  prefix: digits(0, 6),
  trunk: fc.constantFrom('a', 'b', 'c'),
  strip: fc.nat(3),
  prepend: digits(1, 3).map((text) => text.replaceAll('#', '*')),
});

describe('routes', () => {
  it('go by the longest prefix, as trying all of them does', async () => {
    const driver = await Driver.start();
    const routes = fc.uniqueArray(route, { maxLength: 40, selector: ({ prefix }) => prefix });
    // Numbers that begin with a prefix of the table are the interesting ones.
    const extension = fc.tuple(fc.nat(), digits(0, 8));
    fc.assert(
      fc.property(routes, fc.array(extension, { minLength: 20, maxLength: 20 }), (table, extensions) => {
        expect(driver.loadBank(testBank({ users: [], trunks: TRUNKS, routes: table }))).toBe(true);
        for (const [pick, rest] of extensions) {
          const number = `${table[pick % (table.length + 1)]?.prefix ?? ''}${rest}7`;
          expect([number, destination(driver, number)]).toEqual([number, naive(table, number)]);
        }
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ['91555', 'a'],
    ['9-1.(5)55', 'a'],
    ['(91)555;phone-context=example.com', 'a'],
    ['91x-555', 'a'],
    ['9-x', 'b'],
    ['8', '404'],
  ])('are found by the number alone, without what only helps the eye: %s', async (number, expected) => {
    const routes = [
      { prefix: '9-1', trunk: 'a', strip: 0, prepend: '' },
      { prefix: '9', trunk: 'b', strip: 0, prepend: '' },
    ];
    const driver = await Driver.start({}, testBank({ users: [], trunks: TRUNKS, routes }));
    const host = expected === '404' ? '404' : `10.0.0.${'abc'.indexOf(expected) + 1}`;
    expect(destination(driver, number).replace(/^.*@/, '')).toBe(host);
  });

  it('stand behind users: a user with that number is not called through a trunk', async () => {
    const routes = [{ prefix: '1', trunk: 'a', strip: 0, prepend: '' }];
    const driver = await Driver.start({}, testBank({ trunks: TRUNKS, routes }));
    expect(destination(driver, '1002')).toBe('480');
    expect(destination(driver, '10020')).toBe('10020@10.0.0.1');
  });

  it('change all at once with a new bank', async () => {
    const to = (trunk: string) =>
      testBank({ trunks: TRUNKS, routes: [{ prefix: '', trunk, strip: 0, prepend: '' }] });
    const driver = await Driver.start({}, to('a'));
    for (const [i, trunk] of ['b', 'c', 'a', 'b'].entries()) {
      expect(driver.loadBank(to(trunk))).toBe(true);
      expect(destination(driver, `55${i}`)).toBe(`55${i}@10.0.0.${'abc'.indexOf(trunk) + 1}`);
    }
  });
});
