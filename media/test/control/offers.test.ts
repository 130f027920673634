import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Offers } from '../../control/offers.ts';
import type { OfferEvent } from '../../protocol.ts';

let told: OfferEvent[];
let offers: Offers;

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  offers = new Offers((event) => told.push(event));
});
afterEach(() => {
  offers.close();
  vi.useRealTimers();
});

const sdps = () => told.map(({ sdp }) => sdp);

describe('offers of the switch itself', () => {
  test('are told until the node says what became of them', () => {
    offers.add('1.1', 0, 'one');
    vi.advanceTimersByTime(2_000);
    expect(sdps()).toEqual(['one', 'one']);
    expect(told[1]).toEqual(told[0]);
    expect(offers.settle('1.1', 0, told[0]!.id, 200)).toBe(true);
    vi.advanceTimersByTime(10_000);
    expect(told).toHaveLength(2);
    expect(offers.settle('1.1', 0, told[0]!.id, 200)).toBe(false);
  });

  test('for which there was no room are told again', () => {
    offers.add('1.1', 0, 'one');
    expect(offers.settle('1.1', 0, told[0]!.id, 503)).toBe(false);
    vi.advanceTimersByTime(2_000);
    expect(sdps()).toEqual(['one', 'one']);
  });

  test('that were replaced are settled by the newer one only', () => {
    offers.add('1.1', 0, 'old');
    offers.add('1.1', 0, 'new');
    expect(offers.settle('1.1', 0, told[0]!.id, 200)).toBe(false);
    expect(offers.settle('1.1', 0, told[1]!.id, 200)).toBe(true);
    expect(offers.size).toBe(0);
  });

  test('are told at once to a node that has become active, but not those of calls that have ended', () => {
    offers.add('1.1', 0, 'one');
    offers.add('2.1', 1, 'two');
    offers.drop('1.1', [0, 1]);
    offers.again();
    expect(sdps()).toEqual(['one', 'two', 'two']);
  });

  test('wait while 256 are with the node', () => {
    for (let i = 0; i < 300; i++) offers.add(`${i}.1`, 0, String(i));
    expect(told).toHaveLength(256);
    offers.settle('0.1', 0, told[0]!.id, 488);
    expect(sdps().at(-1)).toBe('256');
  });
});
