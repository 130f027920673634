/**
 * Records what enters the core and what leaves it, in the realtime thread: each record goes into a ring, from which another thread
 * (switch/recording) takes it. Never waits. When the ring is full the recording is over: what comes after a gap can't be replayed.
 */
import * as abi from '../../wasm-core/assembly/abi.ts';
import type { Core } from '../../wasm-core/host/core.ts';
import {
  EVENT_SLACK_BYTES,
  R_A,
  R_B,
  R_KIND,
  R_LENGTH,
  R_X,
  R_Y,
  REC_BANK,
  REC_EVENT,
  REC_INIT,
  REC_RESULT,
  REC_STEP,
  RECORD_HEAD_BYTES,
} from '../../wasm-core/sim/recording/records.ts';
import { RingWriter, ringMemory } from './ring.ts';

/** Shared by the realtime thread and the recorder. */
export interface RecordingMemory {
  ring: SharedArrayBuffer;
  /** Int32: RECORDS_LOST, RECORDER_ENDED. */
  flags: SharedArrayBuffer;
}

/** Records that found no room, all that come after the first included; stays at the largest number. */
export const RECORDS_LOST = 0;
/** 1: the recorder takes nothing more. */
export const RECORDER_ENDED = 1;
const LOST_MAX = 0x7fffffff;

/** @param ringBytes  a power of two; it holds the effects of the largest step, which are 6 MiB. */
export function recordingMemory(ringBytes: number): RecordingMemory {
  return { ring: ringMemory(ringBytes), flags: new SharedArrayBuffer(8) };
}

/** The recording end. */
export class StepRecorder {
  readonly #core: Core;
  readonly #ring: RingWriter;
  readonly #flags: Int32Array;
  readonly #head = new Uint32Array(RECORD_HEAD_BYTES / 4);
  readonly #times = new Float64Array(this.#head.buffer);
  #lost = 0;

  /** @param initUs  the time that the core was initialised with. */
  constructor(memory: RecordingMemory, core: Core, initUs: number) {
    this.#core = core;
    this.#ring = new RingWriter(memory.ring);
    this.#flags = new Int32Array(memory.flags);
    this.#set(REC_INIT, 0, 0, initUs, 0);
    this.#push(core.exports.initPtr(), abi.INIT_BYTES);
  }

  /** A bank was staged. The recorder has it from the control thread, in the same order. @param staged  false: the core had no room. */
  bank(staged: boolean): void {
    if (this.#over()) return;
    this.#set(REC_BANK, staged ? 1 : 0, 0, 0, 0);
    this.#push(0, 0);
  }

  /** The events in slots 0 to count - 1, all of which is known now. */
  events(count: number): void {
    if (this.#over()) return;
    for (let slot = 0; slot < count; slot++) {
      const at = this.#core.slot(slot);
      const length = this.#core.u32[(at + abi.F_LENGTH) >> 2]!;
      this.#set(REC_EVENT, slot, 0, 0, 0);
      this.#push(at, abi.FRAME_HEADER_BYTES + length + EVENT_SLACK_BYTES);
    }
  }

  /** The core is about to step. */
  step(nowUs: number, first: number, count: number): void {
    if (this.#over()) return;
    this.#set(REC_STEP, first, count, nowUs, 0);
    this.#push(0, 0);
  }

  /** The step came back, and its effects are still there. With the arguments of `account`. */
  result(taken: number, coreUs: number, sentUs: number): void {
    if (this.#over()) return;
    this.#set(REC_RESULT, taken, 0, coreUs, sentUs);
    this.#push(this.#core.effectsPtr, this.#core.effectsLength());
  }

  #set(kind: number, a: number, b: number, x: number, y: number): void {
    this.#head[R_KIND / 4] = kind;
    this.#head[R_A / 4] = a;
    this.#head[R_B / 4] = b;
    this.#times[R_X / 8] = x;
    this.#times[R_Y / 8] = y;
  }

  #push(at: number, length: number): void {
    this.#head[R_LENGTH / 4] = length;
    if (this.#lost > 0 || !this.#ring.pushParts(this.#head, this.#core.u32, at, length)) this.#lose();
  }

  #lose(): void {
    if (this.#lost < LOST_MAX) this.#lost++;
    Atomics.store(this.#flags, RECORDS_LOST, this.#lost);
  }

  #over(): boolean {
    return Atomics.load(this.#flags, RECORDER_ENDED) === 1;
  }
}
