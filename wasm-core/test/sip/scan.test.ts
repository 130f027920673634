import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Parser } from '../support/parser.ts';

const parser = new Parser();
const builds = [parser, new Parser('scalar')];
const codes = (text: string) => [...Buffer.from(text, 'latin1')];
/** Bytes with many line ends, colons and letters among them. */
const bytes = fc.array(fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(13, 10, 58, 65, 97)), {
  maxLength: 70,
});

describe('SIMD and scalar agree', () => {
  it.each([
    ['tokenEnd', /[^A-Za-z0-9\-.!%*_+`'~]/],
    ['valueCharsEnd', /[ \t\r\n<>";,]/],
    ['uriCharsEnd', /[\0- \x7f<>"]/],
    ['hostCharsEnd', /[^A-Za-z0-9._-]/],
    ['paramNameEnd', /[;=]/],
    ['paramTextEnd', /[;"]/],
  ] as const)('%s', (name, pattern) => {
    const within = fc.array(fc.oneof(bytes, fc.string({ unit: 'grapheme-ascii' }).map(codes)), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(within, (lists) => {
        const list = lists.flat();
        const first = Buffer.from(list).toString('latin1').search(pattern);
        const expected = first < 0 ? list.length : first;
        for (const build of builds) {
          const at = build.put(Uint8Array.from(list));
          expect(build.call(name, at, build.end) - at).toBe(expected);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('findByte', () => {
    fc.assert(
      fc.property(bytes, fc.constantFrom(13, 65, 200), (list, c) => {
        const expected = list.includes(c) ? list.indexOf(c) : list.length;
        for (const build of builds) {
          const at = build.put(Uint8Array.from(list));
          expect(build.call('findByte', at, build.end, c) - at).toBe(expected);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('equalsIgnoreCase', () => {
    const near = fc.tuple(bytes, fc.nat(), fc.constantFrom(0, 0, 32, 128, 1)).map(([list, at, bit]) => {
      const other = list.map((c) => (c >= 65 && c <= 90 ? c + 32 : c));
      if (other.length > 0) other[at % other.length]! ^= bit;
      return [list, other] as const;
    });
    fc.assert(
      fc.property(near, ([a, b]) => {
        const left = parser.scratch(0, Uint8Array.from(a));
        const right = parser.put(Uint8Array.from(b));
        const lower = (list: readonly number[]) => list.map((c) => (c >= 65 && c <= 90 ? c + 32 : c)).join();
        const expected = lower(a) === lower(b) ? 1 : 0;
        expect(parser.call('equalsIgnoreCase', left, right, a.length)).toBe(expected);
        expect(parser.call('equalsIgnoreCaseScalar', left, right, a.length)).toBe(expected);
      }),
      { numRuns: 5000 },
    );
  });
});

it('isToken is the token of RFC 3261 25.1', () => {
  for (let c = 0; c < 256; c++) {
    const expected = /[A-Za-z0-9\-.!%*_+`'~]/.test(String.fromCharCode(c)) ? 1 : 0;
    expect(parser.call('isToken', c), String.fromCharCode(c)).toBe(expected);
  }
});

describe('readNumber', () => {
  it.each([
    ['0', 0],
    ['007', 7],
    ['4294967295', 4294967295],
  ])('%s', (text, value) => {
    expect(parser.call('readNumber', parser.put(text), parser.end)).toBe(1);
    expect(parser.get('numberValue') >>> 0).toBe(value);
  });

  it.each(['', '-1', '+1', '1 ', '1x', '4294967296', '18446744073709551616', '99999999999999999999999'])(
    'refuses "%s"',
    (text) => {
      expect(parser.call('readNumber', parser.put(text), parser.end)).toBe(0);
    },
  );
});

describe('headerId', () => {
  const id = (name: string) => parser.call('headerId', parser.put(name), name.length);

  /** Names and compact forms, by the registry (RFC 3261 7.3.3, 3265, 3515, 3892, 4028, 8224). */
  it.each([
    ['Via', 'v'],
    ['From', 'f'],
    ['To', 't'],
    ['Call-ID', 'i'],
    ['Contact', 'm'],
    ['Content-Length', 'l'],
    ['Content-Type', 'c'],
    ['Content-Encoding', 'e'],
    ['Supported', 'k'],
    ['Subject', 's'],
    ['Event', 'o'],
    ['Allow-Events', 'u'],
    ['Refer-To', 'r'],
    ['Referred-By', 'b'],
    ['Session-Expires', 'x'],
    ['Identity', 'y'],
  ])('%s is %s', (name, compact) => {
    const expected = parser.get(`H_${name.toUpperCase().replaceAll('-', '_')}`);
    for (const form of [name, compact, name.toUpperCase(), compact.toUpperCase()])
      expect(id(form), form).toBe(expected);
  });

  it('compares the whole name', () => {
    const names =
      'CSeq Max-Forwards Route Record-Route Proxy-Require Www-Authenticate Path Min-SE RSeq RAck'.split(' ');
    for (const name of names) {
      const expected = parser.get(`H_${name.toUpperCase().replaceAll('-', '_')}`);
      expect(id(name), name).toBe(expected);
      for (let i = 0; i < name.length; i++) {
        const other = `${name.slice(0, i)}${name[i] === 'q' ? 'z' : 'q'}${name.slice(i + 1)}`;
        expect(id(other), other).toBe(0);
      }
      expect(id(`${name}x`)).toBe(0);
      expect(id(name.slice(1))).toBe(0);
    }
    expect(id('')).toBe(0);
    expect(id('z')).toBe(0);
  });
});

it('isSpace is SP, HT, CR and LF', () => {
  for (let c = 0; c < 256; c++)
    expect(parser.call('isSpace', c), `${c}`).toBe([9, 10, 13, 32].includes(c) ? 1 : 0);
});
