/**
 * Recording as the control thread sees it (docs/recording.md): started with the node, asked for files, and the first to be told when
 * the core has failed.
 */
import { once } from 'node:events';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import type { EndName } from '../../wasm-core/sim/recording/records.ts';
import type { Logger } from '../control/log.ts';
import type { RecordingFeed } from '../realtime/realtime.ts';
import {
  RECORDER_ENDED,
  RECORDS_LOST,
  type RecordingMemory,
  recordingMemory,
} from '../realtime/step-recorder.ts';
import {
  type FinishRequest,
  type FromRecorder,
  type RecorderData,
  recorderStats,
  STAT_BYTES,
  STAT_DIFFERENCES,
  STAT_FILES,
  STAT_KEPT_BYTES,
  STAT_STEPS,
} from './protocol.ts';

/** What to record and where to. */
export type RecorderOptions = Pick<
  RecorderData,
  'wasm' | 'mode' | 'bytesMax' | 'folder' | 'filesMax' | 'node' | 'key'
> & {
  /** Size of the ring between the threads, a power of two. Default 16 MiB: 2,000 calls. */
  ringBytes?: number;
};

/** Numbers of a recorder. */
export interface RecorderReading {
  /** False: it has ended, or was never begun. */
  recording: boolean;
  steps: number;
  bytes: number;
  /** In memory, not yet written. */
  keptBytes: number;
  /** Records that were lost because the recorder was too slow. */
  lost: number;
  /** Steps that another core did otherwise. */
  differences: number;
  files: number;
}

const RING_BYTES = 16 << 20;
/** A node that has failed waits this long for its recording, and then ends. */
const FINISH_MS_MAX = 10_000;

type Answer = Extract<FromRecorder, { type: 'finished' | 'refused' }>;

export class Recorder implements RecordingFeed {
  readonly memory: RecordingMemory;
  readonly folder: string;
  readonly #worker: Worker;
  readonly #banks: MessagePort;
  readonly #stats: Float64Array;
  readonly #flags: Int32Array;
  readonly #log: Logger;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #requests = 0;
  #recording = true;

  /** @throws Error when the thread doesn't start. */
  static async start(options: RecorderOptions, log: Logger): Promise<Recorder> {
    const { ringBytes = RING_BYTES, ...rest } = options;
    const memory = recordingMemory(ringBytes);
    const banks = new MessageChannel();
    const stats = recorderStats();
    const data: RecorderData = { ...rest, memory, banks: banks.port2, stats: stats.buffer };
    const worker = new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: data,
      transferList: [banks.port2],
      name: 'recorder',
    });
    await once(worker, 'message'); // ready
    return new Recorder(options.folder, memory, worker, banks.port1, stats, log);
  }

  private constructor(
    folder: string,
    memory: RecordingMemory,
    worker: Worker,
    banks: MessagePort,
    stats: Float64Array,
    log: Logger,
  ) {
    this.folder = folder;
    this.memory = memory;
    this.#worker = worker;
    this.#banks = banks;
    this.#stats = stats;
    this.#flags = new Int32Array(memory.flags);
    this.#log = log;
    banks.unref();
    worker.on('message', (message: FromRecorder) => this.#told(message));
    worker.on('error', (error) => this.#over({ reason: 'failure', message: (error as Error).message }));
  }

  bank(bank: SharedArrayBuffer): void {
    this.#banks.postMessage(bank);
  }

  /** Writes what there is to a file, and goes on. @returns its name and size. @throws Error when it can't be written. */
  async dump(): Promise<{ name: string; bytes: number }> {
    const file = await this.#finish('operator', false);
    if (file === null) throw new Error('nothing has been recorded');
    return file;
  }

  /**
   * The node ends, for this reason: writes what there is. Never throws; what became of it is logged.
   */
  async end(reason: EndName): Promise<void> {
    if (!this.#recording) return;
    try {
      const file = await this.#finish(reason, true);
      if (file !== null) this.#log.info({ file: file.name, bytes: file.bytes, reason }, 'recording written');
    } catch (error) {
      this.#log.error({ err: error, reason }, 'the recording could not be written');
    }
    this.#stop();
    await this.#worker.terminate();
    this.#banks.close();
  }

  read(): RecorderReading {
    const stats = this.#stats;
    return {
      recording: this.#recording,
      steps: stats[STAT_STEPS]!,
      bytes: stats[STAT_BYTES]!,
      keptBytes: stats[STAT_KEPT_BYTES]!,
      lost: Atomics.load(this.#flags, RECORDS_LOST),
      differences: stats[STAT_DIFFERENCES]!,
      files: stats[STAT_FILES]!,
    };
  }

  async #finish(reason: EndName, last: boolean): Promise<{ name: string; bytes: number } | null> {
    if (!this.#recording) throw new Error('recording has ended; the log says why');
    const id = ++this.#requests;
    const request: FinishRequest = { id, reason, last };
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, resolve);
    const timer = setTimeout(() => reject(new Error('the recorder does not answer')), FINISH_MS_MAX);
    this.#worker.postMessage(request);
    const answer = await promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(id);
    });
    if (answer.type === 'refused') throw new Error(answer.message);
    return answer.file;
  }

  #told(message: FromRecorder): void {
    if (message.type === 'finished' || message.type === 'refused') this.#waiting.get(message.id)?.(message);
    else if (message.type === 'ended') this.#over(message);
  }

  /** It has ended by itself. */
  #over({ reason, message, file }: { reason: EndName; message: string; file?: string | null }): void {
    this.#stop();
    for (const [id, answer] of this.#waiting) answer({ type: 'refused', id, message });
    this.#log.error({ reason, file: file ?? undefined }, `recording has ended: ${message}`);
  }

  #stop(): void {
    this.#recording = false;
    Atomics.store(this.#flags, RECORDER_ENDED, 1);
  }
}
