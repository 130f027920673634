import { describe, expect, it } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { Driver, type Effect, header, lines, sent } from '../support/driver.ts';
import { MirrorPair, applied, readRecords, recordsOf } from '../support/mirror-pair.ts';
import { answer, register, request, routes, to } from '../support/phone.ts';

const OK = ['Contact: <sip:1002@127.0.0.1:5071>'];

/** A call from port 5070 to 1002 at port 5071, up to where `pair` has it ring; the INVITE that reached the callee. */
function ring(pair: MirrorPair, callId = 'one'): string {
  pair.pump(register(pair.active, '1002', 5071));
  const [invite] = to(pair.pump(pair.active.message(request({ callId, branch: 'z9hG4bKinvite' }))), 5071);
  pair.pump(pair.active.message(answer(invite!, '180 Ringing'), { port: 5071 }));
  pair.settle();
  return invite!;
}

function ack(ok: string): string {
  return request({
    method: 'ACK',
    uri: 'sip:1002@127.0.0.1:5071',
    callId: header(ok, 'Call-ID')[0]!,
    to: header(ok, 'To')[0]!,
    headers: routes(ok, true),
  });
}

/** A call that is up; the 200 as the caller has it. */
function established(pair: MirrorPair, callId = 'one'): string {
  const invite = ring(pair, callId);
  const effects = pair.pump(pair.active.message(answer(invite, '200 OK', 'callee', OK), { port: 5071 }));
  const [ok] = to([...effects, ...pair.settle()], 5070);
  pair.pump(pair.active.message(ack(ok!)));
  pair.settle();
  return ok!;
}

function bye(ok: string, cseq = 2): string {
  return request({
    method: 'BYE',
    uri: 'sip:1002@127.0.0.1:5071',
    callId: header(ok, 'Call-ID')[0]!,
    to: header(ok, 'To')[0]!,
    cseq,
    headers: routes(ok, true),
  });
}

