import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure } from '../../softphone/phone/failure.ts';
import { header, methodOf, userIn } from '../harness/message.ts';
import { eventually, Person } from '../harness/person.ts';
import { StandIn } from '../harness/standin.ts';

let server: StandIn;
let people: Person[];

function person(user: string, options = {}): Person {
  const one = new Person(user, options);
  people.push(one);
  return one;
}

/** Two people who are signed in. */
async function couple(): Promise<[Person, Person]> {
  const both: [Person, Person] = [person('1001'), person('1002')];
  await Promise.all(both.map((one) => one.signIn(server)));
  return both;
}

/** Two people who talk. */
async function conversation(): Promise<[Person, Person]> {
  const [alice, bob] = await couple();
  await alice.phone.call('1002');
  await bob.untilPhase('incoming');
  await bob.phone.answer();
  await Promise.all([alice.untilPhase('active'), bob.untilPhase('active')]);
  await eventually(() => server.requests('ACK').length === 1);
  return [alice, bob];
}

beforeEach(async () => {
  people = [];
  server = new StandIn();
  await server.start();
});

afterEach(async () => {
  server.silent = false;
  await Promise.all(people.map((one) => one.phone.signOut()));
  server.close();
});

describe('registration', () => {
  test.each([[['SHA-256', 'MD5']], [['MD5']], [['SHA-256']]] as const)(
    'with %s challenges',
    async (algorithms) => {
      server.stop();
      server = new StandIn({ algorithms: [...algorithms] });
      await server.start();
      const alice = person('1001');
      await alice.signIn(server);
      expect(alice.state).toMatchObject({ line: { name: 'registered' }, aor: '1001@strowger.test' });
      const contact = header(server.requests('REGISTER').at(-1)!, 'contact');
      expect(contact).toContain(`+sip.instance="<urn:uuid:${alice.instanceId}>"`);
      expect(contact).toContain(';reg-id=1');
      expect(contact).toContain(';transport=ws');
    },
  );

  test('a wrong password is said to be one, and is not tried again', async () => {
    const alice = person('1001');
    await alice.signIn(server, 'guess');
    expect(alice.state.line).toMatchObject({ name: 'signed-out', failure: { code: 'wrong-password' } });
    const asked = server.requests('REGISTER').length;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(server.requests('REGISTER')).toHaveLength(asked);
    await eventually(() => server.connections === 0);
  });

  test.each([
    ['403 Forbidden', 'wrong-password'],
    ['404 Not Found', 'unknown-user'],
    ['503 Service Unavailable', 'overloaded'],
    ['500 Server Internal Error', 'server'],
  ])('%s is told as %s', async (status, code) => {
    server.refuseRegister = { status };
    const alice = person('1001');
    await alice.signIn(server);
    expect(alice.state.line).toMatchObject({ name: 'signed-out', failure: { code, detail: status } });
  });

  test('a server that is not there is told at once to who has just typed its address', async () => {
    server.stop();
    const alice = person('1001');
    await alice.signIn(server);
    expect(alice.state.line).toMatchObject({ name: 'signed-out', failure: { code: 'unreachable' } });
  });

  test.each(['http://127.0.0.1/sip', 'nonsense', 'ws://'])('%s is no server address', async (address) => {
    const alice = person('1001');
    await alice.phone.signIn({ server: address, user: '1001', password: 'x', domain: 'strowger.test' });
    expect(alice.state.line).toMatchObject({ name: 'signed-out', failure: { code: 'bad-account' } });
  });

  test('an account that worked before is kept trying until the server is there', async () => {
    server.stop();
    const alice = person('1001');
    await alice.signIn(server, undefined, true);
    await alice.until(({ line }) => line.name === 'waiting' && line.failures >= 2);
    await server.start();
    await alice.until(({ line }) => line.name === 'registered');
  });

  test('too brief an interval is corrected', async () => {
    server.refuseRegister = { status: '423 Interval Too Brief', headers: [['Min-Expires', '900']] };
    const alice = person('1001', { expiresS: 30 });
    const signedIn = alice.signIn(server);
    await eventually(() => server.requests('REGISTER').length >= 2);
    server.refuseRegister = null;
    await signedIn;
    expect(alice.state.line.name).toBe('registered');
    expect(header(server.requests('REGISTER').at(-1)!, 'contact')).toContain(';expires=900');
  });

  test('signing out removes the binding', async () => {
    const alice = person('1001');
    await alice.signIn(server);
    expect(server.bindings('1001')).toHaveLength(1);
    await alice.phone.signOut();
    expect(server.bindings('1001')).toHaveLength(0);
    expect(alice.state).toMatchObject({ line: { name: 'signed-out', failure: null }, aor: null });
    await eventually(() => server.connections === 0);
  });
});

