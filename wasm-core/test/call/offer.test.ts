import { describe, expect, it } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { type Driver, Driver as Core, type Effect, header, lines, sent } from '../support/driver.ts';
import { MirrorPair } from '../support/mirror-pair.ts';
import { answer, register, request, routes, to } from '../support/phone.ts';

const CALLER = 5070;
const CALLEE = 5071;
const LEG_CALLEE = 1;
const CONTACT = [`Contact: <sip:1002@127.0.0.1:${CALLEE}>`];
const T1_MS = 500;
const TIMER_B_MS = 64 * T1_MS;

/** What a party of the call needs to write requests. */
interface Party {
  port: number;
  fields: { from: string; to: string; callId: string; uri: string; headers: string[]; port: number };
}

interface Talk {
  caller: Party;
  callee: Party;
  slot: number;
  generation: number;
}

type Run = (effects: Effect[]) => Effect[];
const plainly: Run = (effects) => effects;

/** A call from CALLER to 1002 at CALLEE that is answered; `run` gets what the core does. */
function talk(core: Driver, run: Run = plainly, settle: () => Effect[] = () => []): Talk {
  run(register(core, '1002', CALLEE));
  const callId = 'one';
  const [invite] = to(run(core.message(request({ callId, cseq: 1 }), { port: CALLER })), CALLEE);
  const effects = run(core.message(answer(invite!, '200 OK', 'callee', CONTACT), { port: CALLEE }));
  const [ok] = to([...effects, ...settle()], CALLER);
  const fields = { callId, headers: routes(ok!, true), uri: `sip:1002@127.0.0.1:${CALLEE}`, port: CALLER };
  const caller = header(ok!, 'From')[0]!;
  const callee = header(ok!, 'To')[0]!;
  const parties = {
    caller: { port: CALLER, fields: { ...fields, from: caller, to: callee } },
    callee: {
      port: CALLEE,
      fields: {
        ...fields,
        from: callee,
        to: caller,
        uri: `sip:1001@127.0.0.1:${CALLER}`,
        port: CALLEE,
        headers: routes(invite!),
      },
    },
  };
  run(core.message(request({ ...parties.caller.fields, method: 'ACK', cseq: 1 }), { port: CALLER }));
  return { ...parties, slot: 0, generation: slotGeneration(core) };
}

/** Generation of the call in slot 0. */
function slotGeneration(core: Driver): number {
  const [reply] = core.event(abi.EV_QUERY, { args: [1, abi.QUERY_CALLS, 0, 1] });
  return new DataView(reply!.bytes.buffer).getUint32(4 + abi.CR_GENERATION, true);
}

function offer(core: Driver, { slot, generation }: Talk, leg: number, id = 7, sdp = 'offer'): Effect[] {
  const payload = new TextEncoder().encode(sdp);
  return core.event(abi.EV_OFFER, { args: [id, slot, generation, leg], payload });
}

/** What the media service is told of offers: id, leg, status, body. */
function told(effects: readonly Effect[]): [number, number, number, string][] {
  return effects
    .filter(({ kind, flags }) => kind === abi.EF_MEDIA && flags === abi.MEDIA_OP_OFFERED)
    .map(({ args, text }) => [args[0]!, args[3]!, args[4]!, text]);
}

function cseq(message: string): string {
  return header(message, 'CSeq')[0]!;
}

function from(core: Driver, { fields, port }: Party, method: string, number: number, headers: string[] = []) {
  const text = request({ ...fields, method, cseq: number, headers: [...fields.headers, ...headers] });
  return { text, effects: core.message(text, { port }) };
}

/** A request of a party, and what reaches the other one. */
function reaches(core: Driver, party: Party, method: string, number: number, headers: string[] = []): string {
  const other = party.port === CALLER ? CALLEE : CALLER;
  return to(from(core, party, method, number, headers).effects, other)[0] ?? '';
}

/** The INVITE of ours that is among effects. */
function invited(effects: readonly Effect[]): string {
  return sent(effects).find(({ text }) => text.startsWith('INVITE'))?.text ?? '';
}

