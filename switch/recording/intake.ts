/**
 * Takes records out of the ring of the realtime thread and gathers them to blocks. Blocks end where a step has ended, so that a
 * recording can begin with any of them.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import {
  encodeRecord,
  R_A,
  R_KIND,
  REC_BANK,
  REC_INIT,
  REC_RESULT,
  recordBytes,
  RECORD_HEAD_BYTES,
} from '../../wasm-core/sim/recording/records.ts';
import { RingReader } from '../realtime/ring.ts';
import { RECORDER_ENDED, RECORDS_LOST, type RecordingMemory } from '../realtime/step-recorder.ts';

/** Blocks have at least so many bytes, unless they are asked for earlier. */
const BLOCK_BYTES = 256 * 1024;

export type Block = Uint8Array<ArrayBuffer>;

export class Intake {
  readonly #ring: RingReader;
  readonly #flags: Int32Array;
  readonly #banks: MessagePort;
  #queue: Block[] = [];
  #open: Block = new Uint8Array(2 * BLOCK_BYTES);
  #length = 0;
  /** How much of it is whole steps. */
  #boundary = 0;
  /** Bytes in blocks that wait. */
  queueBytes = 0;
  /** Steps and bytes taken so far. */
  steps = 0;
  bytes = 0;

  constructor(memory: RecordingMemory, banks: MessagePort) {
    this.#ring = new RingReader(memory.ring);
    this.#flags = new Int32Array(memory.flags);
    this.#banks = banks;
  }

  /**
   * Takes what is in the ring, until `queueBytesMax` bytes wait in blocks.
   * @returns true when there is nothing left, and a record was lost: nothing will ever come any more.
   */
  drain(queueBytesMax: number): boolean {
    const lost = this.lost > 0; // read before: when something is lost, nothing is written behind it
    while (this.queueBytes < queueBytesMax) {
      if (!this.#ring.next()) return lost;
      this.#take(this.#ring.bytes.subarray(this.#ring.offset, this.#ring.offset + this.#ring.length));
      this.#ring.release();
    }
    return false;
  }

  /** Records that the realtime thread could not write. */
  get lost(): number {
    return Atomics.load(this.#flags, RECORDS_LOST);
  }

  /** Tells the realtime thread to write nothing more. */
  end(): void {
    Atomics.store(this.#flags, RECORDER_ENDED, 1);
  }

  /** Takes the oldest block; null when none waits. */
  shift(): Block | null {
    const block = this.#queue.shift() ?? null;
    if (block !== null) this.queueBytes -= block.length;
    return block;
  }

  /** The blocks that wait, oldest first. */
  get blocks(): readonly Block[] {
    return this.#queue;
  }

  /** Makes a block of the whole steps that there are. */
  flush(): void {
    if (this.#boundary > 0) this.#seal();
  }

  /** The records behind the last whole step: of one that is being made, or that never came back. */
  rest(): Block {
    return this.#open.slice(this.#boundary, this.#length);
  }

  #take(record: Uint8Array): void {
    const view = new DataView(record.buffer, record.byteOffset);
    const kind = view.getUint32(R_KIND, true);
    if (kind === REC_BANK) this.#append(this.#bank(view.getUint32(R_A, true) === 1));
    else this.#append(record);
    if (kind !== REC_RESULT && kind !== REC_INIT) return;
    this.steps += kind === REC_RESULT ? 1 : 0;
    this.#boundary = this.#length;
    if (this.#length >= BLOCK_BYTES) this.#seal();
  }

  /** The control thread has sent the bank before it could be staged. */
  #bank(staged: boolean): Uint8Array {
    const message = receiveMessageOnPort(this.#banks);
    if (message === undefined) throw new Error('a bank was staged that the recorder does not have');
    if (!staged) return new Uint8Array(0);
    return encodeRecord({ kind: REC_BANK, data: new Uint8Array(message.message as SharedArrayBuffer) });
  }

  #append(record: Uint8Array): void {
    if (record.length === 0) return;
    const size = recordBytes(record.length - RECORD_HEAD_BYTES);
    if (this.#length + size > this.#open.length) {
      const larger = new Uint8Array(2 * (this.#length + size));
      larger.set(this.#open.subarray(0, this.#length));
      this.#open = larger;
    }
    this.#open.set(record, this.#length);
    this.#length += size;
    this.bytes += size;
  }

  #seal(): void {
    const rest = this.rest();
    const block = this.#open.subarray(0, this.#boundary);
    this.#queue.push(block);
    this.queueBytes += block.length;
    this.#open = new Uint8Array(Math.max(2 * BLOCK_BYTES, rest.length));
    this.#open.set(rest);
    this.#length = rest.length;
    this.#boundary = 0;
  }
}
