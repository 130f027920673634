import { describe, expect, it } from 'vitest';
import { Parser } from '../support/parser.ts';

const parser = new Parser();
const parse = (text: string) => parser.call('parseUri', parser.put(text), Buffer.byteLength(text)) === 1;

describe('parseUri', () => {
  it('takes a URI apart', () => {
    expect(parse('SIPS:al%20ice;x=1?y:pass@[2001:db8::1]:5071;transport=TCP;lr?Subject=a')).toBe(true);
    expect(parser.get('uScheme')).toBe(parser.get('URI_SIPS'));
    expect(parser.span('uUser')).toBe('al%20ice;x=1?y');
    expect(parser.span('uHost')).toBe('2001:db8::1');
    expect(parser.get('uPort')).toBe(5071);
    expect(parser.span('uParams')).toBe(';transport=TCP;lr');
    expect(parser.span('uHeaders')).toBe('Subject=a');
    const name = 'TRANSPORT';
    expect(parser.call('uriParam', parser.scratch(0, name), name.length)).toBe(1);
    expect(parser.span('pv')).toBe('TCP');
    expect(parser.call('uriParam', parser.scratch(0, 'l'), 1)).toBe(0);
  });

  it('leaves nothing of the one before', () => {
    parse('sip:a@b:1;c?d');
    expect(parse('sip:b')).toBe(true);
    for (const part of ['uUser', 'uParams', 'uHeaders']) expect(parser.span(part), part).toBe('');
    expect(parser.get('uPort')).toBe(0);
    expect(parser.span('uHost')).toBe('b');
  });

  it.each([
    'sip:b',
    'sip:a@b.c:65535',
    'tel:+1-201;phone-context=x',
    'urn:service:sos',
    'soap.beep://1:2',
    'sip:*21%23@h',
  ])('reads %s', (text) => {
    expect(parse(text)).toBe(true);
  });

  it.each([
    '',
    'sip',
    'sip:',
    ':a@b',
    '1sip:a@b',
    'sip:@b',
    'sip:a@',
    'sip:a@b:',
    'sip:a@b:65536',
    'sip:a@b:x',
    'sip:a b@c',
    'sip:a@b c',
    'sip:<a@b',
    'sip:a@b>',
    'sip:a@[::1',
    'sip:a@::1',
    'sip:2001:db8::1',
    'sip:a@[]',
    'sip:a@[::1]x',
    'sip:a%@b',
    'sip:a%4@b',
    'sip:a%zz@b',
    'sip:a@b/c',
    'tel:',
    'x:',
    'sip:a@b\0',
  ])('refuses "%s"', (text) => {
    expect(parse(text)).toBe(false);
  });
});

it('unescapes once, and leaves what is no escape', () => {
  const text = '%61%2541%00%zz%4';
  const length = parser.call('unescapeInto', parser.scratch(0), parser.put(text), text.length);
  expect(parser.text(parser.scratch(0), length)).toBe('a%41\0%zz%4');
});

describe('parseIp', () => {
  const read = (text: string) => {
    const out = parser.scratch(0);
    if (parser.call('parseIp', parser.put(text), text.length, out) === 0) return null;
    return Buffer.from(parser.bytes.subarray(out, out + 16)).toString('hex');
  };

  it.each([
    ['192.0.2.1', '00000000000000000000ffffc0000201'],
    ['255.255.255.255', '00000000000000000000ffffffffffff'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['[2001:DB8::9:1]', '20010db8000000000000000000090001'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1::', '00010000000000000000000000000000'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
    ['1:2:3:4:5:6:192.0.2.1', '000100020003000400050006c0000201'],
    ['2001:db8:::192.0.2.1', '20010db80000000000000000c0000201'],
  ])('%s', (text, bytes) => {
    expect(read(text)).toBe(bytes);
  });

  it.each([
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '1.2.3.1234',
    '1..2.3',
    'a.b.c.d',
    ':',
    ':::',
    '1:',
    ':1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::1.2.3',
    'g::',
    '1::2:3:4:5:6:7:8',
    '::1%lo',
  ])('refuses "%s"', (text) => {
    expect(read(text)).toBe(null);
  });
});
