/** Rules of the grantor one by one; what they are for together is in lease.test.ts. */
import { describe, expect, test } from 'vitest';
import { Grantor } from '../../mirror/grantor.ts';

const LEASE_MS = 100;
/** Until then the lease is nobody else's. */
const HELD_MS = 125;
const granted = (epoch: number) => ({ granted: true, epoch });
const refused = (epoch: number) => ({ granted: false, epoch });

function first(): Grantor {
  const grantor = new Grantor({ leaseMs: LEASE_MS, generation: 1 });
  grantor.opened(0);
  return grantor;
}

/** After a restart. */
function second(): Grantor {
  const grantor = new Grantor({ leaseMs: LEASE_MS, generation: 2 });
  grantor.opened(0);
  return grantor;
}

describe('the first grantor', () => {
  test('grants the first ask at once, and only the epoch it has granted is obeyed', () => {
    const grantor = first();
    expect(grantor.admits(0)).toBe(false);
    expect(grantor.ask(1, 'a', 0, 0)).toEqual(granted(1));
    expect([0, 1, 2].map((epoch) => grantor.admits(epoch))).toEqual([false, true, false]);
  });

  test('grants the next epoch to another node when the lease has run out, and then refuses the older', () => {
    const grantor = first();
    grantor.ask(1, 'a', 0, 0);
    expect(grantor.renew(1, 'a', 1, 50)).toEqual(granted(1));
    expect(grantor.ask(2, 'b', 1, 50 + HELD_MS - 1)).toEqual(refused(1));
    expect(grantor.ask(2, 'b', 1, 50 + HELD_MS)).toEqual(granted(2));
    expect(grantor.renew(1, 'a', 1, 200)).toEqual(refused(2));
    expect(grantor.admits(1)).toBe(false);
  });

  test('grants it at once when the connection of the holder is closed, and of nobody else', () => {
    const grantor = first();
    grantor.ask(1, 'a', 0, 0);
    expect(grantor.closed(2)).toBe(false);
    expect(grantor.ask(3, 'b', 1, 1)).toEqual(refused(1));
    expect(grantor.closed(1)).toBe(true);
    expect(grantor.ask(3, 'b', 1, 2)).toEqual(granted(2));
  });

  test('grants it at once when the holder has released the lease; nobody else can', () => {
    const grantor = first();
    grantor.ask(1, 'a', 0, 0);
    expect(grantor.release(2, 1)).toBe(false);
    expect(grantor.release(1, 2)).toBe(false);
    expect(grantor.release(1, 1)).toBe(true);
    expect(grantor.admits(1)).toBe(false);
    expect(grantor.ask(2, 'b', 1, 1)).toEqual(granted(2));
  });

  test('gives a holder that asks anew the next epoch', () => {
    const grantor = first();
    grantor.ask(1, 'a', 0, 0);
    expect(grantor.ask(1, 'a', 1, 1)).toEqual(granted(2));
    expect(grantor.admits(1)).toBe(false);
  });

  test('follows the holder to another connection, but not another node that knows the epoch', () => {
    const grantor = first();
    grantor.ask(1, 'a', 0, 0);
    expect(grantor.renew(2, 'b', 1, 1)).toEqual(refused(1));
    expect(grantor.renew(3, 'a', 1, 1)).toEqual(granted(1));
    expect(grantor.closed(1)).toBe(false);
    expect(grantor.closed(3)).toBe(true);
  });

  test('tells once that a lease has run out', () => {
    const grantor = first();
    expect(grantor.tick(1_000)).toBe(false);
    grantor.ask(1, 'a', 0, 1_000);
    expect(grantor.tick(1_000 + HELD_MS - 1)).toBe(false);
    expect([grantor.tick(1_000 + HELD_MS), grantor.tick(1_000 + HELD_MS + 1)]).toEqual([true, false]);
    // Nobody has asked: the holder may have it again, and it runs out again.
    expect(grantor.renew(1, 'a', 1, 2_000)).toEqual(granted(1));
    expect(grantor.tick(2_000 + HELD_MS)).toBe(true);
  });
});

describe('a grantor that was started again', () => {
  test('grants nothing new until a lease from before must have run out, and then an epoch of its own', () => {
    const grantor = second();
    expect(grantor.ask(1, 'b', 0, HELD_MS - 1)).toEqual(refused(0));
    expect(grantor.tick(HELD_MS - 1)).toBe(false);
    expect(grantor.tick(HELD_MS)).toBe(true);
    expect(grantor.ask(1, 'b', 0, HELD_MS)).toEqual(granted(65_537));
  });

  test('grants nothing before nodes can connect', () => {
    const grantor = new Grantor({ leaseMs: LEASE_MS, generation: 2 });
    expect(grantor.ask(1, 'b', 0, 1e9)).toEqual(refused(0));
  });

  test('accepts the epoch that the holder claims, and goes on from there', () => {
    const grantor = second();
    expect(grantor.renew(1, 'a', 7, 10)).toEqual(granted(7));
    expect(grantor.admits(7)).toBe(true);
    expect(grantor.ask(2, 'b', 7, 10 + HELD_MS - 1)).toEqual(refused(7));
    grantor.closed(1);
    expect(grantor.ask(2, 'b', 7, 20)).toEqual(granted(65_537));
  });

  test('refuses a claim of an epoch older than one that another node has heard of, or when it has granted one', () => {
    const grantor = second();
    grantor.ask(2, 'b', 8, 0);
    expect(grantor.renew(1, 'a', 7, 10)).toEqual(refused(8));
    grantor.ask(2, 'b', 8, HELD_MS);
    expect(grantor.renew(1, 'a', 8, HELD_MS)).toEqual(refused(65_537));
    expect(grantor.renew(1, 'a', 70_000, HELD_MS)).toEqual(refused(65_537));
  });

  test('grants newer epochs than any that a node has heard of', () => {
    expect(second().ask(1, 'b', 500_000, HELD_MS)).toEqual(granted(500_001));
  });
});