describe('the mirror', () => {
  it('makes a standby that connects equal to the active core, while calls go on', async () => {
    const pair = await MirrorPair.start();
    for (let i = 0; i < 5; i++) register(pair.active, String(1001 + i), 5080 + i);
    const [invite] = to(
      pair.active.message(request({ uri: 'sip:1003@strowger.test', callId: 'before' })),
      5082,
    );
    pair.connect();
    pair.pump(pair.active.message(answer(invite!, '180 Ringing'), { port: 5082 }));
    established(pair);
    expect(pair.standby.counter(abi.C_BINDINGS)).toBe(6);
    expect(pair.standby.counter(abi.C_CALLS_ACTIVE)).toBe(2);
    expect(pair.standby.counter(abi.C_CALLS_RINGING)).toBe(1);
    expect(pair.standby.counter(abi.C_CALLS_ANSWERED)).toBe(1);
    const before = recordsOf(pair.active);
    expect(recordsOf(pair.promote())).toEqual(before);
    expect(before.size).toBeGreaterThan(8);
  });

  it('says what is no longer, and a slot is never used again for a name that was given out', async () => {
    const pair = await MirrorPair.start();
    pair.connect();
    const ok = established(pair);
    const before = pair.active.counter(abi.C_CALLS_ACTIVE);
    pair.pump(pair.active.message(bye(ok)));
    pair.settle();
    expect([before, pair.standby.counter(abi.C_CALLS_ACTIVE)]).toEqual([1, 0]);
    const next = pair.promote();
    const [invite] = to(next.message(request({ callId: 'two' })), 5071);
    // The cookie of the call that has ended finds nothing.
    const again = next.message(bye(ok, 3));
    expect(lines(again).some((line) => line.startsWith('BYE'))).toBe(true);
    next.message(answer(invite!, '200 OK', 'callee', OK), { port: 5071 });
    expect(next.counter(abi.C_CALLS_ANSWERED)).toBe(1);
  });

  it('holds the 200 until the standby has the call', async () => {
    const pair = await MirrorPair.start();
    pair.connect();
    const invite = ring(pair);
    pair.isCut = true;
    const effects = pair.pump(pair.active.message(answer(invite, '200 OK', 'callee', OK), { port: 5071 }));
    effects.push(...pair.pump(pair.active.wait(2)));
    expect(to(effects, 5070)).toEqual([]);
    pair.isCut = false;
    const released = pair.waiting.splice(0).flatMap((frame) => pair.deliver(frame));
    expect(lines(released)).toContain('SIP/2.0 200 OK > 5070');
    expect(pair.active.counter(abi.C_UNMIRRORED)).toBe(0);
    expect(pair.active.counter(abi.C_MIRROR_HELD)).toBe(1);
  });

  it('does not hold it longer than is allowed, and counts that', async () => {
    const pair = await MirrorPair.start({ mirrorWaitMs: 5 });
    pair.connect();
    const invite = ring(pair);
    pair.isCut = true;
    const at = pair.active.message(answer(invite, '200 OK', 'callee', OK), { port: 5071 });
    expect(to(pair.pump([...at, ...pair.active.wait(4)]), 5070)).toEqual([]);
    expect(lines(pair.pump(pair.active.wait(2)))).toContain('SIP/2.0 200 OK > 5070');
    expect(pair.active.counter(abi.C_UNMIRRORED)).toBe(1);
  });

  it('lets nothing wait when the standby goes', async () => {
    const pair = await MirrorPair.start();
    pair.connect();
    const invite = ring(pair);
    pair.isCut = true;
    pair.pump(pair.active.message(answer(invite, '200 OK', 'callee', OK), { port: 5071 }));
    expect(lines(pair.active.event(abi.EV_MIRROR_PEER, { args: [0] }))).toContain('SIP/2.0 200 OK > 5070');
    const direct = pair.active.message(request({ callId: 'alone', uri: 'sip:1002@strowger.test' }));
    const [second] = to(direct, 5071);
    const ok = pair.active.message(answer(second!, '200 OK', 'other', OK), { port: 5071 });
    expect(lines(ok)).toContain('SIP/2.0 200 OK > 5070');
  });

  it('refuses gaps, damage, older epochs and what it does not know', async () => {
    const pair = await MirrorPair.start();
    pair.connect();
    pair.isCut = true;
    ring(pair);
    const frames = pair.waiting.splice(0);
    const [first] = frames;
    const reason = (frame: Pick<Effect, 'args' | 'bytes'>) => {
      pair.standby.event(abi.EV_MIRROR_PEER, { args: [1] });
      const effects = applied(pair.standby, frame);
      return effects.find(({ kind }) => kind === abi.EF_MIRROR_FAIL)?.args[0];
    };
    const damaged = first!.bytes.slice();
    damaged[40]! ^= 1;
    expect(reason({ args: first!.args, bytes: damaged })).toBe(abi.MIRROR_FAIL_CHECKSUM);
    expect(reason(first!)).toBeUndefined();
    const gap = first!.args.slice();
    gap[0]! += 2;
    expect(applied(pair.standby, { args: gap, bytes: first!.bytes })[0]?.args[0]).toBe(
      abi.MIRROR_FAIL_SEQUENCE,
    );
    // After a failure nothing is applied until the next connection.
    expect(applied(pair.standby, first!)).toEqual([]);
    pair.standby.event(abi.EV_MIRROR_PEER, { args: [1] });
    pair.promote();
    expect(applied(pair.standby, first!)).toEqual([]);
  });

  it('sends a record once however often it changes, and never more than may be on its way', async () => {
    const pair = await MirrorPair.start();
    pair.connect();
    pair.isCut = true;
    for (let i = 0; i < 10; i++) pair.pump(register(pair.active, '1002', 5071, `;q=0.${i}`));
    pair.pump(pair.active.wait(2));
    const bindings = pair.waiting
      .flatMap(({ bytes }) => readRecords(bytes))
      .map(([name]) => name.split('.')[0]);
    expect(bindings.filter((type) => type === String(abi.MRT_BINDING)).length).toBeLessThanOrEqual(2);
    for (let i = 0; i < 2_000; i++) {
      pair.pump(pair.active.message(request({ callId: `many-${i}` })));
      pair.active.nowUs += 1_000;
    }
    const bytes = pair.waiting.reduce((sum, frame) => sum + frame.bytes.length + abi.FRAME_HEADER_BYTES, 0);
    expect(bytes).toBeLessThan((1 << 20) + 65_536);
    while (pair.waiting.length > 0) pair.deliver(pair.waiting.shift()!);
    pair.isCut = false;
    pair.settle();
    expect(pair.standby.counter(abi.C_CALLS_ACTIVE)).toBe(2_000);
  });
});

