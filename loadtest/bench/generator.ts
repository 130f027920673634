/** What places calls through a proxy. */
import type { Peer } from '../peers/peer.ts';
import type { Latency } from './results.ts';

export interface Load {
  callsPerSecond: number;
  seconds: number;
  /** As much load before that is not counted, s. Default 2. */
  warmupSeconds?: number;
  /** From answer to BYE, ms. */
  holdMs: number;
  /** Called about once a second, with the seconds since the first call; not in a warm-up. */
  onProgress?: (doneSeconds: number) => void;
}

/** What became of one run. */
export interface CallRun {
  calls: number;
  failed: number;
  /** Messages that never came; 0 where the generator repeats them, which are retransmissions then. */
  lost: number;
  retransmissions: number;
  /** User and system time of the proxy's process tree per call, µs. */
  cpuUsPerCall: number;
  /** Only of a generator that measures it. */
  latency?: CallLatency;
}

export interface CallLatency {
  /** Latency that the proxy adds, per message of any kind, µs. */
  addedUs: Latency;
  /** The same by kind of message. */
  addedUsByKind: Record<string, Latency>;
  /** How late the generator sent, µs. */
  lateUs: Latency;
}

export interface Generator {
  title: string;
  run: (peer: Peer, load: Load) => Promise<CallRun>;
}