describe('a lost connection', () => {
  test('is made again, with the same binding', async () => {
    const alice = person('1001');
    await alice.signIn(server);
    const [before] = server.bindings('1001');
    server.breakConnections();
    const { line } = await alice.until((snapshot) => snapshot.line.name === 'waiting');
    expect(line).toMatchObject({ failure: { code: 'connection-lost' }, failures: 0 });
    await alice.until((snapshot) => snapshot.line.name === 'registered');
    const after = server.bindings('1001');
    expect(after).toHaveLength(1);
    expect(after[0]).toMatchObject({ contact: before!.contact, instance: before!.instance });
    expect(after[0]!.flow).not.toBe(before!.flow);
  });

  test('is noticed when nobody closed it', async () => {
    const alice = person('1001', { keepalive: { intervalMs: 60, pongMs: 60 } });
    await alice.signIn(server);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(alice.state.line.name).toBe('registered');
    server.silent = true;
    await alice.until(({ line }) => line.name === 'waiting');
    server.silent = false;
    await alice.until(({ line }) => line.name === 'registered');
  });

  test('waits longer each time, and reconnectNow() does not wait', async () => {
    const alice = person('1001', { backoff: { baseMs: 10, maxMs: 60_000 } });
    await alice.signIn(server);
    server.stop();
    await alice.until(({ line }) => line.name === 'waiting' && line.failures >= 5);
    const waits = alice.history
      .map(({ line }) => line)
      .filter((line) => line.name === 'waiting')
      .map((line) => line.failures);
    expect([...new Set(waits)]).toEqual([0, 1, 2, 3, 4, 5]);
    await server.start();
    alice.phone.reconnectNow();
    await alice.until(({ line }) => line.name === 'registered', 250);
  });

  test('Retry-After of a 503 is respected', async () => {
    const alice = person('1001');
    await alice.signIn(server);
    server.refuseRegister = { status: '503 Service Unavailable', headers: [['Retry-After', '7']] };
    server.breakConnections();
    const { line } = await alice.until(
      (snapshot) => snapshot.line.name === 'waiting' && snapshot.line.failure.code === 'overloaded',
    );
    const waitMs = line.name === 'waiting' ? line.retryAtMs - Date.now() : 0;
    expect(waitMs).toBeGreaterThan(6_500);
    expect(waitMs).toBeLessThanOrEqual(7_000);
  });

  test('leaves calls as they are, and they can be ended afterwards', async () => {
    const [alice, bob] = await conversation();
    server.breakConnections();
    await alice.until(({ line }) => line.name === 'waiting');
    expect(alice.call.phase).toBe('active');
    expect(alice.media[0]!.closed).toBe(false);
    await Promise.all([alice, bob].map((one) => one.until(({ line }) => line.name === 'registered')));
    await alice.phone.hangup();
    await bob.untilIdle();
  });

  test('a call ended meanwhile is ended for the other side as soon as possible', async () => {
    const [alice, bob] = await conversation();
    server.accepts = false;
    server.breakConnections('1001');
    await alice.until(({ line }) => line.name === 'waiting');
    await alice.phone.hangup();
    expect(alice.state.calls).toHaveLength(0);
    expect(alice.media[0]!.closed).toBe(true);
    server.accepts = true;
    await bob.untilIdle();
    expect(bob.ended[0]).toMatchObject({ outcome: 'completed', failure: null });
  });

  test('audio that lost its path meanwhile gets a new one', async () => {
    const [alice] = await conversation();
    server.breakConnections('1001');
    await alice.until(({ line }) => line.name === 'waiting');
    alice.media[0]!.path = 'failed';
    alice.media[0]!.onChange?.();
    expect(alice.media[0]!.restarts).toBe(0);
    await eventually(() => alice.media[0]!.restarts === 1);
    await alice.until(({ calls }) => calls[0]?.holdPending === false && calls[0].path === 'connected');
  });

  test('new calls and hold say that they need a connection', async () => {
    const [alice] = await conversation();
    server.stop();
    await alice.until(({ line }) => line.name === 'waiting');
    await alice.phone.hold(true);
    expect(alice.state.notice).toMatchObject({ code: 'offline' });
    await alice.phone.hangup();
    expect(await alice.phone.call('1002')).toBeNull();
    expect(alice.state.notice).toMatchObject({ code: 'offline' });
  });
});

