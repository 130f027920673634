import { describe, expect, it } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { credentials, nonceOf, proofOf } from '../auth/credentials.ts';
import { answer, register, request, routes, to } from '../support/phone.ts';
import { Driver, type Effect, header, sent } from '../support/driver.ts';

const CALLER = 5070;
const PHONE = 7001;
const STRANGER = '192.0.2.1';

/** First lines of what was sent. */
function lines(effects: readonly Effect[]): string[] {
  return sent(effects).map((effect) => effect.text.slice(0, effect.text.indexOf('\r\n')));
}

function options(): string {
  return request({ method: 'OPTIONS', uri: 'sip:strowger.test' });
}

async function withPhone(init = {}): Promise<Driver> {
  const driver = await Driver.start(init);
  register(driver, '1002', PHONE);
  driver.wait(101); // the next interval begins
  return driver;
}

/** Lets `intervals` of 100 ms go by in which each of 20 messages has waited `waitedUs`. */
function load(driver: Driver, waitedUs: number, intervals = 1): void {
  for (let i = 0; i < intervals; i++) {
    for (let n = 0; n < 20; n++) driver.message(options(), { waitedUs });
    driver.wait(101);
  }
}

describe('requests of one address', () => {
  it('are limited to a rate with a burst, by 503 with Retry-After; others are not touched', async () => {
    const driver = await Driver.start({ sourcePerS: 10, sourceBurst: 3 });
    const ask = (address: string) => driver.message(options(), { address });
    for (let i = 0; i < 3; i++) expect(lines(ask(STRANGER))).toEqual(['SIP/2.0 200 OK']);
    const refused = ask(STRANGER);
    expect(lines(refused)).toEqual(['SIP/2.0 503 Service Unavailable']);
    expect(header(sent(refused)[0]!.text, 'Retry-After')).toEqual(['5']);
    expect(lines(ask('192.0.2.2'))).toEqual(['SIP/2.0 200 OK']);
    driver.wait(100); // a token
    expect(lines(ask(STRANGER))).toEqual(['SIP/2.0 200 OK']);
    expect(lines(ask(STRANGER))).toEqual(['SIP/2.0 503 Service Unavailable']);
    expect(driver.counter(abi.C_LIMITED_SOURCE)).toBe(2);
  });

  it('are not limited when the address is trusted, and not at all by default', async () => {
    const driver = await Driver.start({ sourcePerS: 1, sourceBurst: 1 });
    for (let i = 0; i < 5; i++) expect(lines(driver.message(options()))).toEqual(['SIP/2.0 200 OK']);
    const open = await Driver.start();
    for (let i = 0; i < 5; i++)
      expect(lines(open.message(options(), { address: STRANGER }))).toEqual(['SIP/2.0 200 OK']);
  });

  it('are followed for many addresses in a table of fixed size', async () => {
    const driver = await Driver.start({ sourcePerS: 1, sourceBurst: 1, bucketBits: 6 });
    for (let i = 0; i < 500; i++) {
      const address = `192.0.${i >> 8}.${i & 255}`;
      expect(lines(driver.message(options(), { address }))).toEqual(['SIP/2.0 200 OK']);
    }
    expect(lines(driver.message(options(), { address: '192.0.1.243' }))).toEqual([
      'SIP/2.0 503 Service Unavailable',
    ]);
  });
});

