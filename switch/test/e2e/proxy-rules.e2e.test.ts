import { describe, expect, test } from 'vitest';
import { parameter } from './harness/message.ts';
import { ua, useSwitch } from './harness/rig.ts';
import { ANSWER, OFFER } from './harness/ua.ts';
import { sleep } from './harness/wait.ts';
import { bye, establish, ring } from './harness/wire-call.ts';

/** Long enough for a message that must not come to have come. */
const NEVER_MS = 300;

describe('the proxy', () => {
  const strowger = useSwitch({
    change: (config) => {
      config.media = { ...config.media, anchor: false };
      config.timers = { t1Ms: 50 };
    },
  });

  test('adds what RFC 3261 16.6 says, and takes it away from the answer', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const { invite, arrived } = await ring(caller, callee);
    expect(arrived.uri).toBe(callee.contactUri);
    expect(arrived.header('max-forwards')).toBe('69');
    expect(arrived.headers('via')).toHaveLength(2);
    expect(parameter(arrived.headers('via')[1]!, 'rport')).toBe(String(caller.port));
    expect(parameter(arrived.headers('via')[1]!, 'received')).toBe('127.0.0.1');
    expect(arrived.headers('record-route')).toHaveLength(1);
    expect(arrived.header('record-route')).toMatch(/;lr/);
    expect(arrived.has('proxy-authorization'), 'credentials for this realm are not passed on').toBe(false);
    expect(arrived.body).toBe(OFFER);
    callee.reply(arrived, 180, 'Ringing');
    const ringing = await caller.answer(invite, (status) => status === 180);
    expect(ringing.headers('via')).toHaveLength(1);
    callee.reply(arrived, 486, 'Busy Here');
    expect((await caller.answer(invite)).status).toBe(486);
    expect((await callee.incoming('ACK')).cseq).toBe(arrived.cseq); // hop by hop
  });

  test('answers 483 when Max-Forwards is 0, and forwards nothing', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const invite = caller.request('INVITE', callee.aor, { maxForwards: 0, body: OFFER });
    const done = await caller.transact(invite);
    expect(done.response.status).toBe(483);
    await sleep(NEVER_MS);
    expect(callee.count((message) => message.method === 'INVITE')).toBe(0);
  });

  test('answers 420 with Unsupported to a Proxy-Require it does not know', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const invite = caller.request('INVITE', 'sip:1002@strowger.test', {
      body: OFFER,
      headers: [['Proxy-Require', 'fly, swim']],
    });
    const { response } = await caller.transact(invite);
    expect(response.status).toBe(420);
    expect(response.headers('unsupported').sort()).toEqual(['fly', 'swim']);
  });

  test('answers 416 to a URI scheme it does not know', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const { response } = await caller.transact(
      caller.request('INVITE', 'gopher:hole/1', { to: '<sip:1002@strowger.test>' }),
    );
    expect(response.status).toBe(416);
  });

  test('answers OPTIONS itself, and 405 or 501 to what a domain cannot do', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const options = caller.request('OPTIONS', 'sip:strowger.test');
    const { response } = await caller.transact(options);
    expect(response.status).toBe(200);
    expect(response.headers('allow')).toContain('INVITE');
    const subscribe = await caller.transact(caller.request('SUBSCRIBE', 'sip:strowger.test'));
    expect([405, 501]).toContain(subscribe.response.status);
  });

  test('forwards MESSAGE, and its answer', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const message = caller.request('MESSAGE', callee.aor, {
      body: 'Hallo Bärbel',
      contentType: 'text/plain',
    });
    const outcome = caller.transact(message);
    const arrived = await callee.incoming('MESSAGE');
    expect(arrived.body).toBe('Hallo Bärbel');
    callee.reply(arrived, 200, 'OK');
    expect((await outcome).response.status).toBe(200);
  });

  test('never forwards a request without credentials, or with wrong ones', async () => {
    const caller = await ua(strowger(), { user: '1001', password: 'guess' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    for (const method of ['INVITE', 'MESSAGE', 'SUBSCRIBE', 'REFER', 'OPTIONS', 'PUBLISH']) {
      const request = caller.request(method, callee.aor);
      caller.send(request);
      const challenged = await caller.answer(request);
      expect([401, 407], method).toContain(challenged.status);
      if (method === 'INVITE') caller.acknowledge(request, challenged);
      const again = caller.authorize(request, challenged);
      caller.send(again);
      const refused = await caller.answer(again);
      expect([401, 403, 407], method).toContain(refused.status);
      if (method === 'INVITE') caller.acknowledge(again, refused);
    }
    await sleep(NEVER_MS);
    expect(callee.inbox.all.filter(({ message }) => message.isRequest)).toEqual([]);
  });

  test('refuses credentials of one user for calls as another', async () => {
    const caller = await ua(strowger(), { user: '1003' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const invite = caller.request('INVITE', callee.aor, { body: OFFER });
    invite.set('From', '"The boss" <sip:1001@strowger.test>;tag=boss');
    const { response } = await caller.transact(invite);
    expect(response.status).toBe(403);
  });

  test('answers 481 to a stray CANCEL and BYE, and drops a stray ACK and responses', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const invite = caller.request('INVITE', 'sip:1002@strowger.test');
    const cancel = caller.cancel(invite);
    expect((await caller.answer(cancel)).status).toBe(481);
    const stray = caller.request('BYE', 'sip:1002@127.0.0.1:9', { to: '<sip:1002@strowger.test>;tag=gone' });
    caller.send(stray);
    expect((await caller.answer(stray)).status).toBeGreaterThanOrEqual(400);
    const before = caller.inbox.all.length;
    caller.send(caller.request('ACK', 'sip:1002@strowger.test', { to: '<sip:1002@strowger.test>;tag=gone' }));
    caller.send(caller.response(invite, 200, 'OK'));
    await sleep(NEVER_MS);
    expect(caller.inbox.all.length).toBe(before);
  });

  test('refuses a request within a dialog whose cookie was changed, and serves the right one', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const call = await establish(caller, callee);
    const forged = { ...call.callerSide, routes: call.callerSide.routes.map(changeOneLetter) };
    const stolen = caller.within(forged, 'BYE');
    caller.send(stolen);
    const refused = await caller.answer(stolen);
    expect([403, 404, 481]).toContain(refused.status);
    await sleep(NEVER_MS);
    expect(callee.count((message) => message.method === 'BYE')).toBe(0);
    await bye(caller, call.callerSide, callee);
  });

  test('forwards requests within a dialog both ways', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const call = await establish(caller, callee);
    const info = callee.within(call.calleeSide, 'INFO', { body: 'x', contentType: 'text/plain' });
    callee.send(info);
    const arrived = await caller.incoming('INFO');
    expect(arrived.body).toBe('x');
    caller.reply(arrived, 200, 'OK');
    expect((await callee.answer(info)).status).toBe(200);
    const again = callee.within(call.calleeSide, 'INVITE', { body: ANSWER });
    callee.send(again);
    caller.reply(await caller.incoming('INVITE'), 200, 'OK', { body: ANSWER });
    expect((await callee.answer(again)).status).toBe(200);
    callee.send(callee.within(call.calleeSide, 'ACK', { cseq: again.cseq }));
    await caller.incoming('ACK');
    await bye(callee, call.calleeSide, caller);
    await strowger().empties(await bindings());
  });

  const bindings = async () => (await strowger().metrics()).sum('strowger_bindings');
});

