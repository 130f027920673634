import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../control/config/load.ts';
import { countUsers, expandUsers, rangeOf } from '../../../control/config/users.ts';

async function users(list: string) {
  const { config } = await parseConfig('test.yaml', `domains: [example.net]\nrealm: r\nusers:\n${list}`);
  return { config, users: expandUsers(config) };
}

describe('users', () => {
  it('get the digests of RFC 7616 3.4.2', async () => {
    const { users: found } = await users('  - {user: Mufasa, password: Circle of Life}');
    const md5 = createHash('md5').update('Mufasa:r:Circle of Life').digest('hex');
    const sha256 = createHash('sha256').update('Mufasa:r:Circle of Life').digest('hex');
    expect(found).toEqual([{ user: 'Mufasa', md5, sha256 }]);
  });

  it('of a range are written out, leading zeros kept, the number put into the password', async () => {
    const { config, users: found } = await users('  - {range: 0098-0101, password: p-<user>}');
    expect(found.map(({ user }) => user)).toEqual(['0098', '0099', '0100', '0101']);
    expect(found[3]?.md5).toBe(createHash('md5').update('0101:r:p-0101').digest('hex'));
    expect(countUsers(config)).toBe(4);
  });

  it('listed alone override a range', async () => {
    const { users: found } = await users(
      '  - {user: "11", ha1: {md5: 0123456789abcdef0123456789abcdef}}\n  - {range: 10-12, password: x}',
    );
    expect(found).toHaveLength(3);
    expect(found.find(({ user }) => user === '11')).toEqual({
      user: '11',
      md5: '0123456789abcdef0123456789abcdef',
      sha256: '',
    });
  });

  it('ranges must be in order and of one length', () => {
    expect(rangeOf('10-19')).toEqual({ first: 10, count: 10, digits: 2 });
    expect(rangeOf('9-10')).toBeNull();
    expect(rangeOf('11-10')).toBeNull();
  });
});
