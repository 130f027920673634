import { describe, expect, test } from 'vitest';
import { assignPayloadTypes, type Codec, CODECS, findCodec } from '../../sdp/codec.ts';

function codec(key: string, pt: number): Codec {
  return { kind: CODECS.find((kind) => kind.key === key)!, pt, fmtp: '' };
}

describe('payload types of a call', () => {
  test('those of the offer are kept, the others get their defaults', () => {
    const pts = assignPayloadTypes([
      codec('opus/48000/2', 96),
      codec('PCMU/8000', 0),
      codec('telephone-event/8000', 101),
    ]);
    expect(Object.fromEntries(pts)).toEqual({
      'opus/48000/2': 96,
      'PCMU/8000': 0,
      'telephone-event/8000': 101,
      'G722/8000': 9,
      'PCMA/8000': 8,
      'telephone-event/48000': 110,
    });
  });

  test('a default that the offer uses for another codec is replaced by a free one', () => {
    const pts = assignPayloadTypes([codec('telephone-event/8000', 111), codec('PCMU/8000', 96)]);
    expect(pts.get('telephone-event/8000')).toBe(111);
    expect(pts.get('opus/48000/2')).toBe(97);
    expect(new Set(pts.values()).size).toBe(CODECS.length);
  });

  test('all are different whatever is offered', () => {
    for (let first = 96; first <= 127; first++) {
      const offered = CODECS.map((kind, i) => ({ kind, pt: 96 + ((first + 7 * i) % 32), fmtp: '' }));
      const pts = assignPayloadTypes(offered.slice(0, 1 + (first % 6)));
      expect(new Set(pts.values()).size).toBe(CODECS.length);
    }
  });
});

test('a codec is its name, clock rate and channels', () => {
  expect(findCodec('telephone-event', 8000, 1)?.key).toBe('telephone-event/8000');
  expect(findCodec('telephone-event', 16_000, 1)).toBeUndefined();
  expect(findCodec('opus', 48_000, 1)).toBeUndefined();
});
