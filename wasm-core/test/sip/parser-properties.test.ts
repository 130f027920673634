import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Parser } from '../support/parser.ts';
import { validRequest } from './grammar.ts';

const parser = new Parser();
const scalar = new Parser('scalar');
const END = parser.end;

describe('the parser', () => {
  it('gives back what a valid message means', () => {
    fc.assert(
      fc.property(validRequest, ({ text, meaning }) => {
        expect(parser.parse(text)).toBe(0);
        expect(parser.span('method')).toBe(meaning.method);
        expect(parser.span('uri')).toBe(`sip:${meaning.user}@strowger.test`);
        expect(parser.span('callId')).toBe(meaning.callId);
        expect(parser.span('fromTag')).toBe(meaning.fromTag);
        expect(parser.get('toTagLen')).toBe(0);
        expect(parser.get('cseqNumber')).toBe(meaning.cseq);
        expect(parser.get('maxForwards')).toBe(70);
        expect(parser.span('via')).toBe(meaning.vias[0]);
        expect(parser.span('viaBranch')).toBe(
          meaning.vias[0]!.slice(meaning.vias[0]!.lastIndexOf('z9hG4bK')),
        );
        expect(parser.values('H_SUBJECT')).toEqual(meaning.subject === null ? [] : [meaning.subject]);
        expect(parser.span('body')).toBe(meaning.body);
      }),
      { numRuns: 3000 },
    );
  });

  /** Start, length, and what to put there. */
  const change = fc.record({
    at: fc.nat(),
    remove: fc.oneof(fc.constant(0), fc.constant(1), fc.nat({ max: 60 })),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc
        .constantFrom(
          '\r\n',
          '\r\n ',
          '"',
          '<',
          '>',
          ',',
          ';',
          ':',
          '\\',
          '[',
          ']',
          '%',
          '@',
          '\0',
          'v:',
          '\r',
        )
        .map(Buffer.from),
    ),
    truncate: fc.integer({ min: 0, max: 9 }),
  });
  const pairs = fc.tuple(validRequest, validRequest, fc.nat(), fc.nat(), fc.array(change, { maxLength: 4 }));

  it('every span it gives of a damaged message lies inside; bytes behind it, and SIMD, make no difference', () => {
    let malformed = 0;
    fc.assert(
      fc.property(pairs, ([one, other, cut, join, changes]) => {
        let bytes: Buffer = Buffer.from(one.text);
        if (cut % 3 === 0)
          bytes = Buffer.concat([
            bytes.subarray(0, cut % bytes.length),
            Buffer.from(other.text.slice(join % other.text.length)),
          ]);
        for (const { at, remove, insert, truncate } of changes) {
          const from = at % (bytes.length + 1);
          bytes = Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + remove)]);
          if (truncate === 0) bytes = bytes.subarray(0, from);
        }
        if (parser.parse(bytes) !== 0) malformed++; // traps when it reads far behind the message: memory ends there
        inside(bytes.length);
        const found = everything(parser, bytes);
        expect(everything(parser, bytes)).toBe(found); // with other bytes behind it
        expect(everything(scalar, bytes)).toBe(found);
      }),
      { numRuns: 10_000 },
    );
    expect(malformed).toBeGreaterThan(1000);
  });

  it('every span it gives of any beginning of a message lies inside', () => {
    fc.assert(
      fc.property(validRequest, ({ text }) => {
        const bytes = Buffer.from(text);
        for (let length = 0; length < bytes.length; length++) {
          parser.parse(bytes.subarray(0, length));
          inside(length);
        }
      }),
      { numRuns: 30 },
    );
  });
});

const SPANS = [
  'msg',
  'method',
  'uri',
  'body',
  'callId',
  'fromTag',
  'toTag',
  'via',
  'viaHost',
  'viaBranch',
  'viaParams',
  'viaRport',
  'viaReceived',
];

/** All that parsing `bytes` finds. */
function everything(build: Parser, bytes: Uint8Array): string {
  const found: number[] = [build.parse(bytes), build.call('parseStatus')];
  for (const name of SPANS) found.push(build.get(`${name}Ptr`), build.get(`${name}Len`));
  for (const name of ['viaCutPtr', 'viaCutEnd', 'viaPort', 'cseqNumber', 'maxForwards', 'contentLength']) {
    found.push(build.get(name));
  }
  for (let i = 0; i < build.get('hdrCount'); i++) {
    for (const name of ['hdrId', 'hdrLine', 'hdrLineEnd', 'hdrVal', 'hdrValLen'])
      found.push(build.call(name, i));
  }
  return found.join();
}

function inside(length: number): void {
  const start = END - length;
  const check = (what: string, at: number, size: number) => {
    if (size === 0) return;
    if (at < start || at + size > END) throw new Error(`${what}: ${at}+${size} is not in ${start}..${END}`);
  };
  for (const name of SPANS) check(name, parser.get(`${name}Ptr`), parser.get(`${name}Len`));
  check('via cut', parser.get('viaCutPtr') || start, parser.get('viaCutEnd') - parser.get('viaCutPtr'));
  for (let i = 0; i < parser.get('hdrCount'); i++) {
    check('header', parser.call('hdrLine', i), parser.call('hdrLineEnd', i) - parser.call('hdrLine', i));
    check('value', parser.call('hdrVal', i), parser.call('hdrValLen', i));
  }
}