describe('a call', () => {
  test('rings, is answered, and is ended by who called', async () => {
    const [alice, bob] = await couple();
    const id = await alice.phone.call('1002');
    await alice.untilPhase('ringing');
    await bob.untilPhase('incoming');
    expect(alice.call).toMatchObject({ id, direction: 'out', number: '1002', answeredAtMs: null });
    expect(bob.call).toMatchObject({ direction: 'in', number: '1001', name: '' });
    await bob.phone.answer();
    await Promise.all([alice.untilPhase('active'), bob.untilPhase('active')]);
    await alice.phone.hangup();
    await bob.untilIdle();
    for (const one of [alice, bob]) {
      expect(one.ended).toHaveLength(1);
      expect(one.ended[0]).toMatchObject({ outcome: 'completed', failure: null, phase: 'ended' });
      expect(one.ended[0]!.answeredAtMs).toBeGreaterThan(0);
      expect(one.media[0]!.closed).toBe(true);
    }
  });

  test('is ended by who was called', async () => {
    const [alice, bob] = await conversation();
    await bob.phone.hangup();
    await alice.untilIdle();
    expect(alice.ended[0]).toMatchObject({ outcome: 'completed', failure: null });
  });

  test('is given up before it is answered: missed there, cancelled here', async () => {
    const [alice, bob] = await couple();
    await alice.phone.call('1002');
    await bob.untilPhase('incoming');
    await alice.phone.hangup();
    await bob.untilIdle();
    expect(alice.ended[0]).toMatchObject({ outcome: 'cancelled', failure: null });
    expect(bob.ended[0]).toMatchObject({ outcome: 'missed' });
  });

  test('is rejected: busy', async () => {
    const [alice, bob] = await couple();
    await alice.phone.call('1002');
    await bob.untilPhase('incoming');
    await bob.phone.reject();
    await alice.untilIdle();
    expect(bob.ended[0]).toMatchObject({ outcome: 'declined' });
    expect(alice.ended[0]).toMatchObject({
      outcome: 'failed',
      failure: { code: 'busy', detail: '486 Busy Here', title: '1002 is busy' },
    });
  });

  test.each([
    ['1999', '', 'not-found'],
    ['1003', '', 'unavailable'],
    ['1005', '488 Not Acceptable Here', 'media'],
    ['1005', '403 Forbidden', 'forbidden'],
    ['1005', '603 Decline', 'declined'],
    ['1005', '502 Bad Gateway', 'server'],
    ['1005', '499 Whatever', 'failed'],
  ])('to %s (%s) fails as %s', async (number, refusal, code) => {
    const alice = person('1001');
    await alice.signIn(server);
    if (refusal !== '') server.refusals.set(number, refusal);
    await alice.phone.call(number);
    const { ended } = await alice.until((snapshot) => snapshot.ended !== null);
    expect(ended).toMatchObject({ outcome: 'failed', failure: { code } });
    if (refusal !== '') expect(ended!.failure!.detail).toBe(refusal);
    alice.phone.dismiss();
    expect(alice.state.ended).toBeNull();
  });

  test('may bring an announcement before it fails', async () => {
    const alice = person('1001');
    await alice.signIn(server);
    server.refusals.set('1005', '480 Temporarily Unavailable');
    server.announcements.set('1005', 'v=0\r\na=sendonly\r\n');
    await alice.phone.call('1005');
    await alice.until((snapshot) => snapshot.ended !== null);
    expect(alice.media[0]!.early).toEqual(['v=0\r\na=sendonly\r\n']);
    expect(alice.history.some(({ calls }) => calls[0]?.earlyMedia)).toBe(true);
    expect(alice.ended[0]).toMatchObject({ failure: { code: 'unavailable' } });
  });

  test('needs a number', async () => {
    const alice = person('1001');
    await alice.signIn(server);
    expect(await alice.phone.call('  ')).toBeNull();
    expect(alice.state.notice).toMatchObject({ code: 'bad-number' });
    expect(server.requests('INVITE')).toHaveLength(0);
  });

  test('needs a microphone before it is sent', async () => {
    const alice = person('1001');
    await alice.signIn(server);
    alice.microphone = failure('mic-denied');
    expect(await alice.phone.call('1002')).toBeNull();
    expect(alice.state.notice).toMatchObject({ code: 'mic-denied' });
    expect(server.requests('INVITE')).toHaveLength(0);
  });

  test('the microphone can be allowed before any call, and a refusal is told', async () => {
    const alice = person('1001');
    expect(await alice.phone.allowMicrophone()).toBe(true);
    alice.microphone = failure('mic-denied');
    expect(await alice.phone.allowMicrophone()).toBe(false);
    expect(alice.state.notice).toMatchObject({ code: 'mic-denied' });
  });

  test('goes on ringing when the microphone is refused, and can be answered then', async () => {
    const [alice, bob] = await couple();
    await alice.phone.call('1002');
    await bob.untilPhase('incoming');
    bob.microphone = failure('mic-denied');
    await bob.phone.answer();
    expect(bob.state.notice).toMatchObject({ code: 'mic-denied' });
    expect(bob.call.phase).toBe('incoming');
    bob.microphone = null;
    await bob.phone.answer();
    await alice.untilPhase('active');
    expect(bob.state.notice).toBeNull();
  });

  test('whose descriptions do not fit fails as media', async () => {
    const [alice, bob] = await couple();
    await alice.phone.call('1002');
    await bob.untilPhase('incoming');
    alice.media[0]!.breaks = new Error('no m-line');
    await bob.phone.answer();
    await alice.untilIdle();
    expect(alice.ended[0]).toMatchObject({ outcome: 'failed' });
    await bob.untilIdle();
  });
});

