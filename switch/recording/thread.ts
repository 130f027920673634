/** The recorder: a thread that takes what the realtime thread records out of their ring, and keeps it (keeper.ts). */
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { compileForReplay } from '../../wasm-core/sim/recording/globals.ts';
import { Follower } from './follower.ts';
import { Intake } from './intake.ts';
import { FileKeeper, type Finished, type Keeper, MemoryKeeper } from './keeper.ts';
import {
  type FinishRequest,
  type FromRecorder,
  type RecorderData,
  STAT_BYTES,
  STAT_DIFFERENCES,
  STAT_FILES,
  STAT_KEPT_BYTES,
  STAT_STEPS,
} from './protocol.ts';

/** The realtime thread wakes nobody: its ring is looked at this often. */
const LOOK_MS = 50;
/** Blocks that may wait here while a file is being written; more waits in the ring. */
const BACKLOG_BYTES_MAX = 64 << 20;
/** A file is behind by this much at most. */
const FLUSH_MS = 1_000;
const NICE = 10;

function tell(message: FromRecorder): void {
  parentPort!.postMessage(message);
}

class RecorderThread {
  readonly #intake: Intake;
  readonly #follower: Follower;
  readonly #keeper: Keeper;
  readonly #stats: Float64Array;
  readonly #queueBytesMax: number;
  readonly #requests: FinishRequest[] = [];
  #lost = false;
  #over = false;

  static async create(data: RecorderData): Promise<RecorderThread> {
    const module = await compileForReplay(data.wasm);
    return new RecorderThread(data, new Follower(module), module.sha256);
  }

  private constructor(data: RecorderData, follower: Follower, core: string) {
    const { folder, filesMax, node, key, bytesMax } = data;
    this.#intake = new Intake(data.memory, data.banks);
    this.#follower = follower;
    this.#stats = new Float64Array(data.stats);
    const options = { folder, filesMax, node, core, key };
    const Kind = data.mode === 'file' ? FileKeeper : MemoryKeeper;
    this.#keeper = new Kind(options, bytesMax, this.#intake, follower);
    this.#queueBytesMax = BACKLOG_BYTES_MAX + (data.mode === 'memory' ? bytesMax : 0);
  }

  request(request: FinishRequest): void {
    this.#requests.push(request);
  }

  /** Until the recording is over. Requests are answered even then. */
  async run(): Promise<void> {
    // On its own, so that the ring is emptied while a file is being written.
    const draining = setInterval(() => this.#drain(), LOOK_MS);
    const flushing = setInterval(() => this.#intake.flush(), FLUSH_MS);
    try {
      while (!this.#over) {
        await this.#keeper.turn();
        for (let request = this.#requests.shift(); request; request = this.#requests.shift())
          await this.#finish(request);
        if (this.#lost) await this.#gap();
        this.#publish();
        await sleep(LOOK_MS);
      }
    } finally {
      clearInterval(draining);
      clearInterval(flushing);
      this.#intake.end();
    }
  }

  #drain(): void {
    this.#lost ||= this.#intake.drain(this.#queueBytesMax);
  }

  async #finish({ id, reason, last }: FinishRequest): Promise<void> {
    this.#drain();
    this.#over = last;
    try {
      const file = await this.#keeper.finish(reason, last);
      this.#count(file);
      tell({ type: 'finished', id, file });
    } catch (error) {
      tell({ type: 'refused', id, message: (error as Error).message });
    }
  }

  /** What comes after a gap can't be replayed: this recording ends here, and there is no state to begin another with. */
  async #gap(): Promise<void> {
    this.#over = true;
    const message =
      'the recorder did not keep up with the realtime thread; recording begins again with the next start of the node';
    const file = await this.#keeper.finish('gap', false);
    this.#count(file);
    tell({ type: 'ended', reason: 'gap', message, file: file?.name ?? null });
  }

  #count(file: Finished | null): void {
    if (file !== null) this.#stats[STAT_FILES]! += 1;
  }

  #publish(): void {
    this.#stats[STAT_STEPS] = this.#intake.steps;
    this.#stats[STAT_BYTES] = this.#intake.bytes;
    this.#stats[STAT_KEPT_BYTES] = this.#intake.queueBytes;
    this.#stats[STAT_DIFFERENCES] = this.#follower.differences;
  }
}

// Linux: of this thread alone. The realtime thread and the control thread come first; what comes meanwhile waits in the ring.
if (process.platform === 'linux') setPriority(NICE);
const recorder = await RecorderThread.create(workerData as RecorderData);
parentPort!.on('message', (request: FinishRequest) => recorder.request(request));
tell({ type: 'ready' });
try {
  await recorder.run();
} catch (error) {
  tell({ type: 'ended', reason: 'failure', message: (error as Error).message, file: null });
}
parentPort!.close();