/** Offers to a leg, and has it answered. */
function renegotiated(core: Driver, call: Talk, leg: number): string {
  const invite = invited(offer(core, call, leg));
  core.message(answer(invite, '200 OK', 'x', CONTACT, 'answer'), { port: leg === 0 ? CALLER : CALLEE });
  return invite;
}

describe('an offer of the switch itself', () => {
  it.each([
    ['the caller', abi.LEG_CALLER, CALLER, '1 INVITE'],
    ['the callee', LEG_CALLEE, CALLEE, '2 INVITE'],
  ])(
    'goes to %s as if the other party had sent it, and its answer is acknowledged',
    async (_, leg, port, number) => {
      const core = await Core.start();
      const call = talk(core);
      const invite = invited(offer(core, call, leg));
      const [self, other] = leg === 0 ? [call.caller, call.callee] : [call.callee, call.caller];
      expect(invite.split('\r\n')[0]).toBe(`INVITE ${other.fields.uri} SIP/2.0`);
      expect([header(invite, 'From'), header(invite, 'To')]).toEqual([
        [other.fields.from],
        [self.fields.from],
      ]);
      expect([cseq(invite), header(invite, 'Contact')]).toEqual([number, [`<${self.fields.uri}>`]]);
      expect(invite.endsWith('\r\n\r\noffer')).toBe(true);
      const ok = answer(invite, '200 OK', 'x', CONTACT, 'answer');
      for (let i = 0; i < 2; i++) {
        const effects = core.message(ok, { port });
        expect(lines(effects)).toEqual([`ACK ${other.fields.uri} SIP/2.0 > ${port}`]);
        expect(cseq(sent(effects)[0]!.text)).toBe(number.replace('INVITE', 'ACK'));
        expect(told(effects)).toEqual([[7, leg, 200, 'answer']]);
      }
      expect(core.counter(abi.C_OFFERS_OK)).toBe(1);
      expect(lines(core.wait(100_000))).toEqual([]);
      expect(core.counter(abi.C_CALLS_ANSWERED)).toBe(1);
    },
  );

  it('is repeated over UDP until something comes, and then no more', async () => {
    const core = await Core.start();
    const call = talk(core);
    const invite = invited(offer(core, call, LEG_CALLEE));
    const again = to(core.wait(T1_MS + 2 * T1_MS), CALLEE);
    expect(again).toEqual([invite, invite]);
    core.message(answer(invite, '100 Trying'), { port: CALLEE });
    expect(lines(core.wait(60_000))).toEqual([]);
  });

  it('that nobody answers ends the call', async () => {
    const core = await Core.start();
    const call = talk(core);
    offer(core, call, LEG_CALLEE);
    const effects = core.wait(TIMER_B_MS);
    expect(told(effects)).toEqual([[7, LEG_CALLEE, 408, '']]);
    expect(lines(effects).filter((line) => line.startsWith('BYE'))).toHaveLength(2);
    const byes = sent(effects).filter(({ text }) => text.startsWith('BYE'));
    expect(byes.map(({ text, port }) => [port, cseq(text)])).toEqual([
      [CALLER, '1 BYE'],
      [CALLEE, '3 BYE'],
    ]);
    core.wait(2 * TIMER_B_MS);
    expect(core.leftovers).toEqual({ calls: 0, transactions: 0, branches: 0, pending: 0 });
  });

  it('refused with 481 ends the call, with anything else leaves it as it is', async () => {
    for (const [status, ends] of [
      ['481 Gone', true],
      ['488 Not Acceptable Here', false],
    ] as const) {
      const core = await Core.start();
      const call = talk(core);
      const invite = invited(offer(core, call, LEG_CALLEE));
      const effects = core.message(answer(invite, status), { port: CALLEE });
      const [ack] = to(effects, CALLEE);
      expect(ack!.startsWith('ACK')).toBe(true);
      expect(header(ack!, 'Via')[0]).toBe(header(invite, 'Via')[0]);
      expect(told(effects)).toEqual([[7, LEG_CALLEE, Number(status.slice(0, 3)), '']]);
      expect(lines(effects).some((line) => line.startsWith('BYE'))).toBe(ends);
      expect(core.counter(abi.C_OFFERS_FAILED)).toBe(1);
    }
  });

  it('answered with 491 is tried again with the next number after a pause', async () => {
    const core = await Core.start();
    const call = talk(core);
    const invite = invited(offer(core, call, LEG_CALLEE));
    const effects = core.message(answer(invite, '491 Request Pending'), { port: CALLEE });
    expect(lines(effects).map((line) => line.slice(0, 3))).toEqual(['ACK']);
    expect(lines(core.wait(2_099))).toEqual([]);
    const again = invited(core.wait(1_901));
    expect(cseq(again)).toBe('3 INVITE');
    core.message(answer(again, '200 OK', 'x', CONTACT, 'answer'), { port: CALLEE });
    expect(cseq(reaches(core, call.caller, 'INFO', 2))).toBe('4 INFO');
  });

  it('waits until an INVITE of a party has its ACK', async () => {
    const core = await Core.start();
    const call = talk(core);
    const hold = reaches(core, call.caller, 'INVITE', 2);
    expect(lines(offer(core, call, LEG_CALLEE))).toEqual([]);
    core.message(answer(hold, '200 OK', 'x', CONTACT), { port: CALLEE });
    expect(lines(core.wait(1_000))).toEqual([]);
    reaches(core, call.caller, 'ACK', 2);
    expect(cseq(invited(core.wait(200)))).toBe('3 INVITE');
  });

  it('makes INVITE and UPDATE of the parties wait with 491 until it is answered', async () => {
    const core = await Core.start();
    const call = talk(core);
    const invite = invited(offer(core, call, abi.LEG_CALLER));
    for (const party of [call.caller, call.callee]) {
      expect(lines(from(core, party, 'INVITE', 2).effects)).toEqual([
        `SIP/2.0 491 Request Pending > ${party.port}`,
      ]);
    }
    core.message(answer(invite, '200 OK', 'x', CONTACT, 'answer'), { port: CALLER });
    expect(cseq(reaches(core, call.callee, 'INVITE', 3))).toBe('4 INVITE');
  });

  it('that comes while another one is under way to the leg follows it', async () => {
    const core = await Core.start();
    const call = talk(core);
    const first = invited(offer(core, call, LEG_CALLEE, 7, 'first'));
    for (const id of [8, 7, 8]) expect(lines(offer(core, call, LEG_CALLEE, id, 'second'))).toEqual([]);
    core.message(answer(first, '200 OK', 'x', CONTACT, 'answer'), { port: CALLEE });
    const second = invited(core.wait(10));
    expect(second.endsWith('second')).toBe(true);
    const effects = core.message(answer(second, '200 OK', 'x', CONTACT, 'again'), { port: CALLEE });
    expect(told(effects)).toEqual([[8, LEG_CALLEE, 200, 'again']]);
  });

  it('for a call or a leg that is no more is refused with 481', async () => {
    const core = await Core.start();
    const call = talk(core);
    expect(told(offer(core, call, 5))).toEqual([[7, 5, 481, '']]);
    expect(told(offer(core, { ...call, generation: 99 }, 0))).toEqual([[7, 0, 481, '']]);
    from(core, call.caller, 'BYE', 2);
    expect(told(offer(core, call, 0))).toEqual([[7, 0, 481, '']]);
  });
});

