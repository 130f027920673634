/**
 * What a recording is made of: records of all that enters a core and leaves it, in the order in which it happened. Each is a head
 * of 32 bytes (REC_*, two numbers, the length of the data, two times) and data padded to 8 bytes; little-endian.
 *
 * The realtime thread writes the same bytes into its ring that later lie, compressed and encrypted, in a file (file.ts).
 */
import { MESSAGE_BYTES_MAX, RX_SLOTS } from '../../assembly/abi.ts';

export const RECORD_HEAD_BYTES = 32;
/** Offsets in the head: u32, and f64 for X and Y. */
export const R_KIND = 0;
export const R_A = 4;
export const R_B = 8;
export const R_LENGTH = 12;
export const R_X = 16;
export const R_Y = 24;

/** The core was initialised. X = time; data = the init block. */
export const REC_INIT = 1;
/** A bank was staged. Data = the bank. */
export const REC_BANK = 2;
/** A frame lies in a receive slot. A = slot; data = the frame and EVENT_SLACK_BYTES of what is behind it. */
export const REC_EVENT = 3;
/** `step` was called. A = first slot, B = events, X = time. */
export const REC_STEP = 4;
/** `step` came back, and its effects were carried out. A = events taken, X and Y = arguments of `account`; data = the effects. */
export const REC_RESULT = 5;
/** The recording begins in the midst of a core's life. A = pages of its memory; data = its globals (globals.ts). */
export const REC_STATE = 6;
/** A page of that memory that isn't all zeros. A = page; data = 64 KiB. */
export const REC_PAGE = 7;
/** Nothing follows. A = why, as a place in END_NAMES, X = time. */
export const REC_END = 8;

/**
 * Why a recording ended. `open`: it didn't, or its writer died. `trap`: the core trapped; `stuck`: it came back from no step;
 * `failure`: the thread around it failed; `gap`: the recorder was too slow; `size`: goes on in the next file.
 */
export const END_NAMES = ['open', 'operator', 'trap', 'stuck', 'failure', 'size', 'stop', 'gap'] as const;
export type EndName = (typeof END_NAMES)[number];

/** The core reads up to 16 bytes behind a text (decision 30), and may copy them into the padding of an effect. */
export const EVENT_SLACK_BYTES = 16;

/** A recording that can't be read, and why. */
export class RecordingError extends Error {
  override name = 'RecordingError';
  /**
   * `format`: no recording, or of another version; `key`: another key; `damaged`: changed after it was written; `core`: recorded by
   * another core.
   */
  readonly code: 'format' | 'key' | 'damaged' | 'core';

  constructor(code: RecordingError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Bytes of a record with so much data. */
export function recordBytes(dataBytes: number): number {
  return RECORD_HEAD_BYTES + ((dataBytes + 7) & ~7);
}

/** The fields of a record; what is left out is 0. */
export interface RecordFields {
  kind: number;
  a?: number;
  b?: number;
  x?: number;
  y?: number;
  data?: Uint8Array;
}

/** One record as bytes. */
export function encodeRecord({
  kind,
  a = 0,
  b = 0,
  x = 0,
  y = 0,
  data,
}: RecordFields): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(recordBytes(data?.length ?? 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(R_KIND, kind, true);
  view.setUint32(R_A, a, true);
  view.setUint32(R_B, b, true);
  view.setUint32(R_LENGTH, data?.length ?? 0, true);
  view.setFloat64(R_X, x, true);
  view.setFloat64(R_Y, y, true);
  if (data !== undefined) bytes.set(data, RECORD_HEAD_BYTES);
  return bytes;
}

/** Walks over the records of a block: `next()`, then the fields. */
export class RecordReader {
  kind = 0;
  a = 0;
  b = 0;
  x = 0;
  y = 0;
  /** A view of the block. */
  data: Uint8Array;
  readonly #block: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(block: Uint8Array) {
    this.#block = block;
    this.#view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    this.data = block.subarray(0, 0);
  }

  /** Goes to the next record. Returns false behind the last. @throws RecordingError when it is cut short or not ours. */
  next(): boolean {
    if (this.#at === this.#block.length) return false;
    const at = this.#at;
    if (at + RECORD_HEAD_BYTES > this.#block.length) throw damaged();
    const length = this.#view.getUint32(at + R_LENGTH, true);
    this.kind = this.#view.getUint32(at + R_KIND, true);
    this.a = this.#view.getUint32(at + R_A, true);
    this.b = this.#view.getUint32(at + R_B, true);
    this.x = this.#view.getFloat64(at + R_X, true);
    this.y = this.#view.getFloat64(at + R_Y, true);
    this.#at = at + recordBytes(length);
    if (this.#at > this.#block.length || !this.#plausible(length)) throw damaged();
    this.data = this.#block.subarray(at + RECORD_HEAD_BYTES, at + RECORD_HEAD_BYTES + length);
    return true;
  }

  /** Whether its numbers stay within a core's slots: the core trusts its host. */
  #plausible(length: number): boolean {
    if (this.kind === REC_EVENT) return this.a < RX_SLOTS && length <= EVENT_BYTES_MAX;
    if (this.kind === REC_STEP) return this.a + this.b <= RX_SLOTS;
    return true;
  }
}

const EVENT_BYTES_MAX = 64 + MESSAGE_BYTES_MAX + EVENT_SLACK_BYTES;

function damaged(): RecordingError {
  return new RecordingError('damaged', 'the records of this recording make no sense');
}
