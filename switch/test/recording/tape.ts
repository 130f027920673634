/** A core under test that is recorded as the realtime thread does it. */
import { MessageChannel } from 'node:worker_threads';
import type { Core, CoreInit } from '../../../wasm-core/host/core.ts';
import { RecordingWriter, Recording } from '../../../wasm-core/sim/recording/file.ts';
import { compileForReplay, joined } from '../../../wasm-core/sim/recording/globals.ts';
import type { ReplayedStep } from '../../../wasm-core/sim/recording/recorded-core.ts';
import {
  type EndName,
  R_KIND,
  R_LENGTH,
  REC_RESULT,
  RECORD_HEAD_BYTES,
  recordBytes,
} from '../../../wasm-core/sim/recording/records.ts';
import { newProgress, replay, type ReplayProgress } from '../../../wasm-core/sim/recording/replay.ts';
import { Driver, START_US, testBank } from '../../../wasm-core/test/support/driver.ts';
import { answer, register, request, to } from '../../../wasm-core/test/support/phone.ts';
import { type RecordingMemory, recordingMemory, StepRecorder } from '../../realtime/step-recorder.ts';
import { Intake } from '../../recording/intake.ts';

const CALLER = 5070;
const PHONE = 7001;
export const KEY = new Uint8Array(32).fill(3);

export class Tape {
  readonly driver: Driver;
  readonly intake: Intake;
  readonly wasm: Uint8Array<ArrayBuffer>;

  static async start(
    wasm: Uint8Array<ArrayBuffer>,
    options: { init?: Partial<CoreInit>; ringBytes?: number } = {},
  ): Promise<Tape> {
    const memory = recordingMemory(options.ringBytes ?? 8 << 20);
    const banks = new MessageChannel();
    const intake = new Intake(memory, banks.port2);
    const driver = await Driver.start(options.init, testBank(), wasm, (core) => {
      record(core, memory, (bank) => banks.port1.postMessage(bank));
    });
    banks.port1.unref();
    banks.port2.unref();
    return new Tape(driver, intake, wasm);
  }

  private constructor(driver: Driver, intake: Intake, wasm: Uint8Array<ArrayBuffer>) {
    this.driver = driver;
    this.intake = intake;
    this.wasm = wasm;
  }

  /** All blocks so far. @param rest  with what is behind the last whole step. */
  blocks(rest = false): Uint8Array<ArrayBuffer>[] {
    this.intake.drain(Infinity);
    this.intake.flush();
    return rest ? [...this.intake.blocks, this.intake.rest()] : [...this.intake.blocks];
  }

  /** A file with these blocks. */
  async file(blocks: readonly Uint8Array<ArrayBuffer>[], reason: EndName = 'operator'): Promise<Uint8Array> {
    const { sha256 } = await compileForReplay(this.wasm);
    const writer = await RecordingWriter.create({ node: 'a', startedAt: '', core: sha256 }, KEY);
    const parts = [writer.front];
    for (const block of blocks) parts.push(await writer.block(block));
    return joined([...parts, await writer.end(reason, this.driver.nowUs)]);
  }
}

/** A phone registers, calls ring, some are answered, time goes by. */
export function traffic({ driver }: Tape, calls: number): void {
  register(driver, '1002', PHONE);
  for (let n = 0; n < calls; n++) {
    const [invite] = to(driver.message(request(), { port: CALLER }), PHONE);
    driver.nowUs += 1_000;
    driver.message(answer(invite!, '180 Ringing'), { port: PHONE });
    if (n % 2 === 0)
      driver.message(answer(invite!, '200 OK', 'callee', [`Contact: <sip:1002@127.0.0.1:${PHONE}>`]), {
        port: PHONE,
      });
    driver.message('nonsense', { port: 1 });
    driver.wait(700);
  }
}

/** Finds the `nth` result with a message among blocks, and gives a view of its effects. */
export function effectsOf(blocks: readonly Uint8Array<ArrayBuffer>[], nth: number): Uint8Array {
  let left = nth;
  for (const block of blocks) {
    const view = new DataView(block.buffer, block.byteOffset);
    for (let at = 0; at < block.length; ) {
      const length = view.getUint32(at + R_LENGTH, true);
      if (view.getUint32(at + R_KIND, true) === REC_RESULT && length > 200 && left-- === 0)
        return block.subarray(at + RECORD_HEAD_BYTES, at + RECORD_HEAD_BYTES + length);
      at += recordBytes(length);
    }
  }
  throw new Error('there are not so many results');
}

/** Puts a recorder around the core's methods. */
function record(core: Core, memory: RecordingMemory, bankTo: (bank: SharedArrayBuffer) => void): void {
  const recorder = new StepRecorder(memory, core, START_US);
  const step = core.step.bind(core);
  const stageBank = core.stageBank.bind(core);
  core.step = (nowUs, first, n) => {
    recorder.events(n);
    recorder.step(nowUs, first, n);
    const taken = step(nowUs, first, n);
    core.account(2.5, nowUs + 30);
    recorder.result(taken, 2.5, nowUs + 30);
    return taken;
  };
  core.stageBank = (bank) => {
    const shared = new SharedArrayBuffer(bank.length);
    new Uint8Array(shared).set(bank);
    bankTo(shared);
    const staged = stageBank(bank);
    recorder.bank(staged);
    return staged;
  };
}

/** What a whole replay came to. */
export interface Replayed {
  steps: number;
  /** The first step that is not as it was, or that trapped. */
  found: ReplayedStep | null;
  progress: ReplayProgress;
}

export async function replayed(
  wasm: Uint8Array<ArrayBuffer>,
  file: Uint8Array,
  anyCore = false,
): Promise<Replayed> {
  const result: Replayed = { steps: 0, found: null, progress: newProgress() };
  const module = await compileForReplay(wasm);
  const recording = await Recording.open(file, KEY);
  for await (const step of replay(module, recording, result.progress, anyCore)) {
    result.steps++;
    if (step.difference === null && step.trap === null) continue;
    result.found = step;
    break;
  }
  return result;
}