describe('a standby that takes over', () => {
  it('goes on with calls that are up, in both directions', async () => {
    const pair = await MirrorPair.start();
    pair.connect();
    const ok = established(pair);
    const next = pair.promote();
    const effects = next.message(bye(ok));
    const [forwarded] = to(effects, 5071);
    expect(forwarded).toMatch(/^BYE sip:1002@127.0.0.1:5071/);
    expect(lines(next.message(answer(forwarded!, '200 OK'), { port: 5071 }))).toEqual([
      'SIP/2.0 200 OK > 5070',
    ]);
    expect(next.counter(abi.C_CALLS_ACTIVE)).toBe(0);
    next.wait(40_000);
    expect(next.leftovers).toEqual({ calls: 0, transactions: 0, branches: 0, pending: 0 });
  });

  it('goes on with calls that ring: the answer, and the repeated INVITE', async () => {
    const pair = await MirrorPair.start();
    pair.connect();
    const invite = ring(pair);
    const next = pair.promote();
    expect(lines(next.message(request({ callId: 'one', branch: 'z9hG4bKinvite' })))).toEqual([
      'SIP/2.0 180 Ringing > 5070',
    ]);
    expect(lines(next.message(answer(invite, '200 OK', 'callee', OK), { port: 5071 }))).toEqual([
      'SIP/2.0 200 OK > 5070',
    ]);
  });

  it('goes on with CANCEL, and with timers', async () => {
    const pair = await MirrorPair.start();
    pair.connect();
    ring(pair);
    const next = pair.promote();
    const cancel = request({ method: 'CANCEL', callId: 'one', branch: 'z9hG4bKinvite' });
    expect(lines(next.message(cancel)).sort()).toEqual([
      'CANCEL sip:1002@127.0.0.1:5071 SIP/2.0 > 5071',
      'SIP/2.0 200 OK > 5070',
    ]);
    const late = next.wait(40_000); // nobody answers the CANCEL
    expect(lines(late).some((line) => line.startsWith('SIP/2.0 487'))).toBe(true);
    next.wait(80_000);
    expect(next.leftovers).toEqual({ calls: 0, transactions: 0, branches: 0, pending: 0 });
  });

  it('repeats an INVITE that nobody has answered yet, from its own timers, with the same bytes', async () => {
    const pair = await MirrorPair.start();
    pair.connect();
    pair.pump(register(pair.active, '1002', 5071));
    const [invite] = to(pair.pump(pair.active.message(request({ callId: 'one' }))), 5071);
    pair.pump(pair.active.wait(100));
    const next = pair.promote();
    const [again] = to(next.wait(600), 5071);
    expect(again).toBe(invite);
  });

  it('knows the bindings, and lets them expire', async () => {
    const pair = await MirrorPair.start();
    pair.connect();
    pair.pump(register(pair.active, '1002', 5071, ';expires=60'));
    pair.settle();
    const next = pair.promote();
    expect(to(next.message(request({ callId: 'now' })), 5071)).toHaveLength(1);
    next.wait(61_000);
    expect(next.counter(abi.C_BINDINGS)).toBe(0);
    expect(lines(next.message(request({ callId: 'later' })))).toEqual([
      'SIP/2.0 480 Temporarily Unavailable > 5070',
    ]);
  });

  it('waits for devices whose connection ended with the other node', async () => {
    const pair = await MirrorPair.start();
    pair.connect();
    const source = { transport: abi.TRANSPORT_WS, flow: 7, port: 5071 };
    const contact = ['Contact: <sip:b@browser.invalid;transport=ws>;+sip.instance="<urn:uuid:1>";reg-id=1'];
    const registration = (cseq: number) =>
      request({
        method: 'REGISTER',
        uri: 'sip:strowger.test',
        from: '<sip:1002@strowger.test>;tag=r',
        to: '<sip:1002@strowger.test>',
        callId: 'registration',
        cseq,
        headers: contact,
      });
    pair.pump(pair.active.message(registration(1), source));
    pair.settle();
    const next = pair.promote();
    const invite = () => sent(next.message(request({}))).filter(({ flow }) => flow !== 0);
    expect(invite()).toEqual([]);
    next.message(registration(2), { ...source, flow: 9 });
    expect(invite().map(({ flow }) => flow)).toEqual([9]);
    expect(next.counter(abi.C_BINDINGS)).toBe(1);
  });

  /** The active core dies before the standby has heard of the call; the callee's answer then. */
  async function lostAnswer(anchor: boolean, body: string): Promise<Effect[]> {
    const pair = await MirrorPair.start({ anchor });
    pair.connect();
    pair.pump(register(pair.active, '1002', 5071));
    pair.settle();
    pair.isCut = true;
    const sdp = ['Content-Type: application/sdp'];
    const [invite] = to(pair.pump(pair.active.message(request({}))), 5071);
    pair.active.wait(2);
    const next = pair.promote();
    return next.message(answer(invite!, '200 OK', 'callee', [...OK, ...sdp], body), { port: 5071 });
  }

  it('passes on an answer to a call that it never heard of', async () => {
    const effects = await lostAnswer(false, 'v=0\r\n');
    expect(to(effects, 5070)[0]).toMatch(/^SIP\/2.0 200 OK[\s\S]*v=0/);
  });

  it('ends such a call on both sides when it would have to change the body', async () => {
    const effects = await lostAnswer(true, '');
    expect(to(effects, 5070)[0]).toMatch(/^SIP\/2.0 200/); // nothing to change
    const other = await lostAnswer(true, 'v=0\r\n');
    expect(to(other, 5070)[0]).toMatch(/^SIP\/2.0 500/);
    expect(to(other, 5071).map((text) => text.slice(0, 3))).toEqual(['ACK', 'BYE']);
  });

  it('serves a standby of its own', async () => {
    const pair = await MirrorPair.start();
    pair.connect();
    const ok = established(pair);
    const second = await MirrorPair.start();
    const chain = Object.assign(Object.create(MirrorPair.prototype) as MirrorPair, {
      active: pair.promote(),
      standby: second.standby,
      waiting: [],
      isCut: false,
    });
    second.standby.nowUs = chain.active.nowUs;
    chain.connect();
    const last = chain.promote();
    expect(to(last.message(bye(ok)), 5071)).toHaveLength(1);
  });

  it('takes no messages before', async () => {
    const pair = await MirrorPair.start();
    expect(sent(register(pair.standby, '1002', 5071))).toEqual([]);
    expect(pair.standby.counter(abi.C_BINDINGS)).toBe(0);
  });
});

