import { describe, expect, it } from 'vitest';
import { TRANSPORT_TCP, TRANSPORT_UDP, TRANSPORT_WS } from '../../../assembly/abi.ts';
import { call, phone, play } from './stage.ts';

const UP = ['trying', 'ringing', 'up', 'ended 200'];
const TWO = [phone(1), phone(2)];

describe('calls', () => {
  it.each([
    ['UDP', TRANSPORT_UDP, 'TCP', TRANSPORT_TCP],
    ['WS', TRANSPORT_WS, 'UDP', TRANSPORT_UDP],
    ['TCP', TRANSPORT_TCP, 'WS', TRANSPORT_WS],
  ])('from %s to %4$s: rings, is answered, ends', (_a, from, _b, to) => {
    const phones = [phone(1, { transport: from }), phone(2, { transport: to })];
    const played = play({ phones, calls: [call()] });
    expect(played.states('p1')).toEqual(UP);
    expect(played.states('p2')).toEqual(UP);
    expect(played.sent('p1').map(({ what }) => what)).toContain('BYE');
    expect(played.protests()).toEqual([]);
  });

  it('goes through the media service with the bodies of this call', () => {
    const played = play({ phones: TWO, calls: [call()], node: { anchor: true } });
    expect(played.states('p1')).toEqual(UP);
    expect(played.protests()).toEqual([]);
  });

  it('ends from the side of the callee', () => {
    const played = play({ phones: TWO, calls: [call({ calleeByeMs: 700 })] });
    expect(played.states('p2')).toEqual(UP);
    expect(played.sent('p2').map(({ what }) => what)).toContain('BYE');
    expect(played.sent('p1').map(({ what }) => what)).not.toContain('BYE');
  });

  it('ends well when both hang up at the same time', () => {
    const played = play({ phones: TWO, calls: [call({ holdMs: 2_005, calleeByeMs: 2_000 })] });
    const byes = ['p1', 'p2'].map((name) => played.sent(name).find(({ what }) => what === 'BYE')!.atMs);
    expect(Math.abs(byes[0]! - byes[1]!)).toBeLessThan(20); // or there is no glare
    expect([played.states('p1'), played.states('p2')]).toEqual([UP, UP]);
  });

  it.each([486, 480, 603])('is refused with %i, and the refusal acknowledged', (status) => {
    const phones = [phone(1), phone(2, { answer: { ringMs: 300, answerMs: 600, status } })];
    const played = play({ phones, calls: [call()] });
    expect(played.states('p1')).toEqual(['trying', 'ringing', `ended ${status}`]);
    expect(played.sent('p1').filter(({ what }) => what === 'ACK')).toHaveLength(1);
  });

  it('calls nobody', () => {
    expect(play({ phones: TWO, calls: [call({ to: '1999' })] }).states('p1')).toEqual([
      'trying',
      'ended 404',
    ]);
  });

  it('calls itself', () => {
    const played = play({ phones: [phone(1)], calls: [call({ to: '1001' })] });
    expect(played.states('p1').filter((state) => state === 'ended 200')).toHaveLength(2);
    expect(played.states('p1').filter((state) => state === 'up')).toHaveLength(2);
  });

  it('has two lines', () => {
    const phones = [1, 2, 3, 4].map((number) => phone(number));
    const calls = ['p1', 'p3', 'p4'].map((from, i) =>
      call({ from, atMs: 1_000 + 1_500 * i, holdMs: 10_000 }),
    );
    const played = play({ phones, calls });
    expect(played.states('p3')).toEqual(UP);
    expect(played.states('p4')).toEqual(['trying', 'ended 486']);
  });

  it('rings on three devices and is answered by one', () => {
    const slow = { ringMs: 200, answerMs: 20_000, status: 200 };
    const phones = [
      phone(1),
      phone(2, { answer: slow }),
      phone(3, { user: '1002' }),
      phone(4, { user: '1002', answer: slow, transport: TRANSPORT_WS }),
    ];
    const played = play({ phones, calls: [call()] });
    expect(played.states('p1')).toEqual(UP);
    expect(played.states('p3')).toEqual(UP);
    for (const name of ['p2', 'p4']) expect(played.states(name)).toEqual(['trying', 'ringing', 'ended 487']);
    const tags = new Set(
      played.flights.flatMap(({ to, packet }) =>
        to === 'p1' && packet.sip?.status === 180 ? [packet.sip.toTag] : [],
      ),
    );
    expect(tags.size).toBeGreaterThan(1);
    expect(played.protests()).toEqual([]);
  });

  it('lives through 30 % loss', () => {
    const played = play({
      phones: TWO,
      calls: [call({ atMs: 30_000, holdMs: 30_000 })],
      link: { lossPerMille: 300 },
      seed: 5,
    });
    expect(played.flights.some(({ fate }) => fate === 'lost')).toBe(true);
    expect(played.states('p1')).toEqual(UP);
    expect(played.states('p2').slice(-2)).toEqual(['up', 'ended 200']);
  });

  it('ends on the other side when a phone vanishes', () => {
    const fault = { kind: 'vanish', atMs: 4_000, phone: 'p2', ms: 3_600_000 } as const;
    const played = play({ phones: TWO, calls: [call()], faults: [fault] });
    expect(played.states('p1')).toEqual(UP);
    expect(played.states('p2').at(-1)).toBe('ended 200');
  });

  it('comes out the same twice, and otherwise with another seed', () => {
    const parts = {
      phones: TWO,
      calls: [call({ reinviteMs: 100 })],
      link: { jitterUs: 3_000, lossPerMille: 50 },
    };
    const hash = (seed: number) => play({ ...parts, seed }).sim.hash;
    expect(hash(1)).toBe(hash(1));
    expect(hash(1)).not.toBe(hash(2));
  });
});

