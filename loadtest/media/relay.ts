/** The media relays that are compared. */
import { startRtpengine } from './rtpengine.ts';
import { startStrowger } from './strowger.ts';

/** A relay that runs. */
export interface Relay {
  /** Root of its process tree. */
  pid: number;
  /**
   * Sets up a call between two phones.
   * @returns where each of them is to send.
   */
  call(caller: number, callee: number): Promise<[callerTo: number, calleeTo: number]>;
  stop(): Promise<unknown>;
}

export interface RelayKind {
  /** Names it on the command line. */
  id: string;
  /** Names it in results. */
  title: string;
  /** Whether packets are let gather, where that can be chosen. */
  batchWait?: string;
  start(calls: number): Promise<Relay>;
}

/** The first one is what is set up by default. */
export const RELAYS: readonly RelayKind[] = [
  {
    id: 'edge',
    title: 'Strowger plain to plain (edge)',
    batchWait: 'auto',
    start: (calls) => startStrowger({ calls, plainToPlain: 'edge' }),
  },
  {
    id: 'edge-no-wait',
    title: 'Strowger plain to plain (edge)',
    batchWait: 'off',
    start: (calls) => startStrowger({ calls, plainToPlain: 'edge', batchBudgetUs: 0 }),
  },
  {
    id: 'mediasoup',
    title: 'Strowger plain to plain (mediasoup)',
    batchWait: 'auto',
    start: (calls) => startStrowger({ calls, plainToPlain: 'mediasoup' }),
  },
  { id: 'rtpengine', title: 'rtpengine userspace', start: (calls) => startRtpengine(calls) },
];
