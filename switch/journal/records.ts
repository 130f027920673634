/**
 * Records as they leave the core and come back to it (MR_* in wasm-core/assembly/abi.ts). What their bodies hold is no matter of the
 * journal.
 */
import * as abi from '../../wasm-core/assembly/abi.ts';
import { FrameError } from '../../wasm-core/host/frames.ts';

/** One record, as it stands in a payload. */
export interface JournalRecord {
  /** MRT_*, 0 to 255. */
  type: number;
  /** Slot of its table, u32. */
  slot: number;
  /** Which record of that slot, u32, 1 and up. */
  generation: number;
  /** It is no longer, nor is any of its slot before that generation. */
  isGone: boolean;
  /** The whole record with its header: a view into the payload. */
  bytes: Uint8Array;
}

/** A table of the core has fewer slots than this. */
const SLOTS = 2 ** 32;

/** Names the slot of a table, among all types. */
export function slotKey({ type, slot }: Pick<JournalRecord, 'type' | 'slot'>): number {
  return type * SLOTS + slot;
}

/**
 * The records of a payload of EF_MIRROR or EF_JOURNAL that are of one of `types` (MRT_*).
 * @throws FrameError when it is not made of whole records: they come from a core of this program.
 */
export function splitRecords(payload: Uint8Array, types: readonly number[]): JournalRecord[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const records: JournalRecord[] = [];
  for (let at = 0, length = 0; at < payload.length; at += length) {
    if (at + abi.MR_BODY > payload.length) throw new FrameError('a record is cut off');
    length = view.getUint32(at + abi.MR_LENGTH, true);
    if (length < abi.MR_BODY || length % 8 !== 0 || at + length > payload.length)
      throw new FrameError(`a record of ${length} bytes`);
    const type = payload[at + abi.MR_TYPE]!;
    if (!types.includes(type)) continue;
    records.push({
      type,
      slot: view.getUint32(at + abi.MR_SLOT, true),
      generation: view.getUint32(at + abi.MR_GENERATION, true),
      isGone: (view.getUint16(at + abi.MR_FLAGS, true) & abi.MRF_GONE) !== 0,
      bytes: payload.subarray(at, at + length),
    });
  }
  return records;
}

/** One payload of these records, each given with its header. */
export function joinRecords(records: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const payload = new Uint8Array(records.reduce((sum, bytes) => sum + bytes.length, 0));
  let at = 0;
  for (const bytes of records) {
    payload.set(bytes, at);
    at += bytes.length;
  }
  return payload;
}

/** The same as payloads of at most `bytesMax` each, in their order. No record may be larger. */
export function packRecords(records: readonly Uint8Array[], bytesMax: number): Uint8Array<ArrayBuffer>[] {
  const payloads: Uint8Array<ArrayBuffer>[] = [];
  let open: Uint8Array[] = [];
  let openBytes = 0;
  for (const bytes of records) {
    if (openBytes + bytes.length > bytesMax && open.length > 0) {
      payloads.push(joinRecords(open));
      open = [];
      openBytes = 0;
    }
    open.push(bytes);
    openBytes += bytes.length;
  }
  if (open.length > 0) payloads.push(joinRecords(open));
  return payloads;
}
