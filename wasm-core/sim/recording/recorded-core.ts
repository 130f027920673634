/**
 * A core that does again what is recorded, step by step, and compares. The recorder of a node uses one to know the state with which
 * a recording can begin; a replay is nothing else.
 */
import { C_COUNT, FRAME_HEADER_BYTES, F_LENGTH, RX_SLOT_BYTES } from '../../assembly/abi.ts';
import type { CoreExports } from '../../host/core.ts';
import { compareEffects, type Difference } from './difference.ts';
import { type ReplayModule, readState, writeState } from './globals.ts';
import {
  encodeRecord,
  END_NAMES,
  type EndName,
  REC_BANK,
  REC_END,
  REC_EVENT,
  REC_INIT,
  REC_PAGE,
  REC_RESULT,
  REC_STATE,
  REC_STEP,
  RecordingError,
  type RecordReader,
} from './records.ts';

const PAGE_BYTES = 65_536;

/** One step, done again. The byte arrays are views, valid until the next record. */
export interface ReplayedStep {
  /** Counted from 0 in this recording. */
  index: number;
  /** Time of the node, µs since the Unix epoch. */
  nowUs: number;
  /** The events that it was given, as frames without padding; it may have left the last of them to the next step. */
  events: readonly Uint8Array[];
  /** Events that the core took. */
  taken: number;
  /** What the core said now. */
  effects: Uint8Array;
  /** What it said then; null when it was the last step and didn't come back. */
  recorded: { taken: number; effects: Uint8Array } | null;
  /** Null when all is as it was. */
  difference: Difference | null;
  /** What the core threw. Then there are no steps any more. */
  trap: Error | null;
  /** The event that it threw at; null when it was a timer, or nothing was thrown. */
  trapEvent: Uint8Array | null;
}

export class RecordedCore {
  readonly #module: ReplayModule;
  #exports: CoreExports | null = null;
  #memory = new Uint8Array(0);
  /** Frames in the receive slots. */
  readonly #slots: Uint8Array[] = [];
  /** A step that was begun. */
  #step: { nowUs: number; first: number; count: number } | null = null;
  #index = 0;
  #trapped = false;
  /** Why the recording ended, as its last record says; null before. */
  ended: EndName | null = null;

  constructor(module: ReplayModule) {
    this.#module = module;
  }

  /** Carries out one record. Returns the step that it completes, if any. @throws RecordingError for records in an impossible order. */
  take(record: RecordReader): ReplayedStep | null {
    switch (record.kind) {
      case REC_INIT:
        this.#init(record.x, record.data);
        return null;
      case REC_STATE:
        this.#restore(record.a, record.data);
        return null;
      case REC_PAGE:
        this.#page(record.a, record.data);
        return null;
      case REC_BANK:
        this.#stage(record.data);
        return null;
      case REC_EVENT:
        this.#event(record.a, record.data);
        return null;
      case REC_STEP:
        this.#step = { nowUs: record.x, first: record.a, count: record.b };
        return null;
      case REC_RESULT:
        return this.#result(record);
      case REC_END:
        this.ended = END_NAMES[record.a] ?? 'open';
        return null;
      default:
        throw new RecordingError('format', `a record of the unknown kind ${record.kind}`);
    }
  }

