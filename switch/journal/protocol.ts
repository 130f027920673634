/** What the control thread and the journal's thread say to each other. Each request has one answer; they come in their order. */
import type { Page, SetAside, StoreOptions } from './store.ts';

/** What the thread is started with. */
export type JournalData = StoreOptions;

export type ToJournal =
  /** Write these records, in one transaction. */
  | { type: 'write'; payload: Uint8Array<ArrayBuffer> }
  /** The next page of what is in the file. */
  | { type: 'page' }
  /** Nothing comes any more. */
  | { type: 'close' };

export type FromJournal =
  | { type: 'written'; records: number; bytes: number }
  /** `final`: another node writes to the file now. Otherwise it may work later. */
  | { type: 'notWritten'; message: string; final: boolean }
  | { type: 'page'; page: Page }
  | { type: 'noPage'; message: string }
  /** On its own, before the answer to what found it. */
  | { type: 'aside'; what: SetAside };
