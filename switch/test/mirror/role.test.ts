/** Rules of the role machine one by one; what they are for together is in lease.test.ts and takeover.test.ts. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type RoleEvent, RoleMachine } from '../../mirror/role.ts';

const LEASE_MS = 100;
let machine: RoleMachine;

const at = (nowMs: number, event: RoleEvent) => machine.handle(event, nowMs);
const types = (nowMs: number, event: RoleEvent) => at(nowMs, event).map(({ type }) => type);

/** One of a pair that is active with epoch 1 from 0 until 100 and hears no peer; renewals are due from 20 on. */
function activeAlone(): void {
  machine = new RoleMachine({ leaseMs: LEASE_MS, peer: true }, -LEASE_MS);
  at(0, { type: 'grantorUp' });
  at(1, { type: 'granted', request: 1, epoch: 1 });
}

function activeWithStandby(): void {
  activeAlone();
  at(2, { type: 'peer', role: 'standby', epoch: 0 });
}

describe('a single node', () => {
  beforeEach(() => {
    machine = new RoleMachine({ leaseMs: LEASE_MS, peer: false }, 0);
  });

  test('asks at once, and its lease has no end', () => {
    expect(at(0, { type: 'grantorUp' })).toEqual([{ type: 'ask', request: 1, seen: 0 }]);
    expect(at(5, { type: 'granted', request: 1, epoch: 3 })).toEqual([
      { type: 'promote', epoch: 3, leaseUntilMs: Number.POSITIVE_INFINITY },
    ]);
    expect(at(1_000, { type: 'tick' })).toEqual([{ type: 'renew', request: 2, epoch: 3 }]);
    expect(at(1_001, { type: 'granted', request: 2, epoch: 3 })).toEqual([]);
    expect(types(1_002, { type: 'grantorDown' })).toEqual([]);
    expect(types(9_000, { type: 'grantorAbsent', sinceMs: 8_999 })).toEqual([]);
    expect(machine.entitled(1e9)).toBe(true);
  });

  test('has few renewals under way with a grantor that hangs, and goes on when that answers again', () => {
    at(0, { type: 'grantorUp' });
    at(1, { type: 'granted', request: 1, epoch: 1 });
    const renewals = Array.from({ length: 100 }, (_, i) => types(100 * (i + 1), { type: 'tick' })).flat();
    expect(renewals).toEqual(Array(5).fill('renew'));
    expect(types(20_000, { type: 'granted', request: 2, epoch: 1 })).toEqual(['renew']);
  });

  test('steps down when it is refused, and asks anew when its host is ready', () => {
    at(0, { type: 'grantorUp' });
    at(1, { type: 'granted', request: 1, epoch: 1 });
    at(20, { type: 'tick' });
    expect(types(21, { type: 'refused', request: 2, epoch: 2 })).toEqual(['stepDown']);
    expect(at(22, { type: 'restarted' })).toEqual([]);
    expect(at(40, { type: 'tick' })).toEqual([{ type: 'ask', request: 3, seen: 2 }]);
  });
});