describe('CANCEL', () => {
  const ringing = phone(2, { answer: { ringMs: 100, answerMs: 10_000, status: 200 } });

  it('ends a call that rings', () => {
    const played = play({ phones: [phone(1), ringing], calls: [call({ cancelMs: 2_000 })] });
    for (const name of ['p1', 'p2']) expect(played.states(name)).toEqual(['trying', 'ringing', 'ended 487']);
  });

  it('waits for a provisional response', () => {
    const played = play({ phones: [phone(1), ringing], calls: [call({ cancelMs: 0 })] });
    const cancel = played.sent('p1').find(({ what }) => what === 'CANCEL')!;
    const first = played.flights.find(
      ({ to, packet }) => to === 'p1' && packet.sip?.method === 'INVITE' && packet.sip.status < 200,
    )!;
    expect(cancel.atMs * 1_000).toBeGreaterThanOrEqual(first.arrivesUs);
    expect(played.states('p1').at(-1)).toBe('ended 487');
  });

  it('too late: ACK, then BYE', () => {
    // The answer leaves p2 when the CANCEL leaves p1: they meet at the switch, or before.
    const race = phone(2, { answer: { ringMs: 100, answerMs: 1_000, status: 200 } });
    const played = play({ phones: [phone(1), race], calls: [call({ cancelMs: 1_015 })] });
    const sent = played
      .sent('p1')
      .map(({ what }) => what)
      .filter((what) => what !== 'REGISTER');
    expect(sent).toContain('CANCEL');
    expect(sent.slice(sent.indexOf('CANCEL') + 1)).toEqual(['ACK', 'BYE']);
    const [ack, bye] = played
      .sent('p1')
      .filter(({ what }) => what === 'ACK' || what === 'BYE')
      .slice(-2);
    expect(bye!.atMs).toBe(ack!.atMs);
    expect(played.states('p1')).toEqual(UP);
    expect(played.states('p2')).toEqual(UP);
  });

  it('is not sent once the call was answered', () => {
    const played = play({ phones: TWO, calls: [call({ cancelMs: 3_000 })] });
    expect(played.sent('p1').map(({ what }) => what)).not.toContain('CANCEL');
    expect(played.states('p1')).toEqual(UP);
  });
});

describe('re-INVITE', () => {
  const long = { holdMs: 30_000 };

  it('holds and resumes in turns', () => {
    const played = play({ phones: TWO, calls: [call({ ...long, reinviteMs: 500 })] });
    expect(played.states('p1')).toEqual(['trying', 'ringing', 'up', 'held', 'up', 'held', 'up', 'ended 200']);
    const offers = played.sent('p1').filter(({ what, sip }) => what === 'INVITE' && sip.toTag !== '');
    expect(offers.map(({ sip }) => /a=(send\w+)/.exec(sip.body)?.[1])).toEqual([
      'sendonly',
      'sendrecv',
      'sendonly',
      'sendrecv',
    ]);
    const versions = played.sent('p1').flatMap(({ sip }) => /^o=\S+ \d+ (\d+)/m.exec(sip.body)?.[1] ?? []);
    expect(new Set(versions).size).toBe(versions.length);
    expect(played.protests()).toEqual([]);
  });

  it('ends well when both begin one at the same time', () => {
    // Up on p1 is 10 ms before it is on p2.
    const played = play({ phones: TWO, calls: [call({ ...long, reinviteMs: 510, calleeReinviteMs: 500 })] });
    expect(played.sent('p1').map(({ what }) => what)).toContain('491 INVITE');
    expect(played.sent('p2').map(({ what }) => what)).toContain('491 INVITE');
    for (const name of ['p1', 'p2']) {
      expect(played.states(name).filter((state) => state === 'held').length).toBe(2);
      expect(played.states(name).at(-1)).toBe('ended 200');
    }
    expect(played.protests()).toEqual([]);
  });

  it.each(['p1', 'p2'])('tells the new Contact when %s moves in a call', (name) => {
    const fault = { kind: 'move', atMs: 5_000, phone: name, ip: '10.9.0.1', port: 5080 } as const;
    const played = play({ phones: TWO, calls: [call(long)], faults: [fault] });
    const other = name === 'p1' ? 'p2' : 'p1';
    const told = played.sent(name).find(({ what, atMs }) => what === 'INVITE' && atMs > 5_000)!;
    expect(told.sip.header('contact')).toContain('10.9.0.1:5080');
    expect(played.sent('p1').find(({ what }) => what === 'BYE')!.sip.uri).toContain(
      name === 'p2' ? '10.9.0.1:5080' : '10.1.0.2',
    );
    expect(played.states(other)).toEqual(UP);
    expect(played.states(name)).toEqual(UP);
    expect(played.protests()).toEqual([]);
  });
});
