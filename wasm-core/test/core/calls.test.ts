import { describe, expect, it } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { Driver, header, lines, START_US, sent } from '../support/driver.ts';
import { answer, register, request, routes, to } from '../support/phone.ts';

const CALLER = 5070;
const PHONE = 7001;
const SECOND = 7002;

async function withPhone(): Promise<Driver> {
  const driver = await Driver.start();
  register(driver, '1002', PHONE);
  return driver;
}

/** Calls 1002 and returns the INVITE that its phone gets. */
function invite(driver: Driver, callId = 'c1', headers: string[] = []): string {
  return to(driver.message(request({ callId, headers }), { port: CALLER }), PHONE)[0]!;
}

describe('a call', () => {
  it('hears nothing of a phone that answers and then fails: there is nothing left to acknowledge that with', async () => {
    const driver = await withPhone();
    const arrived = invite(driver);
    driver.message(answer(arrived, '200 OK', 'callee', ['Contact: <sip:1002@127.0.0.1:7001>']), {
      port: PHONE,
    });
    for (let i = 0; i < 5; i++) register(driver, '1003', 7100 + i); // what was given back is used again
    expect(lines(driver.message(answer(arrived, '486 Busy Here'), { port: PHONE }))).toEqual([]);
    expect(driver.counter(abi.C_CALLS_ANSWERED)).toBe(1);
  });

  it('is set up, acknowledged and ended, and leaves nothing behind', async () => {
    const driver = await withPhone();
    const effects = driver.message(request({ callId: 'c1' }), { port: CALLER });
    expect(lines(effects)).toEqual([
      'SIP/2.0 100 Trying > 5070',
      'INVITE sip:1002@127.0.0.1:7001 SIP/2.0 > 7001',
    ]);
    const arrived = to(effects, PHONE)[0]!;
    expect(header(arrived, 'Max-Forwards')).toEqual(['69']);
    expect(header(arrived, 'Via')).toHaveLength(2);
    expect(header(arrived, 'Record-Route')).toHaveLength(1);

    expect(lines(driver.message(answer(arrived, '180 Ringing'), { port: PHONE }))).toEqual([
      'SIP/2.0 180 Ringing > 5070',
    ]);
    const contact = ['Contact: <sip:1002@127.0.0.1:7001>'];
    const ok = to(driver.message(answer(arrived, '200 OK', 'callee', contact), { port: PHONE }), CALLER)[0]!;
    expect(header(ok, 'Via')).toHaveLength(1);
    expect(driver.counter(abi.C_CALLS_ANSWERED)).toBe(1);

    const inDialog = {
      uri: 'sip:1002@127.0.0.1:7001',
      to: header(ok, 'To')[0]!,
      callId: 'c1',
      headers: routes(ok),
    };
    const ack = driver.message(request({ ...inDialog, method: 'ACK' }), { port: CALLER });
    expect(lines(ack)).toEqual(['ACK sip:1002@127.0.0.1:7001 SIP/2.0 > 7001']);
    expect(header(to(ack, PHONE)[0]!, 'Route')).toEqual([]);
    const bye = driver.message(request({ ...inDialog, method: 'BYE', cseq: 2 }), { port: CALLER });
    expect(lines(bye)).toEqual(['BYE sip:1002@127.0.0.1:7001 SIP/2.0 > 7001']);
    expect(lines(driver.message(answer(to(bye, PHONE)[0]!, '200 OK'), { port: PHONE }))).toEqual([
      'SIP/2.0 200 OK > 5070',
    ]);
    driver.wait(40_000);
    expect(driver.leftovers).toEqual({ calls: 0, transactions: 0, branches: 0, pending: 0 });
  });

  it('is ended by the callee with its own cookie and Route', async () => {
    const driver = await withPhone();
    const arrived = invite(driver);
    driver.message(answer(arrived, '200 OK', 'callee', ['Contact: <sip:1002@127.0.0.1:7001>']), {
      port: PHONE,
    });
    const bye = driver.message(
      request({
        method: 'BYE',
        uri: 'sip:1001@127.0.0.1:5070',
        from: '<sip:1002@strowger.test>;tag=callee',
        to: '<sip:1001@strowger.test>;tag=caller',
        callId: 'c1',
        port: PHONE,
        headers: routes(arrived),
      }),
      { port: PHONE },
    );
    expect(lines(bye)).toEqual(['BYE sip:1001@127.0.0.1:5070 SIP/2.0 > 5070']);
    expect(driver.counter(abi.C_CALLS_ACTIVE)).toBe(0);
  });

  it('is refused by the callee: ACK hop by hop, the answer repeated until the caller acknowledges', async () => {
    const driver = await withPhone();
    const first = request({ callId: 'c1', branch: 'z9hG4bKbusy' });
    const arrived = to(driver.message(first, { port: CALLER }), PHONE)[0]!;
    const busy = driver.message(answer(arrived, '486 Busy Here'), { port: PHONE });
    expect(lines(busy)).toEqual([
      'ACK sip:1002@127.0.0.1:7001 SIP/2.0 > 7001',
      'SIP/2.0 486 Busy Here > 5070',
    ]);
    expect(lines(driver.wait(500))).toEqual(['SIP/2.0 486 Busy Here > 5070']);
    expect(lines(driver.message(first, { port: CALLER }))).toEqual(['SIP/2.0 486 Busy Here > 5070']);
    const ack = request({
      method: 'ACK',
      callId: 'c1',
      branch: 'z9hG4bKbusy',
      to: '<sip:1002@strowger.test>;tag=callee',
    });
    expect(lines(driver.message(ack, { port: CALLER }))).toEqual([]);
    driver.wait(25_000);
    // The callee did not get the ACK: its answer is acknowledged again for as long as it may repeat it (timer D).
    expect(lines(driver.message(answer(arrived, '486 Busy Here'), { port: PHONE }))).toEqual([
      'ACK sip:1002@127.0.0.1:7001 SIP/2.0 > 7001',
    ]);
    expect(lines(driver.wait(40_000))).toEqual([]);
    expect(driver.leftovers).toEqual({ calls: 0, transactions: 0, branches: 0, pending: 0 });
  });

  it('is forgotten when the caller never acknowledges a refusal', async () => {
    const driver = await withPhone();
    const arrived = invite(driver);
    driver.message(answer(arrived, '486 Busy Here'), { port: PHONE });
    const repeated = lines(driver.wait(31_000));
    expect(repeated.every((line) => line === 'SIP/2.0 486 Busy Here > 5070')).toBe(true);
    expect(repeated).toHaveLength(9); // after 0.5, 1.5, 3.5, 7.5 s, then every 4 s
    expect(driver.leftovers.transactions).toBe(1);
    driver.wait(2_000);
    expect(driver.leftovers).toEqual({ calls: 0, transactions: 0, branches: 0, pending: 0 });
  });

  it('is not ended by an operator who means an earlier one in the same slot', async () => {
    const driver = await withPhone();
    driver.message(answer(invite(driver, 'c1'), '486 Busy Here'), { port: PHONE });
    invite(driver, 'c2');
    const stale = driver.event(abi.EV_HANGUP, { args: [1, 0, 1] });
    expect(stale.map(({ kind, args }) => [kind, args[1]])).toEqual([[abi.EF_HANGUP_REPLY, 0]]);
    const right = driver.event(abi.EV_HANGUP, { args: [2, 0, 2] });
    expect(right.find(({ kind }) => kind === abi.EF_HANGUP_REPLY)?.args[1]).toBe(1);
  });

  it('is cancelled while it rings', async () => {
    const driver = await withPhone();
    const arrived = to(
      driver.message(request({ callId: 'c1', branch: 'z9hG4bKc' }), { port: CALLER }),
      PHONE,
    )[0]!;
    driver.message(answer(arrived, '180 Ringing'), { port: PHONE });
    const cancel = driver.message(request({ method: 'CANCEL', callId: 'c1', branch: 'z9hG4bKc' }), {
      port: CALLER,
    });
    expect(lines(cancel)).toEqual(['SIP/2.0 200 OK > 5070', 'CANCEL sip:1002@127.0.0.1:7001 SIP/2.0 > 7001']);
    expect(header(to(cancel, PHONE)[0]!, 'Via')[0]).toBe(header(arrived, 'Via')[0]);
    const done = driver.message(answer(arrived, '487 Request Terminated'), { port: PHONE });
    expect(lines(done)).toContain('SIP/2.0 487 Request Terminated > 5070');
  });

  it('keeps the answer to its own CANCEL to itself, though the call is forgotten', async () => {
    const driver = await withPhone();
    const effects = driver.message(request({ callId: 'c1', branch: 'z9hG4bKc' }), { port: CALLER });
    driver.message(answer(to(effects, PHONE)[0]!, '180 Ringing'), { port: PHONE });
    const cancel = request({ method: 'CANCEL', callId: 'c1', branch: 'z9hG4bKc' });
    const sentOn = to(driver.message(cancel, { port: CALLER }), PHONE)[0]!;
    const restarted = await Driver.start();
    expect(lines(restarted.message(answer(sentOn, '200 OK'), { port: PHONE }))).toEqual([]);
  });

  it('is cancelled before the phone has answered at all: 487 at once, CANCEL as soon as it rings', async () => {
    const driver = await withPhone();
    const arrived = to(
      driver.message(request({ callId: 'c1', branch: 'z9hG4bKc' }), { port: CALLER }),
      PHONE,
    )[0]!;
    const cancel = driver.message(request({ method: 'CANCEL', callId: 'c1', branch: 'z9hG4bKc' }), {
      port: CALLER,
    });
    expect(lines(cancel)).toEqual(['SIP/2.0 200 OK > 5070', 'SIP/2.0 487 Request Terminated > 5070']);
    expect(lines(driver.message(answer(arrived, '180 Ringing'), { port: PHONE }))).toEqual([
      'CANCEL sip:1002@127.0.0.1:7001 SIP/2.0 > 7001',
    ]);
  });

  it('is repeated to a silent phone with growing intervals, and given up with 408', async () => {
    const driver = await withPhone();
    invite(driver);
    const effects = driver.wait(32_100);
    const invites = sent(effects).filter(({ text }) => text.startsWith('INVITE'));
    expect(invites).toHaveLength(6); // after 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s
    expect(lines(effects)).toContain('SIP/2.0 408 Request Timeout > 5070');
  });

  it('goes to all devices; the first to answer wins, the others are cancelled', async () => {
    const driver = await withPhone();
    register(driver, '1002', SECOND);
    const effects = driver.message(request({ callId: 'c1' }), { port: CALLER });
    const [one, two] = [to(effects, PHONE)[0]!, to(effects, SECOND)[0]!];
    driver.message(answer(one, '180 Ringing', 'one'), { port: PHONE });
    driver.message(answer(two, '180 Ringing', 'two'), { port: SECOND });
    const ok = driver.message(answer(two, '200 OK', 'two', ['Contact: <sip:1002@127.0.0.1:7002>']), {
      port: SECOND,
    });
    expect(lines(ok)).toEqual(['SIP/2.0 200 OK > 5070', 'CANCEL sip:1002@127.0.0.1:7001 SIP/2.0 > 7001']);
    expect(lines(driver.message(answer(one, '487 Request Terminated', 'one'), { port: PHONE }))).toEqual([
      'ACK sip:1002@127.0.0.1:7001 SIP/2.0 > 7001',
    ]);
  });

  it('ends a second device that answers at the same moment, and tells the caller nothing of it', async () => {
    const driver = await withPhone();
    register(driver, '1002', SECOND);
    const effects = driver.message(request({ callId: 'c1' }), { port: CALLER });
    const [one, two] = [to(effects, PHONE)[0]!, to(effects, SECOND)[0]!];
    driver.message(answer(one, '200 OK', 'one', ['Contact: <sip:1002@127.0.0.1:7001>']), { port: PHONE });
    const late = driver.message(answer(two, '200 OK', 'two', ['Contact: <sip:1002@127.0.0.1:7002>']), {
      port: SECOND,
    });
    expect(lines(late)).toEqual([
      'ACK sip:1002@127.0.0.1:7002 SIP/2.0 > 7002',
      'BYE sip:1002@127.0.0.1:7002 SIP/2.0 > 7002',
    ]);
  });

  it.each(['INVITE', 'BYE'])('is not changed by %s of a device that answered too late', async (method) => {
    const driver = await withPhone();
    register(driver, '1002', SECOND);
    const effects = driver.message(request({ callId: 'c1' }), { port: CALLER });
    const [one, two] = [to(effects, PHONE)[0]!, to(effects, SECOND)[0]!];
    const first = answer(one, '200 OK', 'one', ['Contact: <sip:1002@127.0.0.1:7001>']);
    const ok = to(driver.message(first, { port: PHONE }), CALLER)[0]!;
    const second = answer(two, '200 OK', 'two', ['Contact: <sip:1002@127.0.0.1:7002>']);
    driver.message(second, { port: SECOND });
    const late = request({
      method,
      uri: 'sip:1001@127.0.0.1:5070',
      from: header(second, 'To')[0]!,
      to: header(second, 'From')[0]!,
      callId: 'c1',
      headers: routes(two, true),
      port: SECOND,
    });
    expect(lines(driver.message(late, { port: SECOND }))).toEqual([
      `${method} sip:1001@127.0.0.1:5070 SIP/2.0 > 5070`,
    ]);
    expect(driver.counter(abi.C_CALLS_ACTIVE)).toBe(1);
    const ack = { method: 'ACK', uri: 'sip:1002@127.0.0.1:7001', to: header(ok, 'To')[0]!, callId: 'c1' };
    expect(lines(driver.message(request({ ...ack, headers: routes(ok) }), { port: CALLER }))).toEqual([
      'ACK sip:1002@127.0.0.1:7001 SIP/2.0 > 7001',
    ]);
  });

  it('leads nobody else to a stream after the switch was started anew', async () => {
    const before = await Driver.start();
    const stream = { transport: abi.TRANSPORT_TCP, flow: 3 };
    const tcp = (user: string) =>
      request({
        method: 'REGISTER',
        uri: 'sip:strowger.test',
        from: `<sip:${user}@strowger.test>;tag=r`,
        to: `<sip:${user}@strowger.test>`,
        headers: [`Contact: <sip:${user}@127.0.0.1:9;transport=tcp>`],
      });
    before.message(tcp('1002'), stream);
    const arrived = before
      .message(request({ callId: 'c1' }), { port: CALLER })
      .find(({ text }) => text.startsWith('INVITE'))!.text;
    const ok = to(
      before.message(answer(arrived, '200 OK', 'callee', ['Contact: <sip:1002@x.invalid>']), stream),
      CALLER,
    )[0]!;
    const after = await Driver.start({}, undefined, undefined, undefined, START_US + 1);
    after.message(tcp('1003'), stream); // the first binding, as that of 1002 was
    const bye = request({
      method: 'BYE',
      uri: 'sip:1002@x.invalid',
      to: header(ok, 'To')[0]!,
      callId: 'c1',
      cseq: 2,
      headers: routes(ok, true),
    });
    expect(lines(after.message(bye, { port: CALLER }))).toEqual([
      'SIP/2.0 480 Temporarily Unavailable > 5070',
    ]);
  });

  it('tries contacts of lower q after those of higher', async () => {
    const driver = await Driver.start();
    register(driver, '1002', PHONE, ';q=0.9');
    register(driver, '1002', SECOND, ';q=0.1');
    const effects = driver.message(request({ callId: 'c1' }), { port: CALLER });
    expect(to(effects, SECOND)).toEqual([]);
    const next = driver.message(answer(to(effects, PHONE)[0]!, '486 Busy Here'), { port: PHONE });
    expect(lines(next)).toEqual([
      'ACK sip:1002@127.0.0.1:7001 SIP/2.0 > 7001',
      'INVITE sip:1002@127.0.0.1:7002 SIP/2.0 > 7002',
    ]);
  });

  it('passes the second 2xx of the same device on again', async () => {
    const driver = await withPhone();
    const arrived = invite(driver);
    const ok = answer(arrived, '200 OK', 'callee', ['Contact: <sip:1002@127.0.0.1:7001>']);
    driver.message(ok, { port: PHONE });
    expect(lines(driver.message(ok, { port: PHONE }))).toEqual(['SIP/2.0 200 OK > 5070']);
    expect(driver.counter(abi.C_CALLS_ANSWERED_TOTAL)).toBe(1);
  });

  it('goes to a trunk by the prefix of the number, and to its second gateway when the first is silent', async () => {
    const driver = await Driver.start();
    const effects = driver.message(request({ callId: 'c1', uri: 'sip:9555@strowger.test' }), {
      port: CALLER,
    });
    expect(lines(effects)[1]).toBe('INVITE sip:00555@10.0.0.9:5090 SIP/2.0 > 5090');
    expect(lines(driver.wait(32_100))).toContain('INVITE sip:00555@10.0.0.8:5090 SIP/2.0 > 5090');
  });

  it('does not try the next gateway when the number is busy', async () => {
    const driver = await Driver.start();
    const effects = driver.message(request({ callId: 'c1', uri: 'sip:9555@strowger.test' }), {
      port: CALLER,
    });
    const busy = driver.message(answer(sent(effects)[1]!.text, '486 Busy Here'), {
      address: '10.0.0.9',
      port: 5090,
    });
    expect(lines(busy)).toEqual([
      'ACK sip:00555@10.0.0.9:5090 SIP/2.0 > 5090',
      'SIP/2.0 486 Busy Here > 5070',
    ]);
  });

  it('is ended by an operator with a BYE to each side', async () => {
    const driver = await withPhone();
    const arrived = invite(driver);
    driver.message(answer(arrived, '200 OK', 'callee', ['Contact: <sip:1002@127.0.0.1:7001>']), {
      port: PHONE,
    });
    const effects = driver.event(abi.EV_HANGUP, { args: [42, 0, 1] });
    expect(lines(effects)).toEqual([
      'BYE sip:1001@127.0.0.1:5070 SIP/2.0 > 5070',
      'BYE sip:1002@127.0.0.1:7001 SIP/2.0 > 7001',
    ]);
    expect(effects.find(({ kind }) => kind === abi.EF_HANGUP_REPLY)?.args.slice(0, 2)).toEqual([42, 1]);
    const [toCaller, toCallee] = sent(effects).map(({ text }) => text);
    expect(header(toCaller!, 'To')).toEqual(['<sip:1001@strowger.test>;tag=caller']);
    expect(header(toCallee!, 'From')).toEqual(['<sip:1001@strowger.test>;tag=caller']);
    expect(header(toCallee!, 'CSeq')).toEqual(['2 BYE']);
    expect(lines(driver.wait(600))).toHaveLength(2);
    driver.message(answer(toCaller!, '200 OK'), { port: CALLER });
    driver.message(answer(toCallee!, '200 OK'), { port: PHONE });
    expect(driver.counter(abi.C_CALLS_ACTIVE)).toBe(0);
  });

  it('is refused with 503 and Retry-After when the table is full', async () => {
    const driver = await Driver.start({ callsMax: 1 });
    register(driver, '1002', PHONE);
    invite(driver, 'c1');
    const refused = sent(driver.message(request({ callId: 'c2' }), { port: CALLER }));
    expect(refused[0]!.text).toContain('SIP/2.0 503 Service Unavailable');
    expect(header(refused[0]!.text, 'Retry-After')).toEqual(['5']);
  });

  it('is refused with 503 while draining, one that runs goes on', async () => {
    const driver = await withPhone();
    const arrived = invite(driver, 'c1');
    driver.event(abi.EV_DRAIN, { args: [1] });
    expect(lines(driver.message(request({ callId: 'c2' }), { port: CALLER }))).toEqual([
      'SIP/2.0 503 Service Unavailable > 5070',
    ]);
    expect(lines(driver.message(answer(arrived, '180 Ringing'), { port: PHONE }))).toHaveLength(1);
  });
});