describe('one of a pair', () => {
  beforeEach(activeAlone);

  test('is promoted by the grant, and renews', () => {
    machine = new RoleMachine({ leaseMs: LEASE_MS, peer: true }, -LEASE_MS);
    expect(at(0, { type: 'grantorUp' })).toContainEqual({ type: 'ask', request: 1, seen: 0 });
    expect(at(5, { type: 'granted', request: 1, epoch: 3 })).toEqual([
      { type: 'promote', epoch: 3, leaseUntilMs: 100 },
    ]);
    expect(at(19, { type: 'tick' })).toEqual([]);
    expect(at(21, { type: 'tick' })).toEqual([{ type: 'renew', request: 2, epoch: 3 }]);
    // The lease lasts from when the request was sent.
    expect(at(40, { type: 'granted', request: 2, epoch: 3 })).toEqual([{ type: 'lease', untilMs: 121 }]);
    expect([machine.entitled(120), machine.entitled(121)]).toEqual([true, false]);
  });

  test('has one ask under way at a time', () => {
    machine = new RoleMachine({ leaseMs: LEASE_MS, peer: false }, 0);
    expect(types(0, { type: 'grantorUp' })).toEqual(['ask']);
    expect(types(90, { type: 'tick' })).toEqual([]);
    expect(types(91, { type: 'free' })).toEqual([]);
    expect(types(92, { type: 'refused', request: 1, epoch: 4 })).toEqual(['ask']);
    expect(types(93, { type: 'refused', request: 2, epoch: 4 })).toEqual([]);
    expect(at(112, { type: 'tick' })).toEqual([{ type: 'ask', request: 3, seen: 4 }]);
  });

  test('does not take a grant that comes when its lease has ended; it asks again', () => {
    machine = new RoleMachine({ leaseMs: LEASE_MS, peer: true }, -LEASE_MS);
    at(0, { type: 'grantorUp' });
    expect(types(100, { type: 'granted', request: 1, epoch: 1 })).toContain('ask');
    expect(machine.role).toBe('asking');
  });

  test('is fenced when its lease ends, whatever comes then', () => {
    at(20, { type: 'tick' });
    at(40, { type: 'tick' });
    expect(at(100, { type: 'granted', request: 2, epoch: 1 })).toEqual([
      { type: 'stepDown', reason: 'the lease has ended' },
    ]);
    expect(machine).toMatchObject({ role: 'fenced', epoch: 0 });
    expect(types(200, { type: 'tick' })).toEqual([]);
    expect(types(201, { type: 'restarted' })).toEqual(['connectPeer']);
    expect(at(301, { type: 'tick' })).toContainEqual({ type: 'ask', request: 4, seen: 1 });
  });

  test('goes on when nobody listens where the grantor was, from the beginning of each attempt', () => {
    expect(types(50, { type: 'grantorDown' })).toEqual([]);
    expect(at(60, { type: 'grantorAbsent', sinceMs: 55 })).toEqual([{ type: 'lease', untilMs: 155 }]);
    // An attempt that began earlier says nothing new.
    expect(at(61, { type: 'grantorAbsent', sinceMs: 40 })).toEqual([]);
    expect(types(154, { type: 'tick' })).toEqual([]);
    expect(types(155, { type: 'grantorAbsent', sinceMs: 150 })).toEqual(['stepDown']);
  });

  test('claims its epoch from a grantor that has come back', () => {
    at(30, { type: 'grantorDown' });
    expect(at(40, { type: 'grantorUp' })).toEqual([{ type: 'renew', request: 2, epoch: 1 }]);
  });

  test('steps down when its renewal is refused, or a command with its epoch', () => {
    at(20, { type: 'tick' });
    expect(at(30, { type: 'refused', request: 2, epoch: 9 })).toEqual([
      { type: 'stepDown', reason: 'the lease was refused' },
    ]);
    activeAlone();
    expect(at(15, { type: 'outdated', epoch: 1 })).toEqual([]);
    expect(at(15, { type: 'outdated', epoch: 2 })).toEqual([
      { type: 'stepDown', reason: 'a newer epoch is out' },
    ]);
  });

  test('steps down when it does not understand the grantor', () => {
    expect(at(15, { type: 'garbled' })).toEqual([
      { type: 'stepDown', reason: 'the grantor is not understood' },
    ]);
  });

  test('ends', () => {
    expect(at(30, { type: 'stop' })).toEqual([{ type: 'stepDown', reason: 'stop' }]);
    expect(types(31, { type: 'restarted' })).toEqual([]);
    expect(machine.role).toBe('fenced');
  });
});

