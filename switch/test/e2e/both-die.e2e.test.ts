/** Both nodes are gone at once: the journal brings back who is registered. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { connectPhones } from './harness/calls.ts';
import { nodeOf, synced, takenOver } from './harness/pair.ts';
import { phone, useSwitch } from './harness/rig.ts';
import { sleep } from './harness/wait.ts';

/** The last changes are in the file within this time. */
const WRITTEN_MS = 500;

const folder = mkdtempSync(join(tmpdir(), 'strowger-store-'));
afterAll(() => rmSync(folder, { recursive: true }));

for (const standby of [true, false]) {
  describe(standby ? 'both nodes are killed' : 'the only node is killed', () => {
    const strowger = useSwitch({
      change: (config: { availability?: object; store?: object }) => {
        config.availability = { ...config.availability, standby };
        config.store = { file: join(folder, `${standby}.db`) };
      },
    });

    test('phones need not register again', async () => {
      const at = strowger();
      const caller = await phone(at, { user: '1001', toneHz: 440 });
      const callee = await phone(at, { user: '1002', toneHz: 1_000 });
      await sleep(WRITTEN_MS);
      for (let round = 0; round < (standby ? 2 : 1); round++) {
        const active = standby ? await synced(at) : await nodeOf(at, 'active');
        const nodes = standby ? [await nodeOf(at, 'standby'), active] : [active];
        for (const { pid } of nodes) process.kill(pid, 'SIGKILL');
        await takenOver(at, active.pid);
        await connectPhones(caller, callee);
        await Promise.all([caller.hears(1_000), callee.hears(440)]);
        await caller.hangup();
        await callee.event('CALL_CLOSED');
        await at.empties(2);
      }
      expect(await at.api('/registrations')).toMatchObject({ registrations: [{}, {}] });
    });
  });
}
