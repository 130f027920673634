/** The grantor with a real clock; its rules are tested in switch/test/mirror. */
import { afterEach, expect, test } from 'vitest';
import { Lease, type Session } from '../../control/lease.ts';
import type { LeaseRequest } from '../../protocol.ts';

const a: Session = { connection: 1, node: 'a' };
const b: Session = { connection: 2, node: 'b' };
const request = (want: LeaseRequest['want'], epoch: number): LeaseRequest => ({
  op: 'lease',
  id: 1,
  want,
  epoch,
});

let lease: Lease;
afterEach(() => lease.close());

function open(leaseMs: number, generation = 1): void {
  lease = new Lease({ leaseMs, generation });
  lease.opened();
}

test('is granted, renewed and released by its holder only', () => {
  open(10_000);
  let freed = 0;
  lease.onFree = () => freed++;
  expect(lease.answer(a, request('ask', 0))).toEqual({ id: 1, status: 200, epoch: 1 });
  expect(lease.answer(b, request('ask', 1))).toEqual({ id: 1, status: 409, epoch: 1 });
  expect(lease.answer(a, request('renew', 1))).toEqual({ id: 1, status: 200, epoch: 1 });
  expect(lease.answer(b, request('renew', 1))).toEqual({ id: 1, status: 409, epoch: 1 });
  expect(lease.answer(b, request('release', 1))).toEqual({ id: 1, status: 409, epoch: 1 });
  expect([lease.holds(a), lease.holds(b), lease.admits(1), freed]).toEqual([true, false, true, 0]);
  expect(lease.answer(a, request('release', 1))).toEqual({ id: 1, status: 200, epoch: 1 });
  expect([lease.holds(a), lease.admits(1), freed]).toEqual([false, false, 1]);
});

test('is free when the connection of its holder is closed', () => {
  open(10_000);
  let freed = 0;
  lease.onFree = () => freed++;
  lease.answer(a, request('ask', 0));
  lease.closed(b);
  expect(freed).toBe(0);
  lease.closed(a);
  expect(freed).toBe(1);
});

test('is free when it was not renewed, and that is told', async () => {
  open(100);
  lease.answer(a, request('ask', 0));
  await new Promise<void>((resolve) => (lease.onFree = resolve));
  expect(lease.answer(b, request('ask', 1))).toEqual({ id: 1, status: 200, epoch: 2 });
});

test('is free some time after a restart, if nobody has claimed it, and that is told', async () => {
  open(100, 2);
  expect(lease.answer(b, request('ask', 0))).toMatchObject({ status: 409 });
  await new Promise<void>((resolve) => (lease.onFree = resolve));
  expect(lease.answer(b, request('ask', 0))).toMatchObject({ status: 200 });
});
