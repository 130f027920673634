import { expect, test } from 'vitest';
import { freeRange } from '../../control/mediasoup/ports.ts';

test.each([
  [[], { min: 10_000, max: 59_999 }],
  [[{ min: 20_000, max: 29_999 }], { min: 30_000, max: 59_999 }],
  [
    [
      { min: 44_400, max: 44_403 },
      { min: 20_000, max: 29_999 },
    ],
    { min: 44_404, max: 59_999 },
  ],
  [[{ min: 1_024, max: 50_000 }], { min: 50_001, max: 59_999 }],
  [
    [
      { min: 20_000, max: 59_000 },
      { min: 30_000, max: 40_000 },
    ],
    { min: 10_000, max: 19_999 },
  ],
])('beside %o', (reserved, range) => {
  expect(freeRange(reserved)).toEqual(range);
});

test('nothing left', () => {
  expect(() => freeRange([{ min: 1_024, max: 65_535 }])).toThrow('no ports');
});
