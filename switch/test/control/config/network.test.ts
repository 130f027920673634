import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../../wasm-core/host/address.ts';
import { contains, networkOf } from '../../../control/config/network.ts';

function inside(network: string, address: string): boolean {
  return contains(networkOf(network)!, parseAddress(address)!);
}

describe('networks', () => {
  it('contain their addresses and no others', () => {
    expect(inside('10.1.0.0/16', '10.1.255.255')).toBe(true);
    expect(inside('10.1.0.0/16', '10.2.0.0')).toBe(false);
    expect(inside('10.1.0.0/15', '10.0.0.1')).toBe(true);
    expect(inside('192.0.2.128/25', '192.0.2.127')).toBe(false);
    expect(inside('192.0.2.1/32', '192.0.2.1')).toBe(true);
    expect(inside('192.0.2.1/32', '192.0.2.2')).toBe(false);
    expect(inside('0.0.0.0/0', '203.0.113.9')).toBe(true);
    expect(inside('0.0.0.0/0', '2001:db8::1')).toBe(false);
    expect(inside('2001:db8::/33', '2001:db8:7fff::1')).toBe(true);
    expect(inside('2001:db8::/33', '2001:db8:8000::1')).toBe(false);
  });

  it.each(['10.0.0.0', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0/8', '::/129', 'x/8', '10.0.0.0/8.5'])(
    'refuses %s',
    (text) => {
      expect(networkOf(text)).toBeNull();
    },
  );
});
