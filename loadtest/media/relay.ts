/** The media relays that are compared. */
import type { SrtpKeys } from './browser.ts';
import { startRtpengine } from './rtpengine.ts';
import { startStrowger } from './strowger.ts';

/** A call that is set up. */
export interface RelayedCall {
  /** Where its parties are to send, 0: this one only listens. */
  targets: [caller: number, callee: number];
  /** With what they are sent SRTP. */
  keys?: [caller: SrtpKeys | null, callee: SrtpKeys | null];
}

/** A relay that runs. */
export interface Relay {
  /** Root of its process tree. */
  pid: number;
  /** Sets up a call between a party on port `caller` and one on port `callee`; the ports are free meanwhile. */
  call(caller: number, callee: number): Promise<RelayedCall>;
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
  {
    id: 'webrtc',
    title: 'Strowger plain to WebRTC (one way)',
    batchWait: 'auto',
    start: (calls) => startStrowger({ calls, plainToPlain: 'edge', browsers: true }),
  },
  { id: 'rtpengine', title: 'rtpengine userspace', start: (calls) => startRtpengine(calls) },
];
