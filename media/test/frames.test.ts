import { describe, expect, test } from 'vitest';
import { encodeFrame, FrameError, FrameReader } from '../frames.ts';
import { FRAME_BYTES_MAX } from '../protocol.ts';

describe('frames', () => {
  const messages = [{ id: 1, text: 'ä€😀' }, { id: 2 }, { id: 3, sdp: 'v=0\r\n'.repeat(2_000) }];
  const bytes = Buffer.concat(messages.map(encodeFrame));

  test('the length counts bytes, big-endian', () => {
    expect(encodeFrame({ a: 'ä' }).toString('latin1')).toBe('\0\0\0\n{"a":"\xc3\xa4"}');
  });

  test('are found however the stream is cut', () => {
    for (const size of [1, 2, 3, 4, 5, 7, 64, 1_000, bytes.length]) {
      const reader = new FrameReader();
      const got: object[] = [];
      for (let at = 0; at < bytes.length; at += size) got.push(...reader.push(bytes.subarray(at, at + size)));
      expect(got).toEqual(messages);
    }
  });

  test('that are too long are not written', () => {
    expect(() => encodeFrame({ text: 'x'.repeat(FRAME_BYTES_MAX) })).toThrow(RangeError);
  });

  test.each([
    ['a length above the limit', Buffer.from([0x7f, 0, 0, 0])],
    ['no JSON', Buffer.from('\0\0\0\x01{')],
    ['no object', Buffer.from('\0\0\0\x0212')],
    ['null', Buffer.from('\0\0\0\x04null')],
  ])('%s is an error', (_name, chunk) => {
    expect(() => new FrameReader().push(chunk)).toThrow(FrameError);
  });
});
