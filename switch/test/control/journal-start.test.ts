import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { recordsOf } from '../../../wasm-core/test/support/mirror-pair.ts';
import { Driver, type Effect } from '../../../wasm-core/test/support/driver.ts';
import { register } from '../../../wasm-core/test/support/phone.ts';
import { parseConfig } from '../../control/config/load.ts';
import { CoreLink } from '../../control/core-link.ts';
import { openJournal, restoreBindings } from '../../control/journal-start.ts';
import type { Journal } from '../../journal/journal.ts';
import { FakeRealtime } from '../support/fake-realtime.ts';
import { silentLogger } from '../support/log.ts';

const { log, lines } = silentLogger();
let folder: string;
let journal: Journal;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'strowger-journal-'));
  journal = await opened();
});
afterEach(async () => {
  await journal.close();
  rmSync(folder, { recursive: true });
});

async function configured(store: string) {
  return parseConfig('test.yaml', `domains: [strowger.test]\n${store}`, join(folder, 'test.yaml'));
}

async function opened(): Promise<Journal> {
  return openJournal(await configured('store: {file: data/bindings.db}'), log)!;
}

/** As the control thread does. */
function journaled(effects: readonly Effect[]): void {
  for (const { kind, bytes } of effects) if (kind === abi.EF_JOURNAL) journal.append(bytes);
}

/** A core that begins with what is in the journal. */
async function restarted(nowUs: number): Promise<Driver> {
  const driver = await Driver.start({ role: abi.ROLE_STANDBY, journal: 1 });
  driver.nowUs = nowUs;
  const realtime = new FakeRealtime();
  realtime.answer = (frame) => {
    driver.core.writeSlot(0, frame.bytes);
    driver.core.step(driver.nowUs, 0, 1);
  };
  await restoreBindings(journal, new CoreLink(realtime), log);
  driver.event(abi.EV_ROLE, { args: [abi.ROLE_ACTIVE, 1] });
  return driver;
}

test('without a file nothing is kept', async () => {
  expect(openJournal(await configured(''), log)).toBeNull();
});

test('bindings are those of before a restart, but for what was removed', async () => {
  const first = await Driver.start({ journal: 1 });
  for (let i = 0; i < 10; i++) journaled(register(first, String(1001 + i), 6001 + i, ';expires=600'));
  journaled(first.wait(100));
  journaled(register(first, '1003', 6003, ';expires=0'));
  journaled(register(first, '1004', 6004, ';expires=900'));
  journaled(first.wait(100));
  expect(first.counter(abi.C_BINDINGS)).toBe(9);
  await journal.close();

  journal = await opened();
  const second = await restarted(first.nowUs);
  expect(second.counter(abi.C_BINDINGS)).toBe(9);
  expect(recordsOf(second)).toEqual(recordsOf(first));
  expect(lines.at(-1)).toMatch(/"records":10,.*bindings restored/);
});

test('what has expired meanwhile is gone, in the journal too', async () => {
  const first = await Driver.start({ journal: 1 });
  journaled(register(first, '1001', 6001, ';expires=60'));
  journaled(register(first, '1002', 6002, ';expires=600'));
  journaled(first.wait(100));
  await journal.close();

  journal = await opened();
  const second = await restarted(first.nowUs + 120e6);
  journaled(second.wait(1_000));
  expect(second.counter(abi.C_BINDINGS)).toBe(1);
  await journal.close();

  journal = await opened();
  const third = await restarted(second.nowUs);
  expect(third.counter(abi.C_BINDINGS)).toBe(1);
});
