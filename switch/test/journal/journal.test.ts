import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { Journal } from '../../journal/journal.ts';
import { joinRecords } from '../../journal/records.ts';
import { silentLogger } from '../support/log.ts';
import { until } from '../support/wait.ts';
import { readPayload, recordOf } from './payloads.ts';

const WRITER = resolve(import.meta.dirname, 'writer.ts');
const PATIENCE_MS = 10_000;

let folder: string;
let file: string;
let lines: string[];
const journals: Journal[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'strowger-journal-'));
  file = join(folder, 'bindings.db');
});
afterEach(async () => {
  for (const journal of journals.splice(0)) await journal.close();
  rmSync(folder, { recursive: true });
});

function open(): Journal {
  const logger = silentLogger();
  lines = logger.lines;
  const journal = Journal.open({ file, sync: 'full', types: [abi.MRT_BINDING] }, logger.log);
  journals.push(journal);
  return journal;
}

async function loaded(journal: Journal = open()): Promise<string[]> {
  const found: string[] = [];
  for await (const payload of journal.load()) found.push(...readPayload(payload));
  return found;
}

describe('a journal', () => {
  it('that is new is empty', async () => {
    expect(await loaded()).toEqual([]);
  });

  it('gives what was written before it was closed', async () => {
    const journal = open();
    journal.append(joinRecords([recordOf(2, 1, 'b'), recordOf(1, 1, 'a'), recordOf(3, 1, 'c')]));
    journal.append(joinRecords([recordOf(2, 1), recordOf(3, 1, 'c2')]));
    await journal.close();
    const next = open();
    expect(await loaded(next)).toEqual(['1.1 a', '2.1 gone', '3.1 c2']);
    expect(next.read()).toMatchObject({
      ok: true,
      recordsLoaded: 3,
      recordsDamaged: 0,
      waiting: 0,
      lagMs: 0,
    });
  });

  it('writes by itself, and says how much', async () => {
    const journal = open();
    const payload = joinRecords(Array.from({ length: 2_500 }, (_, slot) => recordOf(slot, 1, 'x')));
    journal.append(payload);
    expect(journal.read()).toMatchObject({ recordsWritten: 0, waiting: 2_500 });
    await until(() => journal.read().waiting === 0, PATIENCE_MS);
    expect(journal.read()).toMatchObject({
      recordsWritten: 2_500,
      bytesWritten: payload.length,
      failures: 0,
    });
  });

  it('takes more while it is loaded, and after', async () => {
    const journal = open();
    journal.append(
      joinRecords(Array.from({ length: 5_000 }, (_, slot) => recordOf(slot, 1, 'x'.repeat(200)))),
    );
    await journal.close();
    const next = open();
    let records = 0;
    for await (const payload of next.load()) records += readPayload(payload).length;
    next.append(recordOf(5_000, 1, 'new'));
    await next.close();
    expect(records).toBe(5_000);
    expect((await loaded()).slice(-1)).toEqual(['5000.1 new']);
  });
});

describe('a disk that does not take anything', () => {
  it('leaves the newest state of each slot waiting, which is written when it does', async () => {
    const journal = open();
    journal.append(recordOf(0, 1, 'first'));
    await journal.flush();
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    for (let generation = 1; generation <= 2_000; generation++)
      for (let slot = 0; slot < 10; slot++) journal.append(recordOf(slot, generation, `state ${generation}`));
    await until(() => journal.read().failures > 0, PATIENCE_MS);
    expect(journal.read()).toMatchObject({ ok: false, waiting: 10 });
    expect(journal.read().lagMs).toBeGreaterThan(0);
    await expect(journal.flush()).rejects.toThrow(/locked/);
    expect(lines.filter((line) => line.includes('can not be written'))).toHaveLength(1);
    other.exec('ROLLBACK');
    other.close();
    await until(() => journal.read().ok, PATIENCE_MS);
    await journal.close();
    expect(await loaded()).toEqual(Array.from({ length: 10 }, (_, slot) => `${slot}.2000 state 2000`));
  });

  it('does not keep a node from ending', async () => {
    const journal = open();
    await journal.close();
    writeFileSync(join(folder, 'file'), '');
    file = join(folder, 'file', 'no folder.db');
    const other = open();
    other.append(recordOf(1, 1, 'lost'));
    await expect(loaded(other)).rejects.toThrow(/ENOTDIR|EEXIST/);
    await other.close();
    expect(lines.some((line) => line.includes('the last changes are not in the journal'))).toBe(true);
  });
});

it('a damaged file is set aside with an error in the log, and a new one is begun', async () => {
  writeFileSync(file, 'not a database, '.repeat(100));
  const journal = open();
  expect(await loaded(journal)).toEqual([]);
  journal.append(recordOf(1, 1, 'new'));
  await journal.flush();
  expect(journal.read()).toMatchObject({ ok: true, filesDamaged: 1 });
  expect(lines.filter((line) => line.includes('"level":50'))).toEqual([
    expect.stringMatching(/not a database.*the journal is damaged/),
  ]);
  expect(readdirSync(folder).filter((name) => name.includes('.damaged-'))).toHaveLength(1);
});

it('ends when another node writes to its file', async () => {
  const first = open();
  const firstLines = lines;
  first.append(recordOf(1, 1, 'of the first'));
  await first.flush();
  const second = open();
  second.append(recordOf(2, 1, 'of the second'));
  await second.flush();
  first.append(recordOf(1, 2, 'too late'));
  await expect(first.flush()).rejects.toThrow(/another node/);
  expect(first.read().ok).toBe(false);
  expect(firstLines.some((line) => line.includes('the journal has ended'))).toBe(true);
  await second.close();
  expect(await loaded()).toEqual(['1.1 of the first', '2.1 of the second']);
});

it.each(['full', 'normal', 'off'])('kill -9 loses nothing that was flushed (sync %s)', async (sync) => {
  const args = ['--disable-warning=ExperimentalWarning', WRITER, file, sync];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let flushed = -1;
  createInterface(child.stdout).on('line', (line) => {
    flushed = Number(line);
    if (flushed > 300) child.kill('SIGKILL'); // in the middle of the next
  });
  const [, signal] = await once(child, 'close');
  expect(signal).toBe('SIGKILL');
  const found = await loaded();
  expect(found.slice(0, flushed + 1)).toEqual(
    Array.from({ length: flushed + 1 }, (_, slot) => `${slot}.1 phone ${slot}`),
  );
});
