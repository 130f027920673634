/** A realtime thread that is none: keeps what it is sent, and sends back what the test says. */
import {
  ABI_VERSION,
  C_COUNT,
  F_KIND,
  F_LENGTH,
  F_VERSION,
  FRAME_HEADER_BYTES,
} from '../../../wasm-core/assembly/abi.ts';
import { Frame, FrameEncoder, type FrameFields } from '../../../wasm-core/host/frames.ts';
import { LatencyHistogram } from '../../control/histogram.ts';
import type { RealtimePort, RealtimeReading } from '../../control/realtime-port.ts';

const empty = new LatencyHistogram(0).snapshot();

export class FakeRealtime implements RealtimePort {
  onFrame: (frame: Uint8Array) => void = () => undefined;
  readonly counters = new Float64Array(C_COUNT);
  readonly sent: Frame[] = [];
  /** Sends fail while this is true. */
  full = false;
  /** Called with each event, to answer it. */
  answer: (frame: Frame) => void = () => undefined;
  readonly #encoder = new FrameEncoder();

  send(bytes: Uint8Array): boolean {
    if (this.full) return false;
    const frame = new Frame(bytes.slice());
    this.sent.push(frame);
    this.answer(frame);
    return true;
  }

  /** An effect, as if from the core. */
  effect(fields: FrameFields, payload?: Uint8Array): void {
    this.onFrame(this.#encoder.encode(fields, payload));
  }

  async setBank(): Promise<void> {
    return Promise.resolve();
  }

  read(): RealtimeReading {
    return {
      counters: this.counters,
      ringToCoreBytes: 0,
      ringFromCoreBytes: 0,
      droppedIn: 0,
      droppedOut: 0,
      step: empty,
      core: empty,
      coreBreaches: 0,
      queue: empty,
      queueBreaches: 0,
      batchWaits: 0,
      batchWaitUs: 0,
      heapBytes: 0,
      traps: 0,
    };
  }

  async close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Header length, version and kind of a frame, for tests of the layout itself. */
export const layout = { ABI_VERSION, F_KIND, F_LENGTH, F_VERSION, FRAME_HEADER_BYTES };
