import { expect, test } from 'vitest';
import { Lease } from '../../control/lease.ts';

test('the first node gets epoch 1, the next one a newer', () => {
  const lease = new Lease();
  expect(lease.grant('a', 0)).toBe(1);
  expect(lease.admits(1)).toBe(true);
  expect(lease.grant('b', 0)).toBe(2);
  expect(lease.admits(1)).toBe(false);
  expect(lease.admits(2)).toBe(true);
});

test('a node that connects again keeps its epoch; another node does not get it', () => {
  const lease = new Lease();
  lease.grant('a', 0);
  expect(lease.grant('a', 1)).toBe(1);
  expect(lease.grant('b', 1)).toBeNull();
});

test('an older epoch is refused, a newer one from elsewhere taken over', () => {
  const lease = new Lease();
  expect(lease.grant('a', 7)).toBe(7);
  expect(lease.grant('b', 6)).toBeNull();
  expect(lease.grant('b', 9)).toBe(9);
  expect(lease.admits(7)).toBe(false);
});

test('without a lease nothing is admitted', () => {
  expect(new Lease().admits(0)).toBe(false);
});
