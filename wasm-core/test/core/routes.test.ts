import { beforeEach, describe, expect, it } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { Driver, header, sent } from '../support/driver.ts';
import { answer, register, request } from '../support/phone.ts';

const CALLER = 5070;
const CALLEE = 7001;

/** What the core forwards or answers, by port. */
const seen = (driver: Driver, text: string, port: number) =>
  sent(driver.message(text, { port })).map((effect) => [effect.port, effect.text] as const);

describe('the Route of a dialog', () => {
  let driver: Driver;
  let entry: string;
  let dialog: { from: string; to: string; callId: string; uri: string; port: number };

  beforeEach(async () => {
    driver = await Driver.start();
    register(driver, '1002', CALLEE);
    const arrived = seen(driver, request({ callId: 'routes' }), CALLER).at(-1)![1];
    const contact = [`Contact: <sip:1002@127.0.0.1:${CALLEE}>`];
    const ok = seen(driver, answer(arrived, '200 OK', 'b', contact), CALLEE)[0]![1];
    entry = header(ok, 'Record-Route')[0]!;
    const from = header(ok, 'From')[0]!;
    const to = header(ok, 'To')[0]!;
    dialog = { from, to, callId: 'routes', uri: `sip:1002@127.0.0.1:${CALLEE}`, port: CALLER };
  });

  const bye = (...headers: string[]) => request({ ...dialog, method: 'BYE', cseq: 2, headers });
  const cookie = () => /ck=([^>]*)>/.exec(entry)![1]!;

  it.each<[string, (entry: string, cookie: string) => string]>([
    ['as it was given', (given) => given],
    ['with its parameters in another order', (_, ck) => `<sip:127.0.0.1:5060;ck=${ck};lr>`],
    ['with names in capitals', (_, ck) => `<SIP:127.0.0.1:5060;LR;CK=${ck}>`],
    ['with a display name and spaces', (_, ck) => `"the switch" <sip:127.0.0.1:5060;lr;ck=${ck}> ;x=1`],
    ['with a parameter behind it', (given) => `${given};x=1`],
    ['with one behind the cookie', (given) => given.replace('>', ';x>')],
    ['twice, as where transports differ', (given) => `${given}, ${given}`],
    ['twice, without a space', (given) => `${given},${given}`],
  ])('leads to the callee %s', (_, written) => {
    const [forwarded, ...others] = seen(driver, bye(`Route: ${written(entry, cookie())}`), CALLER);
    expect(others).toEqual([]);
    expect(forwarded![0]).toBe(CALLEE);
    expect(header(forwarded![1], 'Route')).toEqual([]);
  });

  it('leaves what is behind it for the next hop', () => {
    const [forwarded] = seen(driver, bye(`Route: ${entry}, <sip:127.0.0.1:7009;lr>`), CALLER);
    expect(forwarded![0]).toBe(7009);
    expect(header(forwarded![1], 'Route')).toEqual(['<sip:127.0.0.1:7009;lr>']);
  });

  it.each<[string, string, (entry: string) => string]>([
    ['403', 'was changed', (given) => given.replace(/ck=./, (ck) => (ck === 'ck=A' ? 'ck=B' : 'ck=A'))],
    ['403', 'is cut short', (given) => given.replace(/.>$/, '>')],
    ['403', 'is empty', (given) => given.replace(/ck=[^>]*/, 'ck=')],
    ['400', 'has no end', (given) => given.replace('>', '')],
    ['400', 'is followed by something else', (given) => `${given} x`],
  ])('%s: that %s is answered', (status, _, changed) => {
    const [[port, text] = [0, '']] = seen(driver, bye(`Route: ${changed(entry)}`), CALLER);
    expect([port, text.slice(0, 11)]).toEqual([CALLER, `SIP/2.0 ${status}`]);
    expect(driver.counter(abi.C_CALLS_ACTIVE)).toBe(1);
  });

  it("of another call's is refused", () => {
    const [[port, text] = [0, '']] = seen(
      driver,
      bye(`Route: ${entry}`).replace('Call-ID: routes', 'Call-ID: other'),
      CALLER,
    );
    expect([port, text.slice(0, 11)]).toEqual([CALLER, 'SIP/2.0 403']);
  });
});
