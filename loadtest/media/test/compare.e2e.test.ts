/** The comparison of media relays, small: what it counts, and that it notices what must not be. */
import { expect, test } from 'vitest';
import { freePorts } from '../../../switch/test/e2e/harness/ports.ts';
import { measureMedia } from '../compare.ts';
import { Load } from '../load.ts';
import { RELAYS, type RelayKind } from '../relay.ts';

const SMALL = { calls: [2], seconds: 1, rounds: 1 };

test('every relay passes on what both parties of each call send', async () => {
  const rows = await measureMedia(SMALL);
  expect(rows.map(({ name }) => name)).toEqual(RELAYS.map(({ title }) => title));
  for (const row of rows) {
    // 4 legs, 50 packets a second each; half of them, where browsers only listen.
    expect(row).toMatchObject({ calls: 2, packets: /one way/.test(row.name) ? 100 : 200, lost: 0 });
    expect(row.cpuUsPerPacket).toBeGreaterThan(0);
    expect(row.addedUs.p99).toBeGreaterThanOrEqual(row.addedUs.p50);
  }
});

/** No process of its own: phones send straight to where `route` says. */
function wired(route: (caller: number, callee: number) => [number, number]): RelayKind {
  const relay = {
    pid: process.pid,
    call: async (caller: number, callee: number) => ({ targets: route(caller, callee) }),
    stop: async () => undefined,
  };
  return { id: 'wired', title: 'wired', start: async () => relay };
}

test('packets that come back to their sender are noticed', async () => {
  const relays = [wired((caller, callee) => [caller, callee])];
  await expect(measureMedia({ ...SMALL, relays })).rejects.toThrow('not for');
});

test('a relay that passes nothing on is noticed', async () => {
  const nobody = await freePorts();
  await expect(measureMedia({ ...SMALL, relays: [wired(() => [nobody, nobody])] })).rejects.toThrow(
    'no packet',
  );
});

test('packets that get lost are counted', async () => {
  const nobody = await freePorts();
  const [row] = await measureMedia({ ...SMALL, relays: [wired((_, callee) => [callee, nobody])] });
  expect(row).toMatchObject({ packets: 100, lost: 100 });
});

test('a generator that ends is noticed', async () => {
  const load = await Load.open([0, 0]);
  await expect(load.run([], { warmUpMs: 0, ms: 100 })).rejects.toThrow('the generator ended');
  await load.close();
});
