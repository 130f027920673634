import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { TRANSPORT_UDP } from '../../assembly/abi.ts';
import * as layout from '../../assembly/routing/layout.ts';
import { type BankConfig, buildBank } from '../../host/bank.ts';

const user = (name: string) => ({ user: name, ha1Md5: new Uint8Array(16), ha1Sha256: new Uint8Array(32) });
const gateway = { transport: TRANSPORT_UDP, address: '192.0.2.1', port: 5060, priority: 0 };
const trunk = { name: 'a', gateways: [gateway] };
const route = { prefix: '9', trunk: 'a', strip: 1, prepend: '' };

function config(changes: Partial<BankConfig> = {}): BankConfig {
  return {
    realm: 'strowger.test',
    digest: ['sha-256', 'md5'],
    domains: ['strowger.test'],
    users: [user('1001')],
    trusted: ['127.0.0.0/8', '::1/128'],
    trunks: [trunk],
    routes: [route],
    ...changes,
  };
}

describe('buildBank', () => {
  it('gives the same bytes for the same settings, and says their number', () => {
    const bank = buildBank(config());
    expect(buildBank(config())).toEqual(bank);
    expect(new DataView(bank.buffer).getUint32(layout.BANK_BYTES_AT, true)).toBe(bank.length);
  });

  it.each<[string, Partial<BankConfig>]>([
    ['the realm', { realm: '' }],
    ['quotes', { realm: 'a"b' }],
    ['printable', { realm: 'a\r\nb' }],
    ['the realm', { realm: 'x'.repeat(129) }],
    ['digest', { digest: [] }],
    ['digest', { digest: ['md5', 'md5'] }],
    ['domain', { domains: [''] }],
    ['there twice', { users: [user('1'), user('1')] }],
    ["user ''", { users: [user('')] }],
    ['128 bytes', { users: [user('ü'.repeat(65))] }],
    ['hashes', { users: [{ ...user('1'), ha1Md5: new Uint8Array(15) }] }],
    ['hashes', { users: [{ ...user('1'), ha1Sha256: new Uint8Array(31) }] }],
    ['not an IP address', { trusted: ['example.com/8'] }],
    ['not a network', { trusted: ['10.0.0.0/33'] }],
    ['not a network', { trusted: ['10.0.0.0/'] }],
    ['not a network', { trusted: ['10.0.0.0/-1'] }],
    ['not a network', { trusted: ['::/129'] }],
    ["trunk 'a' is there twice", { trunks: [trunk, trunk] }],
    ['transport', { trunks: [{ name: 'a', gateways: [{ ...gateway, transport: 5 }] }] }],
    ['port', { trunks: [{ name: 'a', gateways: [{ ...gateway, port: 0 }] }] }],
    ['port', { trunks: [{ name: 'a', gateways: [{ ...gateway, port: 65536 }] }] }],
    ['priority', { trunks: [{ name: 'a', gateways: [{ ...gateway, priority: 1001 }] }] }],
    ['not an IP address', { trunks: [{ name: 'a', gateways: [{ ...gateway, address: 'a.example' }] }] }],
    ["trunk 'b' that is not there", { routes: [{ ...route, trunk: 'b' }] }],
    ["two routes have the prefix '9'", { routes: [route, { ...route, strip: 0 }] }],
    [
      "two routes have the prefix '4-9'",
      {
        routes: [
          { ...route, prefix: '49' },
          { ...route, prefix: '4-9' },
        ],
      },
    ],
    ['strip', { routes: [{ ...route, strip: -1 }] }],
    ['prepends', { routes: [{ ...route, prepend: '0'.repeat(33) }] }],
  ])('says what is wrong: %s', (message, changes) => {
    expect(() => buildBank(config(changes))).toThrow(RangeError);
    expect(() => buildBank(config(changes))).toThrow(message);
  });

  it('takes 100,000 users', () => {
    const users = Array.from({ length: 100_000 }, (_, i) => {
      const a1 = `${1_000_000 + i}:strowger.test:bench-${1_000_000 + i}`;
      return {
        user: String(1_000_000 + i),
        ha1Md5: hash('md5', a1, 'buffer'),
        ha1Sha256: hash('sha256', a1, 'buffer'),
      };
    });
    const bank = buildBank(config({ users }));
    expect(bank.length / users.length).toBeLessThan(80);
  });
});
