/**
 * An open-loop prober as the generator of calls: it sends on a fixed schedule and measures, by kernel receive stamps, the
 * latency that the proxy adds.
 */
import type { Generator } from './generator.ts';
import type { Latency } from './results.ts';

/** What the prober is asked for. */
export interface ProbeOptions {
  /** `127.0.0.1:port` */
  proxy: string;
  callsPerSecond: number;
  seconds: number;
  /** Default 2. */
  warmupSeconds?: number;
  holdMs: number;
  /** The proxy's process tree, whose CPU is measured. */
  pid: number;
  onProgress?: (doneSeconds: number) => void;
}

/** What of its result is used. Times in µs. */
export interface ProbeResult {
  calls: number;
  failed: number;
  lost: number;
  retransmissions: number;
  lateUs: Latency;
  /** By kind of message; `all` is of all kinds together. */
  added: Record<string, Latency>;
  cpuUsPerCall?: number;
}

export function proberGenerator(probe: (options: ProbeOptions) => Promise<ProbeResult>): Generator {
  return {
    title: 'open-loop prober',
    async run(peer, load) {
      const { added, lateUs, cpuUsPerCall, calls, failed, lost, retransmissions } = await probe({
        ...load,
        proxy: peer.sip,
        pid: peer.pid,
      });
      const { all, ...addedUsByKind } = added;
      if (!all || cpuUsPerCall === undefined) throw new Error('the prober measured no latency or no CPU');
      const latency = { addedUs: all, addedUsByKind, lateUs };
      return { calls, failed, lost, retransmissions, cpuUsPerCall, latency };
    },
  };
}
