import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatAddress,
  formatHostPort,
  isLoopback,
  isUnspecified,
  parseAddress,
} from '../../host/address.ts';

describe('addresses', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::', '::'],
    ['::1', '::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:0:2:0:3:0:4:0', '1:0:2:0:3:0:4:0'],
    ['fe80:0:0:0:0:0:0:0', 'fe80::'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ])('reads %s', (text, canonical) => {
    expect(formatAddress(parseAddress(text)!)).toBe(canonical);
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4.5',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
  ])('refuses "%s"', (text) => {
    expect(parseAddress(text)).toBeNull();
  });

  it('agrees with the system on which texts are addresses', () => {
    const text = fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]{1,24}$/));
    fc.assert(fc.property(text, (address) => (parseAddress(address) !== null) === (isIP(address) !== 0)));
  });

  it('reads what it writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        expect(parseAddress(formatAddress(bytes))).toEqual(bytes);
      }),
    );
  });

  it('knows loopback and unspecified addresses', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1'].map((text) => isLoopback(parseAddress(text)!))).toEqual([
      true,
      true,
      true,
    ]);
    expect(['10.0.0.1', '::2', '0.0.0.0'].map((text) => isLoopback(parseAddress(text)!))).toEqual([
      false,
      false,
      false,
    ]);
    expect(['0.0.0.0', '::', '::1'].map((text) => isUnspecified(parseAddress(text)!))).toEqual([
      true,
      true,
      false,
    ]);
    expect(formatHostPort('::1', 5060)).toBe('[::1]:5060');
  });
});
