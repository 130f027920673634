import { describe, expect, it } from 'vitest';
import { BurstDetector } from '../../realtime/burst-detector.ts';

/** Looks for half a second, each with so many messages; how often it changed its mind. */
function feed(detector: BurstDetector, fromUs: number, events: number): number {
  let changes = 0;
  for (let us = fromUs; us < fromUs + 500_000; us += 500) if (detector.next(events, us)) changes++;
  return changes;
}

describe('the burst detector', () => {
  it('tells bursts from single messages', () => {
    const detector = new BurstDetector();
    expect(feed(detector, 0, 1)).toBe(0);
    expect(detector.bursts).toBe(false);
    expect(feed(detector, 1e6, 8)).toBe(1);
    expect(detector.bursts).toBe(true);
    expect(feed(detector, 2e6, 1)).toBe(1);
    expect(detector.bursts).toBe(false);
  });

  it('does not waver in between', () => {
    const detector = new BurstDetector();
    feed(detector, 0, 8);
    expect(feed(detector, 1e6, 2.5)).toBe(0);
    expect(detector.bursts).toBe(true);
  });

  it('does not count looks that found nothing, and judges by more than a few', () => {
    const detector = new BurstDetector();
    for (let us = 0; us < 1e6; us += 100) expect(detector.next(0, us)).toBe(false);
    for (let i = 0; i < 49; i++) expect(detector.next(8, 1e6 + i)).toBe(false);
    expect(detector.next(8, 1e6 + 50)).toBe(true);
  });
});
