import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { joinRecords } from '../../journal/records.ts';
import { type SetAside, Store, Superseded } from '../../journal/store.ts';
import { readPayload, recordOf } from './payloads.ts';

let folder: string;
let file: string;
const stores: Store[] = [];
const asides: SetAside[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'strowger-journal-'));
  file = join(folder, 'data', 'bindings.db');
});
afterEach(() => {
  for (const store of stores.splice(0)) store.close();
  asides.length = 0;
  rmSync(folder, { recursive: true });
});

function open(): Store {
  const options = { file, sync: 'off', types: [abi.MRT_BINDING] } as const;
  const store = Store.open(options, (what) => asides.push(what));
  stores.push(store);
  return store;
}

function close(store: Store): void {
  stores.splice(stores.indexOf(store), 1);
  store.close();
}

function all(store: Store): string[] {
  const found: string[] = [];
  for (let isLast = false; !isLast; ) {
    const page = store.page();
    isLast = page.isLast;
    found.push(...page.payloads.flatMap(readPayload));
  }
  return found;
}

function written(...records: Uint8Array[]): void {
  const store = open();
  store.write(joinRecords(records));
  close(store);
}

/** The file as another program sees it. */
function damage(sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}

describe('what is written', () => {
  it('is there when the file is opened again, in the order of its slots', () => {
    written(recordOf(300, 1, 'c'), recordOf(2, 7, 'a'), recordOf(9, 1, 'b'), recordOf(5, 4));
    expect(all(open())).toEqual(['2.7 a', '5.4 gone', '9.1 b', '300.1 c']);
    expect(asides).toEqual([]);
  });

  it('comes in pages and payloads of a limited size', () => {
    const records = Array.from({ length: 5_000 }, (_, slot) => recordOf(slot, 1, `${slot}`.padEnd(300, '.')));
    written(...records);
    const store = open();
    const pages = [store.page(), store.page(), store.page()];
    expect(pages.map((page) => [page.records, page.isLast])).toEqual([
      [2_048, false],
      [2_048, false],
      [904, true],
    ]);
    const payloads = pages.flatMap((page) => page.payloads);
    expect(Math.max(...payloads.map((payload) => payload.length))).toBeLessThan(65_536);
    expect(payloads.flatMap(readPayload)).toEqual(records.flatMap(readPayload));
  });

  it('is not undone by what comes late', () => {
    const store = open();
    store.write(joinRecords([recordOf(1, 5, 'new'), recordOf(2, 3), recordOf(3, 1, 'first')]));
    store.write(
      joinRecords([recordOf(1, 4, 'old'), recordOf(2, 3, 'before it was gone'), recordOf(3, 1, 'again')]),
    );
    expect(all(store)).toEqual(['1.5 new', '2.3 gone', '3.1 again']);
  });

  it('is replaced by what the next node says, whatever its generations', () => {
    written(recordOf(1, 50, 'of the first'), recordOf(2, 50, 'of the first'));
    written(recordOf(1, 1, 'of the second'));
    expect(all(open())).toEqual(['1.1 of the second', '2.50 of the first']);
  });

  it('is of the node that began to write last', () => {
    const first = open();
    first.write(recordOf(1, 1, 'a'));
    open().write(recordOf(1, 2, 'b'));
    expect(() => first.write(recordOf(1, 3, 'c'))).toThrow(Superseded);
    expect(all(open())).toEqual(['1.2 b']);
  });

  it('is for its owner only', () => {
    written(recordOf(1, 1, 'a'));
    expect(statSync(file).mode & 0o077).toBe(0);
  });
});

describe('a file that can not be used', () => {
  /** The new one is empty and works; the old one is as it was. */
  function expectAside(reason: RegExp): void {
    const store = open();
    expect(asides).toEqual([
      { file: expect.stringContaining(`${file}.damaged-`), reason: expect.stringMatching(reason) },
    ]);
    expect(all(store)).toEqual([]);
    store.write(recordOf(1, 1, 'new'));
    expect(all(open())).toEqual(['1.1 new']);
  }

  it('because it is no database is set aside', () => {
    written();
    const content = 'not a database, '.repeat(100);
    writeFileSync(file, content);
    expectAside(/not a database/);
    expect(readFileSync(asides[0]!.file, 'utf8')).toBe(content);
  });

  it('because its pages are damaged is set aside', () => {
    written(...Array.from({ length: 500 }, (_, slot) => recordOf(slot, 1, 'x'.repeat(100))));
    const content = readFileSync(file);
    content.fill(0xff, content.length / 2, content.length / 2 + 4096);
    writeFileSync(file, content);
    expectAside(/damaged|malformed/);
  });

  it('because its tables are of another version is set aside', () => {
    written();
    damage('PRAGMA user_version = 9');
    expectAside(/version 9/);
  });

  it('because it is of another program is left alone', () => {
    written();
    damage('PRAGMA application_id = 1');
    const content = readFileSync(file);
    expect(() => open()).toThrow(/another program/);
    expect(readFileSync(file).equals(content)).toBe(true);
    expect(readdirSync(join(folder, 'data')).filter((name) => name.includes('damaged'))).toEqual([]);
  });

  it('never takes the name of another', () => {
    for (let n = 0; n < 5; n++) {
      written();
      writeFileSync(file, 'not a database, '.repeat(100));
      close(open());
    }
    expect(new Set(asides.map((aside) => aside.file)).size).toBe(5);
    for (const aside of asides) expect(readFileSync(aside.file, 'utf8')).toMatch(/^not a database/);
  });
});

it('a record that does not agree with its checksum is left out and counted', () => {
  written(recordOf(1, 1, 'a'), recordOf(2, 1, 'b'), recordOf(3, 1, 'c'));
  damage('UPDATE record SET crc = crc + 1 WHERE slot = 2');
  const page = open().page();
  expect(page.payloads.flatMap(readPayload)).toEqual(['1.1 a', '3.1 c']);
  expect(page.damaged).toBe(1);
});
