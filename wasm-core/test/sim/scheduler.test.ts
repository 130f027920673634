import { describe, expect, it } from 'vitest';
import { Random } from '../../sim/random.ts';
import { Scheduler } from '../../sim/scheduler.ts';

describe('virtual time', () => {
  it('runs what is due in the order of times, then of scheduling', () => {
    const scheduler = new Scheduler();
    const random = new Random(1, 'scheduler');
    const ran: [number, number][] = [];
    for (let i = 0; i < 2_000; i++) {
      const at = random.below(100);
      scheduler.at(at, () => ran.push([at, i]));
    }
    while (scheduler.step());
    expect(ran).toHaveLength(2_000);
    expect(ran).toEqual(ran.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]));
    expect(scheduler.nowUs).toBe(ran.at(-1)![0]);
  });

  it('leaves out what was cancelled, and says when the next thing is due', () => {
    const scheduler = new Scheduler();
    const ran: string[] = [];
    const first = scheduler.at(5, () => ran.push('first'));
    scheduler.at(7, () => ran.push('second'));
    first.cancel();
    expect(scheduler.nextUs()).toBe(7);
    while (scheduler.step());
    expect(ran).toEqual(['second']);
    expect(scheduler.nextUs()).toBeUndefined();
  });

  it('takes what is in the past as now', () => {
    const scheduler = new Scheduler();
    const ran: number[] = [];
    scheduler.at(10, () => {
      scheduler.at(3, () => ran.push(scheduler.nowUs));
      scheduler.after(0, () => ran.push(scheduler.nowUs));
    });
    while (scheduler.step());
    expect(ran).toEqual([10, 10]);
  });
});