describe('during a call', () => {
  test('hold and resume are negotiated', async () => {
    const [alice, bob] = await conversation();
    await alice.phone.hold(true);
    expect(alice.call).toMatchObject({ held: true, holdPending: false, heldByRemote: false });
    await bob.until(({ calls }) => calls[0]?.heldByRemote === true);
    expect(bob.media[0]!.heard.at(-1)).toContain('a=sendonly');
    await alice.phone.hold(false);
    expect(alice.state.notice).toBeNull();
    expect(alice.call).toMatchObject({ held: false, holdPending: false });
    await bob.until(({ calls }) => calls[0]?.heldByRemote === false);
  });

  test('a refused hold leaves the call as it was', async () => {
    const [alice, bob] = await conversation();
    bob.media[0]!.breaks = new Error('no');
    await alice.phone.hold(true);
    expect(alice.state.notice).not.toBeNull();
    expect(alice.call).toMatchObject({ phase: 'active', held: false, holdPending: false });
  });

  test('audio that loses its path gets a new one, with one attempt', async () => {
    const [alice, bob] = await conversation();
    server.refusals.set(userIn(server.bindings('1002')[0]!.contact), '500 Server Internal Error');
    alice.media[0]!.path = 'failed';
    alice.media[0]!.onChange?.();
    await alice.until(({ notice }) => notice !== null);
    expect(alice.media[0]!.restarts).toBe(1);
    expect([alice.call.phase, bob.call.phase]).toEqual(['active', 'active']);
    server.refusals.clear();
  });

  test('that the other side has forgotten is over', async () => {
    const [alice, bob] = await conversation();
    server.refusals.set(userIn(server.bindings('1002')[0]!.contact), '481 Call/Transaction Does Not Exist');
    await alice.phone.hold(true);
    await alice.untilIdle();
    expect(alice.ended[0]).toMatchObject({ outcome: 'completed', failure: { code: 'call-lost' } });
    server.refusals.clear();
    await bob.phone.hangup();
  });

  test('whoever is heard is not given up because a hold went unanswered', async () => {
    const [alice] = await conversation();
    server.refusals.set(userIn(server.bindings('1002')[0]!.contact), '408 Request Timeout');
    await alice.phone.hold(true);
    expect(alice.state.notice).toMatchObject({ code: 'no-response' });
    expect(alice.call).toMatchObject({ phase: 'active', held: false });
    server.refusals.clear();
  });

  test('mute is local', async () => {
    const [alice] = await conversation();
    const sent = server.received.length;
    alice.phone.mute(true);
    expect(alice.call.muted).toBe(true);
    expect(alice.media[0]!.muted).toBe(true);
    alice.phone.mute(false);
    expect(alice.call.muted).toBe(false);
    expect(server.received).toHaveLength(sent);
  });

  test('tones go in RTP, or by INFO where they can not', async () => {
    const [alice] = await conversation();
    await alice.phone.dtmf('12#');
    expect(alice.media[0]!.tones).toBe('12#');
    alice.media[0]!.takesTones = false;
    await alice.phone.dtmf('9');
    await eventually(() => server.requests('INFO').length === 1);
    const [info] = server.requests('INFO');
    expect(header(info!, 'content-type')).toBe('application/dtmf-relay');
    expect(info!.body).toBe('Signal=9\r\nDuration=120\r\n');
    await alice.phone.dtmf('x');
    expect(alice.media[0]!.tones).toBe('12#');
  });
});

