import { describe, expect, it } from 'vitest';
import { BatchWait } from '../../realtime/batch-wait.ts';

/** Looks every `everyUs` for a tenth of a second, and finds `events` each time. Returns the last answer. */
function run(wait: BatchWait, everyUs: number, events: number, fromUs = 0): number {
  let pauseUs = 0;
  for (let us = fromUs; us < fromUs + 100_000; us += everyUs) pauseUs = wait.next(events, us);
  return pauseUs;
}

describe('waiting for a batch', () => {
  it('takes half of the budget when enough messages come in that time', () => {
    expect(run(new BatchWait(100, 3), 50, 4)).toBe(50);
    expect(run(new BatchWait(200, 3), 50, 4)).toBe(100);
    expect(run(new BatchWait(100, 8), 50, 4)).toBe(0);
    expect(run(new BatchWait(100, 8), 50, 9)).toBe(50);
  });

  it('is not done at low rates, nor when nothing came', () => {
    expect(run(new BatchWait(100, 3), 500, 1)).toBe(0);
    const wait = new BatchWait(100, 3);
    run(wait, 50, 4);
    expect(wait.next(0, 100_050)).toBe(0);
  });

  it('follows the load down', () => {
    const wait = new BatchWait(100, 3);
    run(wait, 50, 10);
    expect(run(wait, 1_000, 1, 100_000)).toBe(0);
  });

  it('can be switched off', () => {
    expect(run(new BatchWait(0, 3), 50, 64)).toBe(0);
  });
});
