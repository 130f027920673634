import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Parser } from '../support/parser.ts';

const parser = new Parser();
const OUT = parser.scratch(0);
const IN = 1;
const input = fc.uint8Array({ maxLength: 100 });
const read = (length: number) => parser.bytes.slice(OUT, OUT + length);

describe('base64url', () => {
  const decode = (text: string) => parser.call('b64urlDecode', OUT, parser.put(text), text.length);

  it('is what Node says, and reads back', () => {
    fc.assert(
      fc.property(input, (bytes) => {
        const length = parser.call('b64urlEncode', OUT, parser.put(bytes), bytes.length);
        const text = parser.text(OUT, length);
        expect(text).toBe(Buffer.from(bytes).toString('base64url'));
        expect(decode(text)).toBe(bytes.length);
        expect(read(bytes.length)).toEqual(bytes);
      }),
    );
  });

  it.each(['A', 'AAAAA', 'AA=', 'AA==', 'A+AA', 'A/AA', 'A AA', 'AÿA', 'AB', 'AAB'])('refuses %s', (text) => {
    expect(decode(text)).toBe(-1);
  });
});

describe('hex', () => {
  it('is what Node says, and reads back in either case', () => {
    fc.assert(
      fc.property(input, (bytes) => {
        parser.call('hexEncode', OUT, parser.put(bytes), bytes.length);
        const text = parser.text(OUT, bytes.length * 2);
        expect(text).toBe(Buffer.from(bytes).toString('hex'));
        for (const form of [text, text.toUpperCase()]) {
          parser.scratch(0, new Uint8Array(bytes.length));
          expect(parser.call('hexDecode', OUT, parser.scratch(IN, form), bytes.length)).toBe(1);
          expect(read(bytes.length)).toEqual(bytes);
        }
      }),
    );
  });

  it.each(['0g', 'G0', '/0', ':0', '0@', '0`', '  '])('refuses %s', (text) => {
    expect(parser.call('hexDecode', OUT, parser.put(text), 1)).toBe(0);
  });
});
