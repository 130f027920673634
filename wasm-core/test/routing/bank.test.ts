import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as layout from '../../assembly/routing/layout.ts';
import { Driver, lines, sent, testBank } from '../support/driver.ts';
import { request } from '../support/phone.ts';

/** Status of the answer to a MESSAGE: 480 where the sender is believed and 1002 is a user, and not registered. */
function statusOf(driver: Driver, uri = 'sip:1002@strowger.test', address = '127.0.0.1'): number {
  const [answer] = sent(driver.message(request({ method: 'MESSAGE', uri }), { address }));
  return Number(answer?.text.slice(8, 11));
}

describe('domains', () => {
  it.each([
    ['strowger.test', 480],
    ['STROWGER.Test', 480],
    ['strowger.test:5061', 480],
    ['192.0.2.1', 480],
    ['[2001:db8::1]', 480],
    ['[2001:DB8:0:0:0:0:0:1]', 480],
    ['[::ffff:192.0.2.1]', 480],
    ['xstrowger.test', 404],
    ['strowger.tes', 404],
    ['strowger.test.example', 404],
    ['192.0.2.10', 404],
    ['[2001:db8::2]', 404],
  ])('%s: %d', async (host, expected) => {
    const domains = ['Strowger.test', '192.0.2.1', '2001:db8::1'];
    const driver = await Driver.start({}, testBank({ domains }));
    expect(statusOf(driver, `sip:1002@${host}`)).toBe(expected);
  });
});

describe('users', () => {
  const names = ['1002', 'Anna', 'anna', 'with space', 'ü', 'null\0', 'null', 'x'.repeat(128)];

  it.each([
    ['anna', 480],
    ['Anna', 480],
    ['%61nna', 480],
    ['ANNA', 404],
    ['with%20space', 480],
    ['%C3%BC', 480],
    ['null%00', 480],
    ['null%00%00', 404],
    ['x'.repeat(128), 480],
    ['x'.repeat(129), 404],
  ])('are found with case and without escapes: %s', async (user, expected) => {
    const users = names.map((name) => ({
      user: name,
      ha1Md5: new Uint8Array(16),
      ha1Sha256: new Uint8Array(32),
    }));
    const driver = await Driver.start({}, testBank({ users, routes: [] }));
    expect(statusOf(driver, `sip:${user}@strowger.test`)).toBe(expected);
  });

  it('are all found among many', async () => {
    const users = Array.from({ length: 5000 }, (_, i) => ({
      user: String(1_000_000 + i),
      ha1Md5: new Uint8Array(16),
      ha1Sha256: new Uint8Array(32),
    }));
    const driver = await Driver.start({}, testBank({ users, routes: [] }));
    for (let i = 0; i < users.length; i += 7)
      expect(statusOf(driver, `sip:${1_000_000 + i}@strowger.test`)).toBe(480);
    expect(statusOf(driver, 'sip:1005000@strowger.test')).toBe(404);
  });
});

describe('trusted networks', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', '11.0.0.0'],
    ['192.0.2.128/25', '192.0.2.128', '192.0.2.127'],
    ['192.0.2.4/30', '192.0.2.7', '192.0.2.8'],
    ['192.0.2.4/32', '192.0.2.4', '192.0.2.5'],
    ['192.0.2.4', '192.0.2.4', '192.0.2.5'],
    ['0.0.0.0/0', '203.0.113.9', '2001:db8::1'],
    ['2001:db8::/32', '2001:db8:ffff::1', '2001:db9::1'],
    ['2001:db8::/127', '2001:db8::1', '2001:db8::2'],
    ['2001:db8::1', '2001:db8::1', '2001:db8::'],
  ])('%s has %s, not %s', async (network, inside, outside) => {
    const driver = await Driver.start({}, testBank({ trusted: [network] }));
    expect(statusOf(driver, undefined, inside)).toBe(480);
    expect(statusOf(driver, undefined, outside)).toBe(407);
  });
});