describe('a proxy whose registrations lead back to itself', () => {
  const strowger = useSwitch({
    change: (config) => {
      config.trusted = ['127.0.0.0/8'];
      config.media = { ...config.media, anchor: false };
    },
  });

  test('finds the loop and answers 482', async () => {
    const port = strowger().sip.split(':')[1];
    const one = await ua(strowger(), { user: '1002' });
    const two = await ua(strowger(), { user: '1003' });
    await one.register({ contacts: [`<sip:1003@127.0.0.1:${port}>`] });
    await two.register({ contacts: [`<sip:1002@127.0.0.1:${port}>`] });
    const invite = await one.invite('sip:1002@strowger.test');
    const answer = await one.answer(invite, undefined, 5_000);
    one.acknowledge(invite, answer);
    expect(answer.status).toBe(482);
    await strowger().reads('strowger_loops_total', (loops) => loops > 0);
  });
});

/** Changes one letter in the longest word of a Route: its cookie. */
function changeOneLetter(route: string): string {
  const words = route.match(/[A-Za-z0-9_-]+/g) ?? [];
  const cookie = words.reduce((longest, word) => (word.length > longest.length ? word : longest), '');
  const middle = Math.floor(cookie.length / 2);
  const letter = cookie[middle] === 'A' ? 'B' : 'A';
  return route.replace(cookie, cookie.slice(0, middle) + letter + cookie.slice(middle + 1));
}
