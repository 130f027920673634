/**
 * What the process knows of its calls, for the one that is started after its death: in SQLite, as each change is there when a
 * statement returns, whatever becomes of the process. Not made for the death of the machine, which ends the calls anyway: nothing
 * waits for a disk. Readable by this user only. It holds SDP and ports, no keys of media.
 */
import { closeSync, openSync, rmSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { CallState } from './call.ts';

/** States of calls by name. Bounded by the calls that there are. */
export class CallStore {
  readonly #database: DatabaseSync;
  readonly #failed: (error: Error) => void;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;

  /**
   * @param file  is made if there is none
   * @param isNew what is in it is of another run of the switch, and goes
   * @param failed told of each write that did not succeed: that call would not survive
   * @throws when it can't be opened
   */
  constructor(file: string, isNew: boolean, failed: (error: Error) => void) {
    this.#failed = failed;
    if (isNew) for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
    // SQLite gives its other files the mode of this one.
    closeSync(openSync(file, 'a', 0o600));
    this.#database = new DatabaseSync(file);
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF');
    this.#database.exec('CREATE TABLE IF NOT EXISTS calls (name TEXT PRIMARY KEY, state TEXT) WITHOUT ROWID');
    this.#put = this.#database.prepare('INSERT OR REPLACE INTO calls VALUES (?, ?)');
    this.#remove = this.#database.prepare('DELETE FROM calls WHERE name = ?');
  }

  put(name: string, state: CallState): void {
    try {
      this.#put.run(name, JSON.stringify(state));
    } catch (error) {
      this.#failed(error as Error);
    }
  }

  remove(name: string): void {
    try {
      this.#remove.run(name);
    } catch (error) {
      this.#failed(error as Error);
    }
  }

  /** All that there are. */
  *calls(): Generator<[name: string, state: CallState]> {
    for (const row of this.#database.prepare('SELECT name, state FROM calls').all())
      yield [String(row['name']), JSON.parse(String(row['state'])) as CallState];
  }

  close(): void {
    this.#database.close();
  }
}
