/**
 * Changes on their way to the file. Of each slot only the newest state waits, so there are never more of them than slots in the
 * core's tables, however slow the disk is.
 */
import { type JournalRecord, slotKey } from './records.ts';

export class JournalQueue {
  #waiting = new Map<number, JournalRecord>();
  #batch = new Map<number, JournalRecord>();
  /** Changes that were ever taken into a batch, and those of them that are in the file. */
  #taken = 0;
  #written = 0;

  /** Changes that are not in the file. */
  get size(): number {
    return this.#waiting.size + this.#batch.size;
  }

  /** Changes that are not yet in a batch. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** A batch is under way. */
  get isBusy(): boolean {
    return this.#batch.size > 0;
  }

  /** All that has been put so far is in the file when `written` has reached this. */
  get mark(): number {
    return this.#taken + this.#waiting.size;
  }

  get written(): number {
    return this.#written;
  }

  /** Takes a copy of the record, unless a newer one of its slot is here. It has the place of the one that waits. */
  put(record: JournalRecord): void {
    const key = slotKey(record);
    const known = this.#waiting.get(key) ?? this.#batch.get(key);
    if (known !== undefined && isNewer(known, record)) return;
    this.#waiting.set(key, { ...record, bytes: record.bytes.slice() });
  }

  /** Begins a batch of up to `max` records, those that have waited longest. The one before must have ended. */
  take(max: number): Uint8Array[] {
    for (const [key, record] of this.#waiting) {
      if (this.#batch.size === max) break;
      this.#batch.set(key, record);
      this.#waiting.delete(key);
    }
    this.#taken += this.#batch.size;
    return Array.from(this.#batch.values(), ({ bytes }) => bytes);
  }

  /** The batch is in the file. */
  done(): void {
    this.#written = this.#taken;
    this.#batch.clear();
  }

  /** It is not: its records wait again, before all others, but those that have changed since. */
  failed(): void {
    this.#taken = this.#written;
    const newer = this.#waiting;
    this.#waiting = this.#batch;
    this.#batch = new Map();
    for (const [key, record] of newer) this.#waiting.set(key, record);
  }
}

/** Whether `a` is of a later moment in the life of its slot than `b`. */
function isNewer(a: JournalRecord, b: JournalRecord): boolean {
  return a.generation > b.generation || (a.generation === b.generation && a.isGone && !b.isGone);
}
