import { describe, expect, it } from 'vitest';
import { TRANSPORT_TCP, TRANSPORT_UDP } from '../../../wasm-core/assembly/abi.ts';
import { makeBank } from '../../control/bank-maker.ts';
import { parseConfig } from '../../control/config/load.ts';
import { bankConfig, userBank } from '../../control/user-bank.ts';

const YAML = `
domains: [example.net, '[::1]']
users:
  - {range: 10-19, password: p-<user>}
  - {user: md5, ha1: {md5: 0123456789abcdef0123456789abcdef}}
trunks:
  - name: carrier
    gateways: [{address: '192.0.2.1:5060', priority: 2}, {address: '[2001:db8::1]:5061', transport: tcp}]
routes: [{prefix: 00, trunk: carrier, strip: 2, prepend: '+'}, {prefix: 9, trunk: carrier}]
trusted: [10.0.0.0/8]
`;

describe('the bank of a configuration', () => {
  it('has its domains, users, trunks and routes', async () => {
    const bank = bankConfig((await parseConfig('x', YAML)).config);
    expect(bank).toMatchObject({
      realm: 'example.net',
      domains: ['example.net', '::1'],
      trusted: ['10.0.0.0/8'],
    });
    expect(bank.users).toHaveLength(11);
    expect(bank.trunks[0]?.gateways).toEqual([
      { transport: TRANSPORT_UDP, address: '192.0.2.1', port: 5060, priority: 2 },
      { transport: TRANSPORT_TCP, address: '2001:db8::1', port: 5061, priority: 0 },
    ]);
    expect(bank.routes).toEqual([
      { prefix: '00', trunk: 'carrier', strip: 2, prepend: '+' },
      { prefix: '9', trunk: 'carrier', strip: 0, prepend: '' },
    ]);
  });

  it('has a digest that nobody knows for an algorithm without one', async () => {
    const { config } = await parseConfig('x', YAML);
    const [first, second] = [bankConfig(config), bankConfig(config)].map(
      ({ users }) => users.find(({ user }) => user === 'md5')!,
    );
    expect(Buffer.from(first!.ha1Md5).toString('hex')).toBe('0123456789abcdef0123456789abcdef');
    expect(first!.ha1Sha256).toHaveLength(32);
    expect(first!.ha1Sha256).not.toEqual(second!.ha1Sha256);
  });

  it('is the same when another thread makes it', async () => {
    const { config } = await parseConfig('x', YAML.replace(/ {2}- \{user: md5.*\n/, ''));
    expect(new Uint8Array(await makeBank(config))).toEqual(new Uint8Array(userBank(config)));
  });
});
