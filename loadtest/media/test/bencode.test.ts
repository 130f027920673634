import { expect, test } from 'vitest';
import { decode, encode } from '../bencode.ts';

test('values are written with sorted keys and lengths in bytes', () => {
  expect(encode({ sdp: 'v=0\r\n', flags: ['a', 'bc'], 'call-id': 'ü', n: -3 })).toBe(
    'd7:call-id2:ü5:flagsl1:a2:bce1:ni-3e3:sdp5:v=0\r\ne',
  );
});

test('what was written is read again', () => {
  const value = { result: 'ok', list: [1, 'zwei', []], nested: { empty: {}, text: 'ü:e' } };
  expect(decode(Buffer.from(encode(value)))).toEqual(value);
});

test.each(['', 'i12', 'ie', '5:abc', 'l1:a', 'd1:a', '1:ab'])('%j is refused', (text) => {
  expect(() => decode(Buffer.from(text))).toThrow('bencode');
});
