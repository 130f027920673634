import { describe, expect, it } from 'vitest';
import { BatchAdvisor } from '../../realtime/batch-advisor.ts';

/** Looks for half a second, each with so many messages; how often it changed its mind. */
function feed(advisor: BatchAdvisor, fromUs: number, events: number, everyUs = 2_000): number {
  let changes = 0;
  for (let us = fromUs; us < fromUs + 500_000; us += everyUs) if (advisor.next(events, us)) changes++;
  return changes;
}

describe('the batch advisor', () => {
  it('tells bursts from single messages', () => {
    const advisor = new BatchAdvisor();
    expect(feed(advisor, 0, 1)).toBe(0);
    expect(advisor.batches).toBe(false);
    expect(feed(advisor, 1e6, 8)).toBe(1);
    expect(advisor.batches).toBe(true);
    expect(feed(advisor, 2e6, 1)).toBe(1);
    expect(advisor.batches).toBe(false);
  });

  it('tells many messages from few, however they come', () => {
    const advisor = new BatchAdvisor();
    feed(advisor, 0, 1, 200); // 5,000 a second
    expect(advisor.batches).toBe(false);
    feed(advisor, 1e6, 1, 80); // 12,500 a second
    expect(advisor.batches).toBe(true);
    expect(feed(advisor, 1.5e6, 1, 110)).toBe(0); // 9,000: stays
    feed(advisor, 2e6, 1, 200);
    expect(advisor.batches).toBe(false);
  });

  it('does not waver in between', () => {
    const advisor = new BatchAdvisor();
    feed(advisor, 0, 8);
    expect(feed(advisor, 1e6, 2.5)).toBe(0);
    expect(advisor.batches).toBe(true);
  });

  it('does not count looks that found nothing, and judges by more than a few', () => {
    const advisor = new BatchAdvisor();
    for (let us = 0; us < 1e6; us += 100) expect(advisor.next(0, us)).toBe(false);
    for (let i = 0; i < 49; i++) expect(advisor.next(8, 1e6 + i)).toBe(false);
    expect(advisor.next(8, 1e6 + 50)).toBe(true);
  });
});
