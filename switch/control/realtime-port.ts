/** What the control thread needs of the realtime thread; ../realtime/realtime.ts implements it, tests fake it. */

import type { HistogramSnapshot } from './histogram.ts';

/** Counters of the realtime thread, read at any time without disturbing it. */
export interface RealtimeReading {
  /** Counters of the core, C_* in abi.ts. */
  counters: ArrayLike<number>;
  /** Bytes waiting in the ring to the core, and in the one from it. */
  ringToCoreBytes: number;
  ringFromCoreBytes: number;
  /** Datagrams that the system dropped because the socket was full, and that could not be sent. */
  droppedIn: number;
  droppedOut: number;
  /** Time of one step of the core (a batch of events). */
  step: HistogramSnapshot;
  /** Time of the core per event. */
  core: HistogramSnapshot;
  coreBreaches: number;
  /** Wait of a datagram in socket and ring. */
  queue: HistogramSnapshot;
  queueBreaches: number;
  /** How often the thread waited for a batch to gather, and for how long in all. */
  batchWaits: number;
  batchWaitUs: number;
  /** JavaScript heap of the thread in use. */
  heapBytes: number;
  /** How often the core has trapped and was replaced. */
  traps: number;
}

export interface RealtimePort {
  /** Passes an event frame to the core. @returns false when the ring is full. */
  send(frame: Uint8Array): boolean;
  /** Called with each effect frame; the view is valid only during the call. */
  onFrame: (frame: Uint8Array) => void;
  /** Takes a bank (users, routes, trunks) into use. @throws when the core refuses it; the old one stays. */
  setBank(bank: SharedArrayBuffer): Promise<void>;
  read(): RealtimeReading;
  close(): Promise<void>;
}
