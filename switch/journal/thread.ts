/** The journal's thread: all that waits for the disk. */
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { FromJournal, JournalData, ToJournal } from './protocol.ts';
import { isDamage, type Page, setAside, Store, Superseded } from './store.ts';

const NICE = 10;
const NO_PAGE: Page = { payloads: [], records: 0, damaged: 0, isLast: true };

const options = workerData as JournalData;
const port = parentPort!;
/** Opened when it is first needed, and again after it could not be opened. */
let store: Store | null = null;

function tell(message: FromJournal, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

function opened(): Store {
  store ??= Store.open(options, (what) => tell({ type: 'aside', what }));
  return store;
}

/** The next request begins a new file. */
function abandon(error: unknown): void {
  store?.close();
  store = null;
  tell({ type: 'aside', what: { file: setAside(options.file), reason: (error as Error).message } });
}

function write(payload: Uint8Array): void {
  try {
    const records = opened().write(payload);
    tell({ type: 'written', records, bytes: payload.length });
  } catch (error) {
    if (isDamage(error)) abandon(error);
    tell({ type: 'notWritten', message: (error as Error).message, final: error instanceof Superseded });
  }
}

function page(): void {
  try {
    const page = opened().page();
    tell(
      { type: 'page', page },
      page.payloads.map(({ buffer }) => buffer),
    );
  } catch (error) {
    if (isDamage(error)) {
      abandon(error);
      tell({ type: 'page', page: NO_PAGE });
    } else tell({ type: 'noPage', message: (error as Error).message });
  }
}

// Linux: of this thread alone.
if (process.platform === 'linux') setPriority(NICE);
port.on('message', (request: ToJournal) => {
  if (request.type === 'write') write(request.payload);
  else if (request.type === 'page') page();
  else {
    store?.close();
    port.close();
  }
});