describe('CSeq after offers of the switch', () => {
  it('of a party goes on behind those, and its answers come back with the party’s own', async () => {
    const core = await Core.start();
    const call = talk(core);
    for (const leg of [LEG_CALLEE, abi.LEG_CALLER, LEG_CALLEE]) renegotiated(core, call, leg);
    // Two INVITEs of ours in the caller's name (2 and 3), one in the callee's (1).
    const info = reaches(core, call.caller, 'INFO', 2);
    expect(cseq(info)).toBe('4 INFO');
    const ok = to(core.message(answer(info, '200 OK'), { port: CALLEE }), CALLER)[0]!;
    expect([ok.split('\r\n')[0], cseq(ok)]).toEqual(['SIP/2.0 200 OK', '2 INFO']);
    expect(cseq(reaches(core, call.callee, 'INFO', 100))).toBe('101 INFO');
    const hold = reaches(core, call.callee, 'INVITE', 101);
    expect(cseq(hold)).toBe('102 INVITE');
    expect(cseq(reaches(core, call.callee, 'CANCEL', 101))).toBe('102 CANCEL');
    const done = to(core.message(answer(hold, '200 OK', 'x', CONTACT), { port: CALLER }), CALLEE)[0]!;
    expect(cseq(done)).toBe('101 INVITE');
    expect(cseq(reaches(core, call.callee, 'ACK', 101))).toBe('102 ACK');
    // What was numbered before is not changed by what comes later.
    renegotiated(core, call, abi.LEG_CALLER);
    expect(cseq(reaches(core, call.callee, 'ACK', 101))).toBe('102 ACK');
    expect(cseq(reaches(core, call.callee, 'INFO', 102))).toBe('104 INFO');
    expect(cseq(reaches(core, call.caller, 'ACK', 1))).toBe('1 ACK');
  });

  it('is also changed where a PRACK names its INVITE', async () => {
    const core = await Core.start();
    const call = talk(core);
    renegotiated(core, call, LEG_CALLEE);
    expect(cseq(reaches(core, call.caller, 'INVITE', 2))).toBe('3 INVITE');
    const prack = reaches(core, call.caller, 'PRACK', 3, ['RAck: 776656 2 INVITE']);
    expect([cseq(prack), header(prack, 'RAck')]).toEqual(['4 PRACK', ['776656 3 INVITE']]);
  });

  it('is right in the answer to a BYE, and in its repetitions', async () => {
    const core = await Core.start();
    const call = talk(core);
    renegotiated(core, call, LEG_CALLEE);
    const { text, effects } = from(core, call.caller, 'BYE', 2);
    const [bye] = to(effects, CALLEE);
    expect(cseq(bye!)).toBe('3 BYE');
    const [again] = to(core.message(text, { port: CALLER }), CALLEE);
    expect(again).toBe(bye);
    const ok = to(core.message(answer(bye!, '200 OK'), { port: CALLEE }), CALLER)[0]!;
    expect(cseq(ok)).toBe('2 BYE');
    core.wait(2 * TIMER_B_MS);
    expect(core.leftovers).toEqual({ calls: 0, transactions: 0, branches: 0, pending: 0 });
  });

  it('of the switch’s own BYE is behind all of them', async () => {
    const core = await Core.start();
    const call = talk(core);
    renegotiated(core, call, LEG_CALLEE);
    reaches(core, call.caller, 'INFO', 2);
    const effects = core.event(abi.EV_HANGUP, { args: [1, call.slot, call.generation] });
    expect(cseq(to(effects, CALLEE)[0]!)).toBe('4 BYE');
  });

  it('and an offer that is under way survive a takeover', async () => {
    const pair = await MirrorPair.start();
    pair.connect();
    const run: Run = (effects) => pair.pump(effects);
    const call = talk(pair.active, run, () => pair.settle());
    pair.settle();
    const invite = invited([...run(offer(pair.active, call, LEG_CALLEE)), ...pair.settle()]);
    expect(cseq(invite)).toBe('2 INVITE');
    const next = pair.promote();
    const effects = next.message(answer(invite, '200 OK', 'x', CONTACT, 'answer'), { port: CALLEE });
    expect(lines(effects).map((line) => line.slice(0, 3))).toEqual(['ACK']);
    expect(told(effects)).toEqual([[7, LEG_CALLEE, 200, 'answer']]);
    expect(cseq(reaches(next, call.caller, 'INFO', 2))).toBe('3 INFO');
  });

  it('is not given away before the standby knows it', async () => {
    const pair = await MirrorPair.start();
    pair.connect();
    const call = talk(
      pair.active,
      (effects) => pair.pump(effects),
      () => pair.settle(),
    );
    pair.settle();
    pair.isCut = true;
    expect(invited(pair.pump(offer(pair.active, call, LEG_CALLEE)))).toBe('');
    const frames = [...pair.waiting, ...pair.active.wait(2).filter(({ kind }) => kind === abi.EF_MIRROR)];
    pair.isCut = false;
    expect(cseq(invited(frames.flatMap((frame) => pair.deliver(frame))))).toBe('2 INVITE');
  });
});
