import { describe, expect, it } from 'vitest';
import { TRANSPORT_TCP, TRANSPORT_UDP, TRANSPORT_WS } from '../../../assembly/abi.ts';
import { phone, Play, play } from './stage.ts';

const registrations = (played: Play, name: string) =>
  played.notes.flatMap(({ note }) =>
    note.phone !== name
      ? []
      : note.kind === 'registered'
        ? [note.expiresS]
        : note.kind === 'register-failed'
          ? [-note.status]
          : [],
  );

describe('registration', () => {
  it.each([
    ['UDP', TRANSPORT_UDP],
    ['TCP', TRANSPORT_TCP],
    ['WS', TRANSPORT_WS],
  ])('over %s: challenged once, refreshed with the same nonce, let go at the end', (_, transport) => {
    const played = play({ phones: [phone(1, { transport })], durationMs: 200_000 });
    const answers = played.sent('A').map(({ what }) => what);
    expect(answers[0]).toBe('401 REGISTER');
    expect(answers.filter((what) => what === '401 REGISTER')).toHaveLength(1);
    const granted = registrations(played, 'p1');
    expect(granted.length).toBeGreaterThanOrEqual(4); // 200 s with at most 96 s between two
    expect(granted.slice(0, -1).every((s) => s === 120)).toBe(true);
    expect(granted.at(-1)).toBe(0);
    const requests = played.sent('p1').map(({ sip }) => sip);
    expect(new Set(requests.map(({ callId }) => callId)).size).toBe(1);
    expect(requests.map(({ cseq }) => cseq)).toEqual(requests.map((_r, i) => i + 1));
    const counts = requests.slice(1).map((request) => /nc=(\w+)/.exec(request.header('authorization'))?.[1]);
    expect(counts).toEqual(counts.map((_c, i) => (i + 1).toString(16).padStart(8, '0')));
    expect(played.protests()).toEqual([]);
  });

  it('prefers SHA-256 where a phone knows it', () => {
    const phones = Array.from({ length: 12 }, (_, i) => phone(i + 1));
    const played = play({ phones });
    const used = phones.map(({ name }) => {
      const second = played.sent(name)[1]!.sip.header('authorization');
      return /algorithm=([^,]+)/.exec(second)?.[1];
    });
    expect(new Set(used)).toEqual(new Set(['SHA-256', 'MD5']));
    expect(phones.every(({ name }) => registrations(played, name)[0] === 120)).toBe(true);
  });

  it('is tried again after silence and after 503 with its Retry-After', () => {
    const faults = [
      { kind: 'pause', atMs: 0, node: 'A', ms: 40_000 } as const,
      { kind: 'drain', atMs: 39_000, node: 'A', ms: 20_000 } as const,
    ];
    const phones = [phone(1), phone(2, { transport: TRANSPORT_WS })];
    const played = play({ phones, faults, durationMs: 200_000 });
    for (const name of ['p1', 'p2']) {
      const [first, ...rest] = registrations(played, name);
      expect(first).toBeLessThan(0);
      expect(rest).toContain(120);
      const refused = played.flights.find(({ to, packet }) => to === name && packet.sip?.status === 503);
      const waitS = Number.parseInt(refused!.packet.sip!.header('retry-after'), 10);
      const next = played.sent(name).find(({ atMs }) => atMs * 1_000 > refused!.arrivesUs)!;
      expect(next.atMs - refused!.arrivesUs / 1_000).toBeGreaterThanOrEqual(waitS * 1_000);
    }
  });

  it('is made anew over a new stream, with the same instance, when the stream is lost', () => {
    const fault = { kind: 'crash', atMs: 10_000, node: 'A', ms: 3_000, keepsMemory: true } as const;
    const played = play({ phones: [phone(1, { transport: TRANSPORT_TCP })], faults: [fault] });
    const requests = played.sent('p1');
    const after = requests.filter(({ atMs }) => atMs > 13_000);
    expect(after[0]!.flight.fromPort).not.toBe(requests[0]!.flight.fromPort);
    const instance = (contact: string) =>
      /\+sip\.instance="<(urn:uuid:[0-9a-f-]{36})>";reg-id=1/.exec(contact)?.[1];
    expect(instance(requests[0]!.sip.header('contact'))).toBeDefined();
    expect(instance(after[0]!.sip.header('contact'))).toBe(instance(requests[0]!.sip.header('contact')));
    expect(registrations(played, 'p1').at(-1)).toBe(0);
  });

  it('moves: the new Contact comes, the old one goes', () => {
    const fault = { kind: 'move', atMs: 10_000, phone: 'p1', ip: '10.9.0.1', port: 5080 } as const;
    const played = new Play({ phones: [phone(1)], faults: [fault] }).until(12_000);
    const last = played.sent('A').at(-1)!;
    expect(last.what).toBe('200 REGISTER');
    expect(last.sip.headers('contact').map((contact) => contact.split(';')[0])).toEqual([
      '<sip:1001@10.9.0.1:5080>',
    ]);
  });

  it('has another Call-ID once the phone was off', () => {
    const fault = { kind: 'vanish', atMs: 10_000, phone: 'p1', ms: 5_000 } as const;
    const played = play({ phones: [phone(1)], faults: [fault] });
    const callIds = new Set(played.sent('p1').map(({ sip }) => sip.callId));
    expect(callIds.size).toBe(2);
    expect(played.sent('p1').filter(({ atMs }) => atMs > 10_000 && atMs < 15_000)).toEqual([]);
  });

  it('is tried again when its nonce has become stale', () => {
    const played = play({ phones: [phone(1, { expiresS: 3_600 })], durationMs: 3_000_000 });
    const stale = played.sent('A').filter(({ sip }) => sip.header('www-authenticate').includes('stale=true'));
    expect(stale.length).toBeGreaterThan(0);
    expect(registrations(played, 'p1').every((expiresS) => expiresS >= 0)).toBe(true);
  });
});
