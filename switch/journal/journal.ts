/**
 * The journal as the control thread sees it: keeps what the core says of its bindings (EF_JOURNAL) in a file, and gives it to a core that
 * begins (EV_MIRROR with MIRROR_LOCAL). A thread of its own writes and reads; nothing here waits for the disk.
 *
 * Only a node that is active, or is about to be, may have one open: it may move a damaged file away.
 */
import { performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import type { Logger } from '../control/log.ts';
import type { FromJournal, JournalData, ToJournal } from './protocol.ts';
import { JournalQueue } from './queue.ts';
import { joinRecords, splitRecords } from './records.ts';
import type { Page } from './store.ts';

export type JournalOptions = JournalData;

/** Numbers of a journal. */
export interface JournalReading {
  /** The last transaction was written, or none was needed yet. */
  ok: boolean;
  /** Records and bytes written, and read at the start. */
  recordsWritten: number;
  bytesWritten: number;
  recordsLoaded: number;
  /** Records found with a wrong checksum, and files that were moved away because they were damaged. */
  recordsDamaged: number;
  filesDamaged: number;
  /** Transactions that failed; they are tried again. */
  failures: number;
  /** Changed records that are not in the file. */
  waiting: number;
  /** Age of the oldest of them, ms; 0 = there is none. */
  lagMs: number;
  /** Time that the last transaction took, with its sync, ms. */
  writeMs: number;
}

/** A transaction is made this long after the first change that waits, or when BATCH_RECORDS wait. */
const BATCH_MS = 20;
const BATCH_RECORDS = 1_000;
const RETRY_MS = 1_000;
/** A node that ends waits this long for what is to be written. */
const CLOSE_MS_MAX = 5_000;

interface Flush {
  mark: number;
  resolve(): void;
  reject(error: Error): void;
}

export class Journal {
  readonly #file: string;
  readonly #types: readonly number[];
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #log: Logger;
  readonly #queue = new JournalQueue();
  readonly #pages: { resolve(page: Page): void; reject(error: Error): void }[] = [];
  #flushes: Flush[] = [];
  #timer: NodeJS.Timeout | null = null;
  /** When the oldest change of the batch, and of those that wait, came. */
  #batchSinceMs = 0;
  #waitingSinceMs = 0;
  #sentMs = 0;
  /** Why nothing is written any more; '' = it is. */
  #ended = '';
  readonly #reading = {
    ok: true,
    recordsWritten: 0,
    bytesWritten: 0,
    recordsLoaded: 0,
    recordsDamaged: 0,
    filesDamaged: 0,
    failures: 0,
    writeMs: 0,
  };

  /** Starts the thread, which opens the file when it is first needed. What goes wrong there is logged; it never throws. */
  static open(options: JournalOptions, log: Logger): Journal {
    return new Journal(options, log);
  }

  private constructor(options: JournalOptions, log: Logger) {
    this.#file = options.file;
    this.#types = options.types;
    this.#log = log;
    this.#worker = new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: options,
      name: 'journal',
    });
    this.#worker.on('message', (message: FromJournal) => this.#told(message));
    this.#worker.on('error', (error) => this.#end((error as Error).message));
    this.#exited = new Promise((resolve) => this.#worker.on('exit', () => resolve()));
    void this.#exited.then(() => this.#end('closed'));
  }

  /**
   * All records in the file, as payloads of EV_MIRROR. To be read to its end before the first change is given to `append`, once.
   * @throws Error when the file can't be opened. A file that is damaged gives what can be read of it, and none of that is kept.
   */
  async *load(): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
    for (let next = this.#page(), isLast = false; !isLast; ) {
      const page = await next;
      isLast = page.isLast;
      if (!isLast) next = this.#page(); // read while this one is used
      next.catch(() => undefined); // it is thrown where it is awaited
      this.#reading.recordsLoaded += page.records;
      this.#reading.recordsDamaged += page.damaged;
      yield* page.payloads;
    }
    const { recordsDamaged } = this.#reading;
    if (recordsDamaged > 0)
      this.#log.error(
        { file: this.#file, records: recordsDamaged },
        'damaged records in the journal left out',
      );
  }

  /** The payload of an EF_JOURNAL, of which nothing is kept. @throws FrameError when it is none. */
  append(payload: Uint8Array): void {
    if (this.#ended !== '') return;
    if (this.#queue.waiting === 0) this.#waitingSinceMs = performance.now();
    for (const record of splitRecords(payload, this.#types)) this.#queue.put(record);
    this.#pace();
  }

  /** Resolves when all that was given so far is written. @throws Error when it can't be, at least now. */
  flush(): Promise<void> {
    const mark = this.#queue.mark;
    if (this.#queue.written >= mark) return Promise.resolve();
    if (this.#ended !== '') return Promise.reject(new Error(this.#ended));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#flushes.push({ mark, resolve, reject });
    this.#write();
    return promise;
  }

  /** Writes what waits, and closes the file. Never throws; what became of it is logged. */
  async close(): Promise<void> {
    const late = setTimeout(() => void this.#worker.terminate(), CLOSE_MS_MAX);
    try {
      await this.flush();
    } catch (error) {
      this.#log.error(
        { err: error, file: this.#file, records: this.#queue.size },
        'the last changes are not in the journal',
      );
    }
    this.#ended ||= 'closed';
    this.#post({ type: 'close' });
    await this.#exited;
    clearTimeout(late);
  }

  read(): JournalReading {
    const queue = this.#queue;
    const sinceMs = queue.isBusy ? this.#batchSinceMs : this.#waitingSinceMs;
    return {
      ...this.#reading,
      waiting: queue.size,
      lagMs: queue.size > 0 ? performance.now() - sinceMs : 0,
    };
  }

  #post(message: ToJournal, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #page(): Promise<Page> {
    if (this.#ended !== '') return Promise.reject(new Error(this.#ended));
    const { promise, resolve, reject } = Promise.withResolvers<Page>();
    this.#pages.push({ resolve, reject });
    this.#post({ type: 'page' });
    return promise;
  }

  /** Writes now if enough waits, else soon. */
  #pace(): void {
    if (this.#queue.waiting === 0 || this.#queue.isBusy) return;
    if (this.#timer !== null && !this.#reading.ok) return; // after a failure there is time
    if (this.#queue.waiting >= BATCH_RECORDS || this.#flushes.length > 0) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), BATCH_MS);
  }

  #write(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#queue.waiting === 0 || this.#queue.isBusy) return;
    const payload = joinRecords(this.#queue.take(BATCH_RECORDS));
    this.#sentMs = performance.now();
    this.#batchSinceMs = this.#waitingSinceMs;
    this.#waitingSinceMs = this.#sentMs;
    this.#post({ type: 'write', payload }, [payload.buffer]);
  }

  #told(message: FromJournal): void {
    switch (message.type) {
      case 'written':
        this.#written(message.records, message.bytes);
        break;
      case 'notWritten':
        this.#notWritten(message.message, message.final);
        break;
      case 'page':
        this.#pages.shift()?.resolve(message.page);
        break;
      case 'noPage':
        this.#pages.shift()?.reject(new Error(message.message));
        break;
      case 'aside':
        this.#reading.filesDamaged++;
        this.#log.error(
          { file: this.#file, reason: message.what.reason, kept: message.what.file },
          'the journal is damaged; it is kept under another name, and a new one is begun',
        );
        break;
    }
  }

  #written(records: number, bytes: number): void {
    const reading = this.#reading;
    this.#queue.done();
    reading.recordsWritten += records;
    reading.bytesWritten += bytes;
    reading.writeMs = performance.now() - this.#sentMs;
    if (!reading.ok) this.#log.info({ file: this.#file }, 'the journal is written again');
    reading.ok = true;
    const { written } = this.#queue;
    for (const flush of this.#flushes) if (flush.mark <= written) flush.resolve();
    this.#flushes = this.#flushes.filter(({ mark }) => mark > written);
    this.#pace();
  }

  #notWritten(message: string, final: boolean): void {
    const reading = this.#reading;
    this.#queue.failed();
    this.#waitingSinceMs = this.#batchSinceMs;
    reading.failures++;
    if (final) {
      this.#end(message);
      return;
    }
    if (reading.ok) this.#log.error({ file: this.#file, reason: message }, 'the journal can not be written');
    reading.ok = false;
    this.#refuse(message);
    this.#timer = setTimeout(() => this.#write(), RETRY_MS);
  }

  /** Nothing is written any more. */
  #end(reason: string): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#ended === '') {
      this.#ended = reason;
      this.#reading.ok = false;
      this.#log.error({ file: this.#file, reason }, 'the journal has ended');
    }
    this.#refuse(reason);
    for (const page of this.#pages.splice(0)) page.reject(new Error(reason));
  }

  #refuse(reason: string): void {
    const flushes = this.#flushes;
    this.#flushes = [];
    for (const flush of flushes) flush.reject(new Error(reason));
  }
}