describe('a standby', () => {
  beforeEach(() => {
    machine = new RoleMachine({ leaseMs: LEASE_MS, peer: true }, 0);
    at(0, { type: 'grantorUp' });
  });

  test('looks for its peer, and asks when none appears', () => {
    machine = new RoleMachine({ leaseMs: LEASE_MS, peer: true }, 0);
    expect(types(0, { type: 'grantorUp' })).toEqual(['connectPeer']);
    expect(types(19, { type: 'tick' })).toEqual([]);
    expect(types(20, { type: 'tick' })).toEqual(['connectPeer']);
    expect(types(100, { type: 'tick' })).toEqual(['connectPeer', 'ask']);
  });

  test('does not ask while it hears an active peer', () => {
    at(1, { type: 'peer', role: 'active', epoch: 5 });
    expect(types(500, { type: 'tick' })).toEqual([]);
    expect(machine.role).toBe('standby');
  });

  test.each(['peerDown', 'peerSilent'] as const)('asks at once on %s', (type) => {
    at(1, { type: 'peer', role: 'active', epoch: 5 });
    expect(at(2, { type })).toContainEqual({ type: 'ask', request: 1, seen: 5 });
    expect(at(3, { type: 'granted', request: 1, epoch: 6 })).toEqual([
      { type: 'promote', epoch: 6, leaseUntilMs: 102 },
    ]);
  });

  test('asks at once when the lease is free, though it hears an active peer', () => {
    at(1, { type: 'peer', role: 'active', epoch: 5 });
    expect(types(2, { type: 'free' })).toEqual(['ask']);
    expect(types(3, { type: 'refused', request: 1, epoch: 5 })).toEqual([]);
    expect(machine.role).toBe('standby');
  });

  test('is one again when the peer is heard before it was granted anything', () => {
    at(1, { type: 'peer', role: 'active', epoch: 5 });
    at(2, { type: 'peerSilent' });
    at(3, { type: 'peer', role: 'active', epoch: 5 });
    expect(machine.role).toBe('asking');
    at(4, { type: 'refused', request: 1, epoch: 5 });
    expect(machine.role).toBe('standby');
  });
});

describe('a switchover', () => {
  beforeEach(activeWithStandby);

  test('drains, stops, and only then releases the lease', () => {
    expect(machine.canSwitchOver).toBe(true);
    expect(types(10, { type: 'switchover' })).toEqual(['drain']);
    expect(machine).toMatchObject({ role: 'active', canSwitchOver: false });
    expect(at(15, { type: 'drained' })).toEqual([
      { type: 'stepDown', reason: 'switchover' },
      { type: 'release', epoch: 1 },
    ]);
  });

  test('leaves the lease to the other node for a while', () => {
    at(10, { type: 'switchover' });
    at(15, { type: 'drained' });
    at(20, { type: 'restarted' });
    expect(types(119, { type: 'peer', role: 'standby', epoch: 0 })).toEqual([]);
    expect(types(120, { type: 'tick' })).toEqual(['ask']);
  });

  test.each(['peerDown', 'peerSilent'] as const)('is given up on %s', (type) => {
    at(10, { type: 'switchover' });
    expect(types(11, { type })).toEqual(['resume']);
    expect(types(12, { type: 'drained' })).toEqual([]);
    expect(machine).toMatchObject({ role: 'active', canSwitchOver: false });
  });

  test('is given up when draining takes longer than a lease', () => {
    at(10, { type: 'switchover' });
    at(20, { type: 'tick' });
    at(21, { type: 'granted', request: 2, epoch: 1 });
    at(90, { type: 'tick' });
    at(91, { type: 'granted', request: 3, epoch: 1 });
    expect(types(110, { type: 'tick' })).toContain('resume');
    expect(machine.canSwitchOver).toBe(true);
  });

  test('does not begin without a standby', () => {
    at(5, { type: 'peer', role: 'asking', epoch: 0 });
    expect(types(6, { type: 'switchover' })).toEqual([]);
    at(7, { type: 'peerDown' });
    expect(types(8, { type: 'switchover' })).toEqual([]);
  });
});

test('a peer with a newer epoch shuts out the active', () => {
  activeWithStandby();
  expect(at(5, { type: 'peer', role: 'active', epoch: 2 })).toEqual([
    { type: 'stepDown', reason: 'a newer epoch is out' },
  ]);
});
