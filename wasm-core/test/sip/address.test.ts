import { describe, expect, it } from 'vitest';
import { Parser } from '../support/parser.ts';

const parser = new Parser();

/** URIs and parameters of a list, or null when it is malformed. */
function list(text: string): [uri: string, params: string][] | null {
  const found: [string, string][] = [];
  let at = parser.put(text);
  const end = parser.end;
  for (;;) {
    if (parser.call('parseAddress', at, end) === 0) return null;
    found.push([parser.span('adUri'), parser.span('adParams')]);
    at = parser.get('adEnd') + 1;
    if (at > end) return found;
  }
}

describe('addresses', () => {
  it.each<[string, [string, string][]]>([
    ['sip:a@b', [['sip:a@b', '']]],
    ['sip:a@b;tag=1', [['sip:a@b', ';tag=1']]],
    ['<sip:a@b;lr>;x', [['sip:a@b;lr', ';x']]],
    ['A. B-c <sip:a@b?c=d>', [['sip:a@b?c=d', '']]],
    [
      '"a, <b>; \\" \\\\" <sip:a,b@c> , sip:d ;q="x,\\",y"',
      [
        ['sip:a,b@c', ''],
        ['sip:d', ';q="x,\\",y"'],
      ],
    ],
    [
      '<sip:a>,<sip:b;lr>\r\n ;p , <sip:c>',
      [
        ['sip:a', ''],
        ['sip:b;lr', ';p'],
        ['sip:c', ''],
      ],
    ],
    ['<tel:+1>;tag = 4', [['tel:+1', ';tag = 4']]],
    ['<sip:a>;+sip.instance="<urn:uuid:1>";reg-id=1', [['sip:a', ';+sip.instance="<urn:uuid:1>";reg-id=1']]],
  ])('%s', (text, expected) => {
    expect(list(text)).toEqual(expected);
  });

  it.each([
    '',
    ' ',
    ',',
    '*',
    'a',
    '<>',
    '<a>',
    '<sip:a',
    'sip:a>',
    '"a <sip:b>',
    '"a" sip:b',
    '"a"',
    'a, b <sip:c>',
    '<sip:a> x',
    '<sip:a b>',
    '<<sip:a>>',
    'sip:a?b=c',
    '<sip:a>;',
    '<sip:a>;;b',
    '<sip:a>;="b"',
    '<sip:a>;b="c',
    '<sip:a>;b=c d',
    '<sip:a>,',
    '"a\\" <sip:b>',
  ])('refuses "%s"', (text) => {
    expect(list(text)).toBe(null);
  });

  it('finds a parameter by its whole name, not inside of values', () => {
    expect(list('<sip:a;tag=no>;x="y;tag=no";xtag=no;tagx=no;TAG = yes ;tag=late')).not.toBe(null);
    expect(parser.call('addressParam', parser.scratch(0, 'tag'), 3)).toBe(1);
    expect(parser.span('pv')).toBe('yes');
    expect(list('<sip:a;tag=no>;x="y;tag=no"')).not.toBe(null);
    expect(parser.call('addressParam', parser.scratch(0, 'tag'), 3)).toBe(0);
  });
});
