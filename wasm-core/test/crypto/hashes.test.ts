import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Parser } from '../support/parser.ts';

const parser = new Parser();
const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255);
const read = (at: number, length: number) => Buffer.from(parser.bytes.subarray(at, at + length));

/** Every length around the edges of one, two and three blocks, and some long ones. */
const LENGTHS = [...Array.from({ length: 200 }, (_, i) => i), 1000, 4096, 65_535];

describe.each([
  ['md5', 16],
  ['sha256', 32],
] as const)('%s', (name, size) => {
  it('is what Node says, for all lengths', () => {
    const out = parser.scratch(0);
    for (const length of LENGTHS) {
      const input = bytes(length);
      parser.call(name, out, parser.put(input), length);
      expect(read(out, size).toString('hex'), `${length} bytes`).toBe(
        createHash(name).update(input).digest('hex'),
      );
    }
  });
});

describe('sha256 in pieces', () => {
  it('is the same as at once', () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 });
    const out = parser.scratch(0);
    fc.assert(
      fc.property(pieces, (list) => {
        parser.call('sha256Init');
        for (const piece of list) parser.call('sha256Update', parser.put(piece), piece.length);
        parser.call('sha256Final', out);
        expect(read(out, 32)).toEqual(createHash('sha256').update(Buffer.concat(list)).digest());
      }),
      { numRuns: 500 },
    );
  });
});

describe('siphash24', () => {
  const hash = (key: Uint8Array, input: Uint8Array) =>
    BigInt.asUintN(
      64,
      parser.exports.siphash24!(parser.scratch(1, key), parser.put(input), input.length) as bigint,
    );
  const KEY = Uint8Array.from({ length: 16 }, (_, i) => i);

  it('gives the value of the paper (appendix A)', () => {
    expect(
      hash(
        KEY,
        Uint8Array.from({ length: 15 }, (_, i) => i),
      ),
    ).toBe(0xa129ca6149be45e5n);
  });

  it.each([
    [0, 0x726fdb47dd0e0e31n],
    [1, 0x74f839c593dc67fdn],
    [7, 0xab0200f58b01d137n],
    [8, 0x93f5f5799a932462n],
  ])('gives the value of the reference vectors for %i bytes', (length, value) => {
    expect(
      hash(
        KEY,
        Uint8Array.from({ length }, (_, i) => i),
      ),
    ).toBe(value);
  });

  it('is what the definition says, for all lengths', () => {
    for (let length = 0; length < 80; length++)
      expect(hash(KEY, bytes(length))).toBe(reference(KEY, bytes(length)));
  });
});

/** SipHash-2-4 as the paper defines it, in big integers. */
function reference(key: Uint8Array, input: Uint8Array): bigint {
  const word = (from: Uint8Array, at: number) => Buffer.from(from).readBigUInt64LE(at);
  const [k0, k1] = [word(key, 0), word(key, 8)];
  let [a, b, c, d] = [
    k0 ^ 0x736f6d6570736575n,
    k1 ^ 0x646f72616e646f6dn,
    k0 ^ 0x6c7967656e657261n,
    k1 ^ 0x7465646279746573n,
  ] as [bigint, bigint, bigint, bigint];
  const add = (x: bigint, y: bigint) => BigInt.asUintN(64, x + y);
  const turn = (x: bigint, by: bigint) => BigInt.asUintN(64, (x << by) | (x >> (64n - by)));
  const rounds = (count: number) => {
    for (let i = 0; i < count; i++) {
      a = add(a, b);
      c = add(c, d);
      b = turn(b, 13n) ^ a;
      d = turn(d, 16n) ^ c;
      a = turn(a, 32n);
      c = add(c, b);
      a = add(a, d);
      b = turn(b, 17n) ^ c;
      d = turn(d, 21n) ^ a;
      c = turn(c, 32n);
    }
  };
  const padded = new Uint8Array((input.length >> 3) * 8 + 8);
  padded.set(input);
  padded[padded.length - 1] = input.length & 255;
  for (let at = 0; at < padded.length; at += 8) {
    const m = word(padded, at);
    d ^= m;
    rounds(2);
    a ^= m;
  }
  c ^= 0xffn;
  rounds(4);
  return a ^ b ^ c ^ d;
}