  /**
   * Does the step that was begun and has no result, if there is one. One that the core got stuck in is not done, but told: it would
   * not come back.
   */
  last(): ReplayedStep | null {
    if (this.#step === null) return null;
    return this.ended === 'stuck' ? this.#stuck(this.#step) : this.#run(null);
  }

  /** Counters of the core (C_*); null before it lives. */
  get counters(): Float64Array | null {
    const exports = this.#exports;
    return exports && new Float64Array(exports.memory.buffer, exports.countersPtr(), C_COUNT);
  }

  /** Whether there is a core, so that `state` can be taken. */
  get alive(): boolean {
    return this.#exports !== null && !this.#trapped;
  }

  /**
   * Its state between two steps, as records with which a recording can begin: one REC_STATE, and for each page a REC_PAGE, or nothing
   * (no bytes) when it is all zeros. Whoever takes them one by one must not let it step meanwhile.
   */
  *state(): Generator<Uint8Array<ArrayBuffer>> {
    const exports = this.#live();
    const pages = this.#memory.length / PAGE_BYTES;
    yield encodeRecord({ kind: REC_STATE, a: pages, data: readState(this.#module, exports) });
    for (let page = 0; page < pages; page++) {
      const data = this.#memory.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
      yield isZero(data) ? new Uint8Array(0) : encodeRecord({ kind: REC_PAGE, a: page, data });
    }
  }

  #live(): CoreExports {
    if (this.#exports === null) throw new RecordingError('format', 'the recording has no beginning');
    return this.#exports;
  }

  #instance(): CoreExports {
    return new WebAssembly.Instance(this.#module.module).exports as CoreExports;
  }

  #init(nowUs: number, block: Uint8Array): void {
    const exports = this.#instance();
    new Uint8Array(exports.memory.buffer).set(block, exports.initPtr());
    exports.init(nowUs);
    this.#begin(exports);
  }

  /** Its memory doesn't grow any more. */
  #begin(exports: CoreExports): void {
    this.#exports = exports;
    this.#memory = new Uint8Array(exports.memory.buffer);
  }

  #restore(pages: number, globals: Uint8Array): void {
    const exports = this.#instance();
    const { memory } = exports;
    new Uint8Array(memory.buffer).fill(0); // what the module brings along has changed since
    memory.grow(pages - memory.buffer.byteLength / PAGE_BYTES);
    writeState(this.#module, exports, globals);
    this.#begin(exports);
  }

  #page(page: number, data: Uint8Array): void {
    if ((page + 1) * PAGE_BYTES > this.#memory.length || data.length !== PAGE_BYTES)
      throw new RecordingError('format', 'a page outside of the memory');
    this.#memory.set(data, page * PAGE_BYTES);
  }

  #stage(bank: Uint8Array): void {
    const at = this.#live().bankStage(bank.length);
    if (at === 0) throw new RecordingError('format', 'a bank larger than the core has room for');
    this.#memory.set(bank, at);
  }

  #event(slot: number, data: Uint8Array): void {
    this.#memory.set(data, this.#live().slotsPtr() + slot * RX_SLOT_BYTES);
    const length = new DataView(data.buffer, data.byteOffset).getUint32(F_LENGTH, true);
    this.#slots[slot] = data.subarray(0, FRAME_HEADER_BYTES + length);
  }

  #result(record: RecordReader): ReplayedStep {
    const step = this.#run({ taken: record.a, effects: record.data });
    if (!this.#trapped) this.#live().account(record.x, record.y);
    return step;
  }

  #run(recorded: ReplayedStep['recorded']): ReplayedStep {
    const exports = this.#live();
    if (this.#step === null) throw new RecordingError('format', 'a result without a step');
    const { nowUs, first, count } = this.#step;
    this.#step = null;
    const events = this.#slots.slice(first, first + count);
    let taken = 0;
    let trap: Error | null = null;
    try {
      taken = exports.step(nowUs, first, count);
    } catch (error) {
      trap = error as Error;
      this.#trapped = true;
    }
    const effectsPtr = exports.effectsPtr();
    const effects = this.#memory.subarray(effectsPtr, effectsPtr + exports.effectsLength());
    const difference =
      recorded === null ? this.#compareTrap(trap) : compareResults(recorded, { taken, effects, trap });
    const trapEvent = trap && this.#eventAt(exports.eventPtr());
    return { index: this.#index++, nowUs, events, taken, effects, recorded, difference, trap, trapEvent };
  }

  #stuck({ nowUs, first, count }: { nowUs: number; first: number; count: number }): ReplayedStep {
    return {
      index: this.#index,
      nowUs,
      events: this.#slots.slice(first, first + count),
      taken: 0,
      effects: this.#memory.subarray(0, 0),
      recorded: null,
      difference: null,
      trap: new Error('the core got stuck in this step, which is not done again'),
      trapEvent: null,
    };
  }

  #eventAt(ptr: number): Uint8Array | null {
    return ptr === 0 ? null : (this.#slots[(ptr - this.#live().slotsPtr()) / RX_SLOT_BYTES] ?? null);
  }

  /** Of a step that had no result: it ought to trap if it did then. */
  #compareTrap(trap: Error | null): Difference | null {
    return trap === null && this.ended === 'trap' ? { ...NOWHERE, what: 'no-trap' } : null;
  }
}

function isZero(page: Uint8Array): boolean {
  const words = new Uint32Array(page.buffer, page.byteOffset, page.length >> 2);
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
  return true;
}

const NOWHERE = {
  offset: 0,
  recorded: -1,
  replayed: -1,
  frame: 0,
  recordedFrame: null,
  replayedFrame: null,
};

function compareResults(
  recorded: { taken: number; effects: Uint8Array },
  now: { taken: number; effects: Uint8Array; trap: Error | null },
): Difference | null {
  if (now.trap !== null) return { ...NOWHERE, what: 'trap' };
  const difference = compareEffects(recorded.effects, now.effects);
  if (difference !== null || recorded.taken === now.taken) return difference;
  return { ...NOWHERE, what: 'taken', recorded: recorded.taken, replayed: now.taken };
}