describe('cookies', () => {
  it('refuses a request whose cookie was changed, or is of another call', async () => {
    const driver = await withPhone();
    const arrived = invite(driver);
    const ok = to(
      driver.message(answer(arrived, '200 OK', 'callee', ['Contact: <sip:1002@127.0.0.1:7001>']), {
        port: PHONE,
      }),
      CALLER,
    )[0]!;
    const fields = { method: 'BYE', uri: 'sip:1002@127.0.0.1:7001', to: header(ok, 'To')[0]!, cseq: 2 };
    const [route] = routes(ok);
    const changed = route!.replace(/ck=(.)/, (_, c: string) => `ck=${c === 'A' ? 'B' : 'A'}`);
    expect(lines(driver.message(request({ ...fields, callId: 'c1', headers: [changed] })))).toEqual([
      'SIP/2.0 403 Forbidden > 5070',
    ]);
    expect(lines(driver.message(request({ ...fields, callId: 'c2', headers: [route!] })))).toEqual([
      'SIP/2.0 403 Forbidden > 5070',
    ]);
    expect(driver.counter(abi.C_COOKIE_BAD)).toBe(2);
    expect(driver.counter(abi.C_CALLS_ACTIVE)).toBe(1);
  });

  it('drops a response whose branch was changed', async () => {
    const driver = await withPhone();
    const arrived = invite(driver);
    const cookie = /z9hG4bK-s\.([\w-]+)/.exec(arrived)![1]!;
    for (let at = 0; at < cookie.length; at++) {
      const changed = cookie.slice(0, at) + (cookie[at] === 'A' ? 'B' : 'A') + cookie.slice(at + 1);
      const forged = answer(arrived, '200 OK').replace(cookie, changed);
      expect(sent(driver.message(forged, { port: PHONE })), `character ${at}`).toEqual([]);
    }
    expect(driver.counter(abi.C_CALLS_ANSWERED)).toBe(0);
  });

  it('does not take a call of another life for its own, though slot and generation are the same', async () => {
    const before = await withPhone();
    const old = invite(before, 'c1');
    const ok = to(
      before.message(answer(old, '200 OK', 'callee', ['Contact: <sip:1002@127.0.0.1:7001>']), {
        port: PHONE,
      }),
      CALLER,
    )[0]!;
    const driver = await withPhone();
    const arrived = invite(driver, 'c9');
    driver.message(answer(arrived, '200 OK', 'other', ['Contact: <sip:1002@127.0.0.1:7001>']), {
      port: PHONE,
    });
    const bye = request({
      method: 'BYE',
      uri: 'sip:1002@127.0.0.1:7001',
      to: header(ok, 'To')[0]!,
      callId: 'c1',
      cseq: 2,
      headers: routes(ok),
    });
    expect(lines(driver.message(bye, { port: CALLER }))).toEqual([
      'BYE sip:1002@127.0.0.1:7001 SIP/2.0 > 7001',
    ]);
    driver.message(answer(old, '486 Busy Here'), { port: PHONE });
    expect(driver.counter(abi.C_CALLS_ANSWERED)).toBe(1);
  });

  it('forwards in a dialog with no record of the call, as a node that has just taken over', async () => {
    const driver = await withPhone();
    const arrived = invite(driver);
    const ok = to(
      driver.message(answer(arrived, '200 OK', 'callee', ['Contact: <sip:1002@127.0.0.1:7001>']), {
        port: PHONE,
      }),
      CALLER,
    )[0]!;
    const bye = request({
      method: 'BYE',
      uri: 'sip:1002@127.0.0.1:7001',
      to: header(ok, 'To')[0]!,
      callId: 'c1',
      cseq: 2,
      headers: routes(ok),
    });
    const other = await Driver.start();
    const here = sent(driver.message(bye, { port: CALLER })).map(({ text }) => text);
    const there = sent(other.message(bye, { port: CALLER })).map(({ text }) => text);
    expect(there).toEqual(here);
    expect(lines(other.message(answer(there[0]!, '200 OK'), { port: PHONE }))).toEqual([
      'SIP/2.0 200 OK > 5070',
    ]);
  });
});