describe('bindings from a store', () => {
  const isJournal = ({ kind }: Effect) => kind === abi.EF_JOURNAL;
  /** What a core with a store has written of a registration. */
  async function stored(user: string, port: number): Promise<Uint8Array[]> {
    const core = await Driver.start({ journal: 1 });
    const effects = [...register(core, user, port), ...core.wait(100)];
    return effects.filter(isJournal).map(({ bytes }) => bytes);
  }
  function load(core: Driver, payload: Uint8Array): void {
    core.event(abi.EV_MIRROR, { flags: abi.MIRROR_LOCAL, payload });
  }

  it('are there when the core begins to work', async () => {
    const core = await Driver.start({ role: abi.ROLE_STANDBY });
    for (const payload of await stored('1002', 5071)) load(core, payload);
    core.event(abi.EV_ROLE, { args: [abi.ROLE_ACTIVE, 1] });
    expect(to(core.message(request({})), 5071)).toHaveLength(1);
  });

  it('count less than what the active core has sent, before and after', async () => {
    const pair = await MirrorPair.start();
    register(pair.active, '1002', 5071);
    const [old] = await stored('1002', 5099);
    load(pair.standby, old!);
    pair.connect();
    load(pair.standby, old!);
    const next = pair.promote();
    expect(next.counter(abi.C_BINDINGS)).toBe(1);
    expect(to(next.message(request({})), 5071)).toHaveLength(1);
  });

  it('do not come back when the active core has removed them', async () => {
    const pair = await MirrorPair.start();
    register(pair.active, '1002', 5071, ';expires=600');
    const [old] = await stored('1002', 5071);
    register(pair.active, '1002', 5071, ';expires=0');
    pair.connect();
    load(pair.standby, old!);
    expect(pair.promote().counter(abi.C_BINDINGS)).toBe(0);
  });

  it('that can not be used are left out, and the others are taken', async () => {
    const core = await Driver.start({ role: abi.ROLE_STANDBY });
    const [good] = await stored('1002', 5071);
    const bad = good!.slice();
    bad[abi.MR_VERSION] = 99;
    load(core, Buffer.concat([bad, good!]));
    expect([core.counter(abi.C_MIRROR_LOST), core.counter(abi.C_BINDINGS)]).toEqual([1, 1]);
  });

  it('are all written by a core that takes over: the last changes may not be in the store', async () => {
    const pair = await MirrorPair.start({ journal: 1 });
    register(pair.active, '1002', 5071);
    register(pair.active, '1003', 5072, ';expires=600');
    register(pair.active, '1003', 5072, ';expires=0');
    pair.connect();
    const effects = pair.standby.event(abi.EV_ROLE, { args: [abi.ROLE_ACTIVE, 2] });
    const written = [...effects, ...pair.standby.wait(100)]
      .filter(isJournal)
      .flatMap(({ bytes }) => readRecords(bytes));
    expect(written.map(([, body]) => body !== '')).toEqual([true, false]);
  });
});