describe('a second call', () => {
  async function waiting(): Promise<[Person, Person, Person]> {
    const [alice, bob] = await conversation();
    const carol = person('1003');
    await carol.signIn(server);
    await carol.phone.call('1002');
    await bob.untilPhase('incoming');
    return [alice, bob, carol];
  }

  test('that is answered puts the first on hold; hold(false) swaps', async () => {
    const [alice, bob, carol] = await waiting();
    await bob.phone.answer();
    await carol.untilPhase('active');
    await bob.until(({ calls }) => calls.every(({ holdPending }) => !holdPending));
    expect(bob.state.calls.map(({ number, held }) => [number, held])).toEqual([
      ['1001', true],
      ['1003', false],
    ]);
    await alice.until(({ calls }) => calls[0]?.heldByRemote === true);
    await bob.phone.hold(false);
    await bob.until(({ calls }) => calls.every(({ holdPending }) => !holdPending));
    expect(bob.state.calls.map(({ held }) => held)).toEqual([false, true]);
    await alice.until(({ calls }) => calls[0]?.heldByRemote === false);
    await bob.phone.hangup();
    await alice.untilIdle();
    expect(bob.call).toMatchObject({ number: '1003', held: true });
  });

  test('that is rejected leaves the first alone', async () => {
    const [, bob, carol] = await waiting();
    await bob.phone.reject();
    await carol.untilIdle();
    expect(carol.ended[0]).toMatchObject({ failure: { code: 'busy' } });
    expect(bob.call).toMatchObject({ number: '1001', held: false });
  });

  test('may be made; a third is busy or refused', async () => {
    server.close();
    server = new StandIn({
      users: Object.fromEntries(['1001', '1002', '1003', '1004'].map((u) => [u, `demo-${u}`])),
    });
    await server.start();
    const [alice, bob] = await conversation();
    const [carol, dave] = [person('1003'), person('1004')];
    await Promise.all([carol.signIn(server), dave.signIn(server)]);
    await alice.phone.call('1003');
    expect(alice.state.calls.map(({ held }) => held)).toEqual([true, false]);
    await carol.untilPhase('incoming');
    await dave.phone.call('1001');
    await dave.untilIdle();
    expect(dave.ended[0]).toMatchObject({ failure: { code: 'busy' } });
    expect(await alice.phone.call('1004')).toBeNull();
    expect(alice.state.notice).toMatchObject({ code: 'too-many-calls' });
    await bob.until(({ calls }) => calls[0]?.heldByRemote === true);
  });

  test('is answered at once, and the first is silent, even when it refuses the hold', async () => {
    const [alice, bob, carol] = await waiting();
    alice.media[0]!.breaks = new Error('no');
    await bob.phone.answer();
    await carol.untilPhase('active');
    await bob.until(({ calls }) => calls.every(({ holdPending }) => !holdPending));
    expect(bob.state.calls.map(({ phase, held }) => [phase, held])).toEqual([
      ['active', true],
      ['active', false],
    ]);
  });
});

test('signing out ends the calls', async () => {
  const [alice, bob] = await conversation();
  await alice.phone.signOut();
  await bob.untilIdle();
  expect(server.requests('BYE').map((bye) => [methodOf(bye), userIn(header(bye, 'from'))])).toEqual([
    ['BYE', '1001'],
  ]);
});