describe('a bank', () => {
  const sound = testBank({ users: testUsers(3) });

  function testUsers(n: number) {
    return Array.from({ length: n }, (_, i) => ({
      user: String(1001 + i),
      ha1Md5: new Uint8Array(16),
      ha1Sha256: new Uint8Array(32),
    }));
  }

  function changed(offset: number, value: number): Uint8Array {
    const bank = sound.slice();
    new DataView(bank.buffer).setUint32(offset, value, true);
    return bank;
  }

  const u32 = (offset: number) => new DataView(sound.buffer).getUint32(offset, true);
  const cases: [string, Uint8Array][] = [
    ['is empty', new Uint8Array(0)],
    ['is cut short', sound.slice(0, -8)],
    ['has only a header', sound.slice(0, layout.BANK_HEADER_BYTES)],
    ['is something else', changed(layout.BANK_MAGIC_AT, 1)],
    ['is of another version', changed(layout.BANK_VERSION_AT, layout.BANK_VERSION + 1)],
    ['says another size', changed(layout.BANK_BYTES_AT, sound.length + 1)],
    ['offers no digest', changed(layout.BANK_DIGEST, 0)],
    ['offers an unknown digest', changed(layout.BANK_DIGEST, 3)],
    ['has a realm outside', changed(layout.BANK_REALM, sound.length)],
    ['has a section in its header', changed(layout.BANK_USERS, 8)],
    ['has more users than bytes', changed(layout.BANK_USERS + 4, 0x04000000)],
    ['has buckets that are no power of two', changed(layout.BANK_USER_HEADS + 4, 3)],
    ['has a chain that leads outside', changed(u32(layout.BANK_USER_HEADS), 4)],
    ['has a chain that goes in circles', changed(u32(layout.BANK_USERS) + layout.USER_NEXT, 1)],
    ['has a user without end', changed(u32(layout.BANK_USERS) + layout.USER_NAME + 4, 0xffffffff)],
    ['has a network of 129 bits', changed(u32(layout.BANK_TRUSTED) + layout.NETWORK_BITS, 129)],
    ['has a trunk with gateways outside', changed(u32(layout.BANK_TRUNKS) + layout.TRUNK_COUNT, 3)],
    ['has a gateway of no transport', changed(u32(layout.BANK_GATEWAYS) + layout.GATEWAY_TRANSPORT, 5)],
    ['has a gateway without a port', changed(u32(layout.BANK_GATEWAYS) + layout.GATEWAY_PORT, 0)],
    ['has a route to no trunk', changed(u32(layout.BANK_NODES) + layout.NODE_TRUNK, 2)],
    ['has a branch to no node', changed(u32(layout.BANK_EDGES), 0x00ffff39)],
    ['prepends too much', changed(u32(layout.BANK_NODES) + layout.NODE_PREPEND + 4, 33)],
  ];

  it('that is sound is taken', async () => {
    expect((await Driver.start()).loadBank(sound)).toBe(true);
  });

  it.each(cases)('that %s is refused, and the old one stays', async (_, bank) => {
    const driver = await Driver.start();
    expect(driver.loadBank(bank)).toBe(false);
    expect(statusOf(driver)).toBe(480);
    expect(driver.loadBank(sound)).toBe(true);
  });

  it('that is larger than a bank may be is refused', async () => {
    const driver = await Driver.start({ bankBytes: sound.length - 1 }, testBank({ users: testUsers(1) }));
    expect(driver.loadBank(sound)).toBe(false);
  });

  it('that is damaged is refused or harmless', async () => {
    const driver = await Driver.start();
    const damage = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    let refused = 0;
    fc.assert(
      fc.property(damage, (bytes) => {
        const bank = sound.slice();
        for (const [at, value] of bytes) bank[at] = value;
        if (!driver.loadBank(bank)) refused++;
        for (const number of ['1001', '9123', '5', 'x'.repeat(100)]) {
          const text = request({ method: 'MESSAGE', uri: `sip:${number}@strowger.test` });
          if (lines(driver.message(text, { address: '10.0.0.9', port: 5090 })).length !== 1) return false;
          driver.message(text, { address: '203.0.113.1' });
        }
        return true;
      }),
      { numRuns: 1000 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});