describe('the lease', () => {
  function lease(core: Driver, untilUs: number): void {
    const frame = new Uint8Array(abi.FRAME_HEADER_BYTES);
    frame[abi.F_KIND] = abi.EV_LEASE;
    frame[abi.F_VERSION] = abi.ABI_VERSION;
    new DataView(frame.buffer).setFloat64(abi.F_UNTIL, untilUs, true);
    core.core.writeSlot(0, frame);
    core.core.step(core.nowUs, 0, 1);
  }

  it('ends all work when it runs out, for good, and says so once', async () => {
    const pair = await MirrorPair.start();
    register(pair.active, '1002', 5071);
    pair.active.message(request({ callId: 'one' }));
    lease(pair.active, pair.active.nowUs + 300_000);
    expect(lines(pair.active.wait(200))).toEqual([]);
    const effects = pair.active.wait(5_000); // the INVITE would be repeated
    expect(effects.map(({ kind }) => kind)).toEqual([abi.EF_FENCED]);
    lease(pair.active, pair.active.nowUs + 1e9);
    expect(pair.active.message(request({ callId: 'two' }))).toEqual([]);
  });

  it('is not needed when none was given, and can be renewed', async () => {
    const pair = await MirrorPair.start();
    register(pair.active, '1002', 5071);
    pair.active.wait(60_000);
    lease(pair.active, pair.active.nowUs + 300_000);
    pair.active.wait(200);
    lease(pair.active, pair.active.nowUs + 300_000);
    pair.active.wait(200);
    expect(lines(pair.active.message(request({ callId: 'one' }))).length).toBe(2);
  });
});
