import { describe, expect, it } from 'vitest';
import { TRANSPORT_TCP, TRANSPORT_UDP } from '../../../assembly/abi.ts';
import { call, phone, play } from './stage.ts';

/** p3 means no good, and calls p4 all the time; p1 calls p2 meanwhile. */
const evil = (hostilePerMille: number, transport: number, seed: number) =>
  play({
    phones: [phone(1), phone(2), phone(3, { hostilePerMille, transport, expiresS: 60 }), phone(4)],
    calls: [
      ...Array.from({ length: 200 }, (_, i) =>
        call({ atMs: 2_000 + 1_000 * i, from: 'p3', to: '1004', holdMs: 300, reinviteMs: 100 }),
      ),
      ...Array.from({ length: 10 }, (_, i) => call({ atMs: 2_500 + 20_000 * i })),
    ],
    durationMs: 210_000,
    seed,
  });

describe('hostile phones', () => {
  it.each([
    ['UDP', TRANSPORT_UDP],
    ['TCP', TRANSPORT_TCP],
  ])('over %s they do all kinds of damage, and others speak on', (_, transport) => {
    const played = evil(300, transport, 3);
    const answers = new Set(
      played.flights.flatMap(({ from, to, packet }) =>
        from === 'A' && to === 'p3' ? [packet.sip!.status] : [],
      ),
    );
    for (const status of [200, 400, 403, 407]) expect(answers).toContain(status);
    const sent = played.flights.filter(({ from }) => from === 'p3').map(({ packet }) => packet);
    expect(sent.some(({ sip }) => sip === null)).toBe(true);
    expect(sent.some(({ bytes }) => bytes.includes(0))).toBe(true);
    expect(sent.some(({ bytes }) => bytes.length > 5_000)).toBe(true);
    expect(sent.some(({ sip }) => sip !== null && sip.header('content-length') !== `${sip.bodyBytes}`)).toBe(
      true,
    );
    expect(sent.some(({ sip }) => sip?.header('from').includes('sip:1004@'))).toBe(true);
    const calls = (name: string, state: string) =>
      played.states(name).filter((found) => found === state).length;
    expect(calls('p1', 'up')).toBe(10);
    expect(calls('p1', 'ended 200')).toBe(10);
    expect(calls('p3', 'up')).toBeGreaterThan(5); // in its other messages it stays a phone
    expect(played.protests().filter((text) => text.startsWith('p3'))).toEqual([]);
  });

  it('come out the same for the same seed', () => {
    expect(evil(500, TRANSPORT_UDP, 4).sim.hash).toBe(evil(500, TRANSPORT_UDP, 4).sim.hash);
  });
});