describe('overload', () => {
  it('is not seen in a burst: some message hardly waited', async () => {
    const driver = await withPhone({ overloadTargetUs: 5_000 });
    for (let n = 0; n < 20; n++) driver.message(options(), { waitedUs: 50_000 });
    driver.message(options(), { waitedUs: 10 });
    driver.wait(200);
    expect(driver.counter(abi.C_OVERLOAD_INTERVALS)).toBe(0);
    expect(driver.counter(abi.C_ADMIT_LIMIT)).toBe(0);
  });

  it('limits new calls and registrations when every message waits too long, and nothing else', async () => {
    const driver = await withPhone({ overloadTargetUs: 5_000 });
    const arrived = to(driver.message(request({ callId: 'before' }), { port: CALLER }), PHONE)[0]!;
    driver.message(answer(arrived, '200 OK', 'callee', [`Contact: <sip:1002@127.0.0.1:${PHONE}>`]), {
      port: PHONE,
    });
    driver.wait(101);
    load(driver, 6_000, 2);
    expect(driver.counter(abi.C_OVERLOAD_INTERVALS)).toBe(2);
    expect(driver.counter(abi.C_ADMIT_LIMIT)).toBe(50);
    driver.wait(50);
    // 50 a second, a tenth of a second's worth at once, and as many refusals; the rest is not answered.
    const answers = Array.from({ length: 20 }, () => lines(driver.message(request(), { waitedUs: 6_000 })));
    const forwarded = answers.filter((all) => all.some((line) => line.startsWith('INVITE')));
    const refused = answers.filter((all) => all[0] === 'SIP/2.0 503 Service Unavailable');
    expect(forwarded.length).toBeGreaterThanOrEqual(2);
    expect(forwarded.length).toBeLessThanOrEqual(5);
    expect(refused.length).toBeGreaterThanOrEqual(2);
    expect(refused.length).toBeLessThanOrEqual(5);
    expect(answers.filter((all) => all.length === 0)).toHaveLength(20 - forwarded.length - refused.length);
    expect(driver.counter(abi.C_SHED)).toBe(20 - forwarded.length);
    expect(driver.counter(abi.C_SHED_SILENT)).toBe(20 - forwarded.length - refused.length);
    expect(lines(register(driver, '1003', 7003))).toEqual([]);
    expect(lines(driver.message(options()))).toEqual(['SIP/2.0 200 OK']);
    const inDialog = (method: string, cseq: number) =>
      request({
        method,
        cseq,
        callId: 'before',
        uri: `sip:1002@127.0.0.1:${PHONE}`,
        to: '<sip:1002@strowger.test>;tag=callee',
        headers: routes(arrived, true),
      });
    expect(lines(driver.message(inDialog('INVITE', 2), { port: CALLER }))[0]).toMatch(/^INVITE /);
    expect(lines(driver.message(inDialog('BYE', 3), { port: CALLER }))[0]).toMatch(/^BYE /);
  });

  it('lets calls for help pass', async () => {
    const driver = await withPhone({
      overloadTargetUs: 5_000,
      sourcePerS: 1,
      sourceBurst: 1,
      emergency: ['112'],
    });
    load(driver, 6_000, 2);
    const call = (uri: string) => lines(driver.message(request({ uri }), { waitedUs: 6_000 }));
    for (let i = 0; i < 30; i++) call('sip:1002@strowger.test');
    expect(call('sip:1002@strowger.test')).toEqual([]);
    // Nobody is 112 here: that the call is answered at all says that it was let in.
    expect(call('sip:112@strowger.test')).toEqual(['SIP/2.0 404 Not Found']);
    expect(call('sip:112;phone-context=x@strowger.test')).not.toEqual(['SIP/2.0 404 Not Found']);
    expect(call('sip:1122@strowger.test')).toEqual([]);
  });

  it('is forgotten when messages stop waiting: the limit rises step by step, then goes', async () => {
    const driver = await withPhone({ overloadTargetUs: 5_000 });
    load(driver, 6_000);
    const before = driver.counter(abi.C_ADMIT_LIMIT);
    load(driver, 10);
    expect(driver.counter(abi.C_ADMIT_LIMIT)).toBe(before + 50);
    load(driver, 10, 20);
    expect(driver.counter(abi.C_ADMIT_LIMIT)).toBe(0);
  });

  it('is not looked for when the target is 0', async () => {
    const driver = await withPhone({ overloadTargetUs: 0 });
    load(driver, 1_000_000, 3);
    expect(driver.counter(abi.C_ADMIT_LIMIT)).toBe(0);
  });
});

describe('requests of one user', () => {
  it('are limited once he has proved who he is, and never by what others send in his name', async () => {
    const driver = await Driver.start({ userPerS: 1, userBurst: 2 });
    let nc = 0;
    const registered = (user: string, password = `pw-${user}`) => {
      const send = (headers: string[]) => {
        const aor = `<sip:${user}@strowger.test>`;
        const fields = {
          method: 'REGISTER',
          uri: 'sip:strowger.test',
          from: `${aor};tag=r`,
          to: aor,
          headers,
        };
        return sent(driver.message(request(fields), { address: STRANGER }))[0]!.text;
      };
      const nonce = nonceOf(send([]));
      const proof = proofOf(nonce, { user, password, nc: String(++nc).padStart(8, '0') });
      return send([credentials(proof)]).split('\r\n')[0];
    };
    for (let i = 0; i < 5; i++) expect(registered('1001', 'wrong')).toBe('SIP/2.0 401 Unauthorized');
    expect(registered('1001')).toBe('SIP/2.0 200 OK');
    expect(registered('1001')).toBe('SIP/2.0 200 OK');
    expect(registered('1001')).toBe('SIP/2.0 503 Service Unavailable');
    expect(registered('1003')).toBe('SIP/2.0 200 OK');
    expect(driver.counter(abi.C_LIMITED_USER)).toBe(1);
    driver.wait(1_000);
    expect(registered('1001')).toBe('SIP/2.0 200 OK');
  });
});
