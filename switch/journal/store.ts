/**
 * The file of the journal: an SQLite database with one row for each slot that was ever in use (docs/decisions/0051). Everything here
 * waits for the disk: for the journal's own thread only.
 */
import { closeSync, existsSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { packRecords, splitRecords } from './records.ts';

/** When a change is safe from a loss of power: with its transaction (`full`), at the next checkpoint (`normal`), some time (`off`). */
export type SyncPolicy = 'full' | 'normal' | 'off';

export interface StoreOptions {
  /** Absolute path. The folder is made if there is none. */
  file: string;
  sync: SyncPolicy;
  /** MRT_* of the records that are kept. */
  types: readonly number[];
}

/** A file that can't be used was moved out of the way. */
export interface SetAside {
  /** Where it is now. */
  file: string;
  reason: string;
}

/** A page of what is in the file. */
export interface Page {
  /** Payloads for EV_MIRROR, at most PAYLOAD_BYTES_MAX each. */
  payloads: Uint8Array<ArrayBuffer>[];
  records: number;
  /** Records that were left out because their checksum is wrong. */
  damaged: number;
  /** There is no more. */
  isLast: boolean;
}

/** Another process has begun to write to the file: it serves now, what this one knows is old. */
export class Superseded extends Error {}

/** Written by Strowger, in the header of the file. */
const APPLICATION_ID = 0x53747277;
const SCHEMA_VERSION = 1;
/** Records are small and change one by one: a small page is less to write for each (docs/decisions/0051). */
const PAGE_BYTES = 1024;
/** Another process has the file for a moment only. */
const BUSY_MS = 1_000;
const WAL_BYTES_KEPT = 16 << 20;
/** What fits a receive slot of the core. */
const PAYLOAD_BYTES_MAX = 63 << 10;
const PAGE_RECORDS = 2_048;

const SCHEMA = `
  CREATE TABLE record (
    type INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    gone INTEGER NOT NULL,
    run INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (type, slot)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE run (number INTEGER NOT NULL) STRICT;
  INSERT INTO run VALUES (0);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};`;

/** A node begins a run with its first change; what it says counts more than what a node before it said. */
const UPSERT = `
  INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET generation = excluded.generation, gone = excluded.gone, run = excluded.run,
    crc = excluded.crc, bytes = excluded.bytes
  WHERE excluded.run > run OR excluded.generation > generation
    OR (excluded.generation = generation AND excluded.gone >= gone)`;

const SELECT = `
  SELECT type, slot, crc, bytes FROM record WHERE (type, slot) > (?, ?) ORDER BY type, slot LIMIT ${PAGE_RECORDS}`;

interface Row {
  type: number;
  slot: number;
  crc: number;
  bytes: Uint8Array;
}

export class Store {
  readonly #database: DatabaseSync;
  readonly #types: readonly number[];
  readonly #upsert: StatementSync;
  readonly #select: StatementSync;
  /** Of this process; 0 before its first change. */
  #run = 0;
  /** Where the next page begins: behind this row. */
  #type = -1;
  #slot = -1;

  /**
   * Opens the file, or makes it. One that is damaged or of another version of its tables is moved out of the way (`aside`), and a new
   * one is begun. @throws Error when that is impossible, or the file is of another program.
   */
  static open(options: StoreOptions, aside: (what: SetAside) => void): Store {
    try {
      return new Store(options);
    } catch (error) {
      if (!isDamage(error)) throw error;
      aside({ file: setAside(options.file), reason: (error as Error).message });
      return new Store(options);
    }
  }

  private constructor({ file, sync, types }: StoreOptions) {
    mkdirSync(dirname(file), { recursive: true });
    closeSync(openSync(file, 'a', 0o600)); // where users are is nobody else's business
    const database = new DatabaseSync(file);
    try {
      prepare(database, sync);
      this.#upsert = database.prepare(UPSERT);
      this.#select = database.prepare(SELECT);
    } catch (error) {
      database.close();
      throw error;
    }
    this.#database = database;
    this.#types = types;
  }

  /**
   * Writes the records of a payload in one transaction. @returns how many there are.
   * @throws Superseded, or the error of SQLite; then none of them is written.
   */
  write(payload: Uint8Array): number {
    const records = splitRecords(payload, this.#types);
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const run = this.#takeRun();
      for (const { type, slot, generation, isGone, bytes } of records)
        this.#upsert.run(type, slot, generation, isGone ? 1 : 0, run, crc32(bytes), bytes);
      this.#database.exec('COMMIT');
      this.#run = run;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
    return records.length;
  }

  /** The next page of all records, also of those that are gone: their generations must not come again. */
  page(): Page {
    const rows = this.#select.all(this.#type, this.#slot) as unknown as Row[];
    const good = rows.filter(({ crc, bytes }) => crc === crc32(bytes));
    const last = rows.at(-1);
    if (last !== undefined) {
      this.#type = last.type;
      this.#slot = last.slot;
    }
    return {
      payloads: packRecords(
        good.map(({ bytes }) => bytes),
        PAYLOAD_BYTES_MAX,
      ),
      records: good.length,
      damaged: rows.length - good.length,
      isLast: rows.length < PAGE_RECORDS,
    };
  }

  close(): void {
    this.#database.close();
  }

  /** The run of this process: a new one at its first change, and unchanged since. */
  #takeRun(): number {
    if (this.#run === 0) {
      const row = this.#database.prepare('UPDATE run SET number = number + 1 RETURNING number').get();
      return row!.number as number;
    }
    const row = this.#database.prepare('SELECT number FROM run').get();
    if (row!.number !== this.#run) throw new Superseded('another node writes to the journal');
    return this.#run;
  }
}

/** What may not be used, though SQLite can read it. */
class Unusable extends Error {}

function prepare(database: DatabaseSync, sync: SyncPolicy): void {
  database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
  database.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec(`PRAGMA synchronous = ${sync}`);
  database.exec(`PRAGMA journal_size_limit = ${WAL_BYTES_KEPT}`);
  // Two processes may come at the same time.
  database.exec('BEGIN IMMEDIATE');
  try {
    if (isEmpty(database)) database.exec(SCHEMA);
    else check(database);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare('SELECT 1 FROM sqlite_schema').get() === undefined;
}

function check(database: DatabaseSync): void {
  const number = (name: string): unknown => database.prepare(`PRAGMA ${name}`).get()?.[name];
  if (number('application_id') !== APPLICATION_ID) throw new Error('the file is of another program');
  const version = number('user_version');
  if (version !== SCHEMA_VERSION)
    throw new Unusable(`version ${version} of the tables, this program knows ${SCHEMA_VERSION}`);
  const finding = number('quick_check');
  if (finding !== 'ok') throw new Unusable(`damaged: ${String(finding)}`);
}

/** SQLITE_CORRUPT and SQLITE_NOTADB, of which the low byte is the same in all variants. */
const SQLITE_DAMAGE = [11, 26];

/** Whether the file can't be used, now and later. */
export function isDamage(error: unknown): boolean {
  if (error instanceof Unusable) return true;
  const { errcode } = error as { errcode?: number };
  return errcode !== undefined && SQLITE_DAMAGE.includes(errcode & 0xff);
}

/** Renames a database and what belongs to it. Nothing is deleted. @returns its new name. */
export function setAside(file: string): string {
  const base = `${file}.damaged-${new Date().toISOString().replaceAll(':', '')}`;
  let to = base;
  for (let n = 2; existsSync(to); n++) to = `${base}-${n}`;
  for (const suffix of ['', '-wal', '-shm'])
    if (existsSync(file + suffix)) renameSync(file + suffix, to + suffix);
  return to;
}
