import { describe, expect, it } from 'vitest';
import { PortPool } from '../../edge/ports.ts';

describe('PortPool', () => {
  const takeAll = (pool: PortPool) => Array.from({ length: pool.free }, () => pool.take()!);

  it('holds the even ports whose successor is in the range', () => {
    const sorted = (min: number, max: number) => takeAll(new PortPool(min, max)).sort((a, b) => a - b);
    expect(sorted(1_000, 1_005)).toEqual([1_000, 1_002, 1_004]);
    expect(sorted(1_001, 1_005)).toEqual([1_002, 1_004]);
    expect(sorted(1_000, 1_004)).toEqual([1_000, 1_002]);
    expect(sorted(65_534, 65_535)).toEqual([65_534]);
  });

  it('refuses a range without a pair', () => {
    for (const [min, max] of [
      [1_001, 1_002],
      [1_000, 1_000],
      [2_000, 1_000],
      [0, 100],
      [65_534, 65_536],
      [1_000.5, 1_100],
    ] as const) {
      expect(() => new PortPool(min, max), `${min} to ${max}`).toThrow('no pair');
    }
  });

  it('has none when all are taken, and gives out first what came back first', () => {
    const pool = new PortPool(1_000, 1_009);
    const ports = takeAll(pool);
    expect(pool.take()).toBeNull();
    for (const i of [3, 0, 4]) pool.give(ports[i]!);
    expect([pool.take(), pool.take(), pool.take(), pool.take()]).toEqual([
      ports[3],
      ports[0],
      ports[4],
      null,
    ]);
  });

  it('does not begin with the same ports each time', () => {
    const orders = new Set(Array.from({ length: 20 }, () => takeAll(new PortPool(1_000, 1_199)).join()));
    expect(orders.size).toBeGreaterThan(15);
  });

  it('refuses more than it gave out', () => {
    expect(() => new PortPool(1_000, 1_009).give(1_000)).toThrow('not taken');
  });

  it('gives a certain pair once, and the others as before', () => {
    const pool = new PortPool(20_000, 20_007);
    expect([pool.takeThis(20_004), pool.takeThis(20_004), pool.takeThis(30_000)]).toEqual([
      true,
      false,
      false,
    ]);
    const rest = [pool.take(), pool.take(), pool.take()].sort();
    expect([rest, pool.take()]).toEqual([[20_000, 20_002, 20_006], null]);
    pool.give(20_004);
    expect(pool.take()).toBe(20_004);
  });
});
