/**
 * A core that has trapped is given up; another one gets its records and goes on (docs/availability.md). What the new one is made from is
 * written down as a recording (docs/recording.md), which ends with the event that the old one trapped at: so that can be repeated.
 */
import * as abi from '../../wasm-core/assembly/abi.ts';
import { Core, type CoreInit } from '../../wasm-core/host/core.ts';
import { FrameEncoder } from '../../wasm-core/host/frames.ts';
import {
  encodeRecord,
  EVENT_SLACK_BYTES,
  REC_BANK,
  REC_EVENT,
  REC_INIT,
  REC_RESULT,
  REC_STEP,
} from '../../wasm-core/sim/recording/records.ts';

/** Records of more than this are not written down. */
const RECORDING_BYTES_MAX = 64 << 20;

/** What there was, but the core's records. */
export interface RebuildFrom {
  module: WebAssembly.Module;
  init: CoreInit;
  /** The last bank that was staged. */
  bank: Uint8Array | null;
  trapped: Core;
  epoch: number;
  /** Time of the step that trapped. */
  nowUs: number;
}

export interface Rebuilt {
  core: Core;
  /** Effects that the old core still had to give: answers that were held. */
  effects: Uint8Array;
  /** Records that came over. */
  records: number;
  /** Blocks of a recording without the event that trapped; null: it would have been too large. */
  recording: Uint8Array<ArrayBuffer>[] | null;
}

/** @throws Error when the old core's records can't be read: they are damaged. */
export function rebuild(from: RebuildFrom): Rebuilt {
  return new Rebuilding(from).run();
}

class Rebuilding {
  readonly #from: RebuildFrom;
  readonly #core: Core;
  readonly #frame = new FrameEncoder();
  #recording: Uint8Array<ArrayBuffer>[] | null = [];
  #recordedBytes = 0;

  constructor(from: RebuildFrom) {
    this.#from = from;
    this.#core = Core.of(from.module, { ...from.init, role: abi.ROLE_STANDBY }, from.nowUs);
    const at = this.#core.exports.initPtr();
    this.#record({
      kind: REC_INIT,
      x: from.nowUs,
      data: this.#core.bytes.subarray(at, at + abi.INIT_BYTES),
    });
  }

  run(): Rebuilt {
    const { bank, epoch } = this.#from;
    if (bank !== null) {
      this.#core.stageBank(bank);
      this.#record({ kind: REC_BANK, a: 1, data: bank });
      this.#event(this.#frame.encode({ kind: abi.EV_BANK_READY, args: [bank.length] }));
    }
    const effects = this.#copyRecords();
    if (this.#core.counters[abi.C_MIRROR_WHOLE] !== 1) throw new Error('the records of the core are damaged');
    const records = this.#core.counters[abi.C_MIRROR_RECORDS]!;
    this.#event(this.#frame.encode({ kind: abi.EV_ROLE, args: [abi.ROLE_ACTIVE, epoch, 1] }));
    return { core: this.#core, effects, records, recording: this.#recording };
  }

  /** @returns effects of the old core that are for others. */
  #copyRecords(): Uint8Array {
    const { trapped } = this.#from;
    const others: Uint8Array[] = [];
    for (let isFirst = true, isMore = true; isMore; isFirst = false) {
      isMore = trapped.exports.mirrorDump(isFirst ? 1 : 0) !== 0;
      const end = trapped.effectsPtr + trapped.effectsLength();
      for (let at = trapped.effectsPtr; at < end; ) {
        const length = trapped.u32[(at + abi.F_LENGTH) >> 2]!;
        const size = (abi.FRAME_HEADER_BYTES + length + 7) & ~7;
        const frame = trapped.bytes.subarray(at, at + size);
        if (frame[abi.F_KIND] === abi.EF_MIRROR) this.#event(frame);
        else others.push(frame.slice());
        at += size;
      }
    }
    return Buffer.concat(others);
  }

  #event(frame: Uint8Array): void {
    const core = this.#core;
    const { nowUs } = this.#from;
    core.writeSlot(0, frame);
    this.#record({ kind: REC_EVENT, data: eventBytes(core, core.slot(0)) });
    this.#record({ kind: REC_STEP, b: 1, x: nowUs });
    const taken = core.step(nowUs, 0, 1);
    const effects = core.bytes.subarray(core.effectsPtr, core.effectsPtr + core.effectsLength());
    core.account(0, nowUs);
    this.#record({ kind: REC_RESULT, a: taken, y: nowUs, data: effects });
  }

  #record(fields: Parameters<typeof encodeRecord>[0]): void {
    if (this.#recording === null) return;
    const bytes = encodeRecord(fields);
    this.#recordedBytes += bytes.length;
    if (this.#recordedBytes > RECORDING_BYTES_MAX) this.#recording = null;
    else this.#recording.push(bytes);
  }
}

/** The event at an address, as recordings have it; a view. */
export function eventBytes(core: Core, at: number): Uint8Array {
  const length = core.u32[(at + abi.F_LENGTH) >> 2]!;
  return core.bytes.subarray(at, at + abi.FRAME_HEADER_BYTES + length + EVENT_SLACK_BYTES);
}

/** The end of such a recording: the event (null: none, a timer was due), and the step that does not come back. */
export function trapBlocks(event: Uint8Array | null, nowUs: number): Uint8Array<ArrayBuffer>[] {
  const step = encodeRecord({ kind: REC_STEP, b: event === null ? 0 : 1, x: nowUs });
  return event === null ? [step] : [encodeRecord({ kind: REC_EVENT, data: event }), step];
}
