/** When phones repeat what they have sent (RFC 3261, table 4), as the network sees it. */
import { describe, expect, it } from 'vitest';
import { TRANSPORT_TCP } from '../../../assembly/abi.ts';
import type { Packet } from '../../../sim/packet.ts';
import { ipOf } from '../../../sim/network.ts';
import { packetOf } from '../../../sim/phone/outgoing.ts';
import { call, phone, Play, play } from './stage.ts';

const TWO = [phone(1), phone(2)];
const HOURS_MS = 3_600_000;
const cut = (from: string, to: string, atMs: number) =>
  ({ kind: 'cut', atMs, from, to, ms: HOURS_MS, twoWay: false }) as const;
/** T1, doubled up to T2, for less than 64 * T1. */
const CAPPED = [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
const DOUBLED = [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500];

function hear(played: Play, name: string, packet: Packet): void {
  const phoneOfThat = played.sim.phone(name)!;
  phoneOfThat.receive({ fromIp: ipOf('10.0.0.1'), fromPort: 5060, toPort: 5070, flow: null, packet });
}

describe('timers', () => {
  it('A and B: an INVITE that is not answered', () => {
    const played = play({
      phones: [phone(1, { registerAtMs: -1 })],
      calls: [call()],
      faults: [cut('p1', 'A', 0)],
    });
    expect(played.repeats('p1', 'INVITE')).toEqual(DOUBLED);
    expect(played.states('p1')).toEqual(['trying', 'ended 408']);
    expect(played.notes.at(-1)!.atMs).toBe(33_000);
  });

  it('A stops with the first provisional response', () => {
    const far = phone(2, { answer: { ringMs: 20_000, answerMs: 40_000, status: 486 } });
    const played = play({ phones: [phone(1), far], calls: [call()] });
    const invites = played.sent('p1').filter(({ what, sip }) => what === 'INVITE' && sip.cseq === 1);
    expect(invites).toHaveLength(1);
  });

  it('D: the ACK to a failure is repeated with it', () => {
    const busy = phone(2, { answer: { ringMs: 100, answerMs: 2_000, status: 486 } });
    const played = play({ phones: [phone(1), busy], calls: [call()], faults: [cut('p1', 'A', 2_500)] });
    const failures = played.repeats('A', '486 INVITE');
    expect(failures.length).toBeGreaterThan(5);
    expect(played.repeats('p1', 'ACK')).toEqual(failures);
  });

  it('E and F: any other request that is not answered', () => {
    const played = new Play({
      phones: [phone(1, { registerAtMs: 1_000 })],
      faults: [cut('p1', 'A', 0)],
    }).until(34_000);
    expect(played.repeats('p1', 'REGISTER')).toEqual(CAPPED);
    expect(played.notes[0]).toEqual({
      atMs: 33_000,
      note: { phone: 'p1', kind: 'register-failed', status: 408 },
    });
  });

  it('E is T2 once there was a provisional response', () => {
    const played = new Play({
      phones: [phone(1, { registerAtMs: 1_000 })],
      faults: [cut('p1', 'A', 0)],
    }).until(1_100);
    const { sip } = played.sent('p1')[0]!;
    const [via, from, to] = ['via', 'from', 'to'].map((name) => sip.header(name));
    const lines = [
      `Via: ${via}`,
      `From: ${from}`,
      `To: ${to}`,
      `Call-ID: ${sip.callId}`,
      'CSeq: 1 REGISTER',
      'Content-Length: 0',
    ];
    hear(played, 'p1', packetOf(`SIP/2.0 100 Trying\r\n${lines.join('\r\n')}\r\n\r\n`));
    expect(played.until(34_000).repeats('p1', 'REGISTER')).toEqual([
      0, 500, 4_500, 8_500, 12_500, 16_500, 20_500, 24_500, 28_500,
    ]);
  });

  it('G and H: a failure that is not acknowledged', () => {
    const busy = phone(2, { answer: { ringMs: 100, answerMs: 2_000, status: 486 } });
    const played = play({ phones: [phone(1), busy], calls: [call()], faults: [cut('p2', 'A', 2_500)] });
    expect(played.repeats('p2', '486 INVITE')).toEqual(CAPPED);
  });

  it('a 2xx is repeated until 64 * T1, then BYE', () => {
    const played = play({ phones: TWO, calls: [call({ holdMs: 1 })], faults: [cut('p2', 'A', 1_900)] });
    expect(played.repeats('p2', '200 INVITE')).toEqual(CAPPED);
    const answered = played.sent('p2').find(({ what }) => what === '200 INVITE')!.atMs;
    const bye = played.sent('p2').find(({ what }) => what === 'BYE')!.atMs;
    expect(Math.round(bye - answered)).toBe(32_000);
  });

  it('a 2xx is repeated over a stream, too, and each one acknowledged', () => {
    const phones = [phone(1), phone(2, { transport: TRANSPORT_TCP })];
    const played = play({ phones, calls: [call({ loseAck: true })] });
    expect(played.repeats('p2', '200 INVITE')).toEqual([0, 500]);
    expect(played.sent('p1').filter(({ what }) => what === 'ACK')).toHaveLength(1);
    expect(played.states('p2')).toEqual(['trying', 'ringing', 'up', 'ended 200']);
  });

  it('I, J, L: what comes twice is answered twice, and happens once', () => {
    const played = play({ phones: TWO, calls: [call()], link: { duplicatePerMille: 1_000 } });
    for (const name of ['p1', 'p2'])
      expect(played.states(name)).toEqual(['trying', 'ringing', 'up', 'ended 200']);
    const byes = played.sent('p1').filter(({ what }) => what === 'BYE').length;
    expect(byes).toBe(1);
    expect(played.sent('p2').filter(({ what }) => what === '200 BYE')).toHaveLength(4);
    expect(played.protests()).toEqual([]);
  });

  it('nothing is repeated over streams', () => {
    const fault = { kind: 'pause', atMs: 100, node: 'A', ms: 40_000 } as const;
    const phones = [phone(1, { transport: TRANSPORT_TCP, registerAtMs: 200 })];
    const played = new Play({ phones, faults: [fault] }).until(32_500);
    expect(played.sent('p1')).toHaveLength(1);
    expect(played.notes.map(({ note }) => note.kind)).toEqual(['register-failed']);
  });
});
