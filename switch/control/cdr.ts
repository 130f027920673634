/**
 * Call detail records: the newest ended calls, kept in memory as the core wrote them and decoded only when read,
 * so that a call costs one copy of its record here.
 */
import { type CallRecord, decodeCall } from '../../wasm-core/host/records.ts';

/** A record and its number. */
export interface Cdr {
  /** 1, 2, 3 … since the node started. */
  number: number;
  call: CallRecord;
}

/** A bounded list of records. */
export class CdrList {
  readonly #max: number;
  readonly #records: Uint8Array[];
  #count = 0;

  /** @param max records kept; the oldest make room. */
  constructor(max: number) {
    this.#max = max;
    this.#records = [];
  }

  /** Takes the record of an ended call; `record` may be a view. */
  add(record: Uint8Array): void {
    if (this.#max === 0) return;
    this.#records[this.#count % this.#max] = record.slice();
    this.#count++;
  }

  /** Records kept. */
  get size(): number {
    return this.#records.length;
  }

  /** Ended calls since the node started. */
  get total(): number {
    return this.#count;
  }

  /**
   * Newest first.
   * @param before only records with a lower number; undefined = from the newest.
   */
  *newest(before: number = this.#count + 1): Generator<Cdr> {
    const oldest = this.#count - this.#records.length + 1;
    for (let number = Math.min(before - 1, this.#count); number >= oldest; number--) {
      const record = this.#records[(number - 1) % this.#max];
      if (record !== undefined) yield { number, call: decodeCall(record) };
    }
  }
}
