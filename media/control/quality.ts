/** Quality of a leg, from its counters. */
import type { LegStats, SdpVariant } from '../protocol.ts';
import type { EndpointStats, Flow } from './engine.ts';
import { meanOpinionScore } from './mos.ts';

/** Packets before which a score would say nothing: one second of 20 ms packets. */
const SCORED_PACKETS_MIN = 50;

/** One leg as the protocol tells it; figures with two decimals. */
export function legStats(
  leg: number,
  variant: SdpVariant,
  flow: Flow | null,
  held: boolean,
  stats: EndpointStats,
): LegStats {
  const codec = flow?.receive[0]?.kind.key ?? null;
  const { lossPct, jitterMs, rttMs, packetsIn } = stats;
  const scored = codec !== null && packetsIn >= SCORED_PACKETS_MIN;
  return {
    leg,
    variant,
    transport: variant === 'plain' ? 'udp' : 'webrtc',
    path: stats.path,
    codec,
    localPort: stats.localPort,
    remote: stats.remote,
    packetsIn,
    packetsOut: stats.packetsOut,
    lossPct: round(lossPct),
    jitterMs: round(jitterMs),
    rttMs: rttMs === null ? null : round(rttMs),
    mos: scored ? round(meanOpinionScore({ codec, lossPct, jitterMs, rttMs })) : null,
    held,
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
