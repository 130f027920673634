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

/** Room for one record; longer ones (long URIs) are kept one by one. */
const SLOT_BYTES = 512;

/** A bounded list of records, in one buffer: objects that live long would be copied and marked by the collector. */
export class CdrList {
  readonly #max: number;
  readonly #bytes: Uint8Array;
  readonly #lengths: Uint16Array;
  readonly #long = new Map<number, Uint8Array>();
  #count = 0;

  /** @param max records kept; the oldest make room. */
  constructor(max: number) {
    this.#max = max;
    this.#bytes = new Uint8Array(max * SLOT_BYTES);
    this.#lengths = new Uint16Array(max);
  }

  /** Takes the record of an ended call; `record` may be a view. */
  add(record: Uint8Array): void {
    if (this.#max === 0) return;
    const slot = this.#count % this.#max;
    if (this.#lengths[slot] === 0) this.#long.delete(slot);
    if (record.length <= SLOT_BYTES) {
      this.#bytes.set(record, slot * SLOT_BYTES);
      this.#lengths[slot] = record.length;
    } else {
      this.#long.set(slot, record.slice());
      this.#lengths[slot] = 0;
    }
    this.#count++;
  }

  /** Records kept. */
  get size(): number {
    return Math.min(this.#count, this.#max);
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
    const oldest = this.#count - this.size + 1;
    for (let number = Math.min(before - 1, this.#count); number >= oldest; number--) {
      const record = this.#record((number - 1) % this.#max);
      if (record !== undefined) yield { number, call: decodeCall(record) };
    }
  }

  #record(slot: number): Uint8Array | undefined {
    const at = slot * SLOT_BYTES;
    return this.#lengths[slot] === 0
      ? this.#long.get(slot)
      : this.#bytes.subarray(at, at + this.#lengths[slot]!);
  }
}
