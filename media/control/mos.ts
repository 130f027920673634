/**
 * Mean opinion score estimated from network measurements: the E-model, ITU-T G.107 (06/2015).
 *
 * R = Ro - Is - Id - Ie,eff + A (clause 7.1). With the default values of its table 2, Ro - Is = 93.2 and A = 0. What
 * remains are the delay impairment Id (clause 7.4; echo is taken to be cancelled, so it is Idd only) and the effective
 * equipment impairment Ie,eff (clause 7.5).
 */
import type { CodecKey } from '../sdp/codec.ts';

/** What a codec costs, on the scale of narrow-band calls. */
interface CodecImpairment {
  /** Equipment impairment factor without loss, Ie. */
  ie: number;
  /** Robustness against random packet loss, Bpl. */
  bpl: number;
}

/** Rating of a call with the default values of G.107 table 2. */
export const R_DEFAULT = 93.2;
/** Delay that nobody notices, ms (clause 7.4). */
const DELAY_UNNOTICED_MS = 100;

/** G.711 with concealment of lost packets (G.113 (11/2007) appendix I, table I.4). */
const G711: CodecImpairment = { ie: 0, bpl: 25.1 };

/**
 * G.113 has values of G.722 on the wide-band scale of G.107.1 only, which can't be compared with this one, and none of
 * opus. Neither is worse than G.711, so both are taken to be like it: an estimate of ours.
 */
const IMPAIRMENTS: Partial<Record<CodecKey, CodecImpairment>> = {
  'PCMU/8000': G711,
  'PCMA/8000': G711,
  'G722/8000': G711,
  'opus/48000/2': G711,
};

/** Idd of clause 7.4, for the absolute one-way delay in ms. */
export function delayImpairment(oneWayDelayMs: number): number {
  if (oneWayDelayMs <= DELAY_UNNOTICED_MS) return 0;
  const x = Math.log2(oneWayDelayMs / DELAY_UNNOTICED_MS);
  return 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2);
}

/** Ie,eff of clause 7.5 with random losses (BurstR 1). @param lossPct 0..100. */
export function equipmentImpairment({ ie, bpl }: CodecImpairment, lossPct: number): number {
  return ie + (95 - ie) * (lossPct / (lossPct + bpl));
}

/** Mean opinion score of a rating, 1..4.5 (annex B). */
export function mosOfRating(r: number): number {
  // Below this the cubic of annex B falls under 1 and rises again.
  if (r <= 6.5) return 1;
  if (r >= 100) return 4.5;
  return 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
}

/** One direction of a call, as measured. */
export interface CallQuality {
  codec: CodecKey;
  /** Percent of packets lost, 0..100. */
  lossPct: number;
  /** Interarrival jitter, ms: the listener's buffer is taken to hold twice as much. */
  jitterMs: number;
  /** Network round trip, ms; null: unknown, taken as 0. */
  rttMs: number | null;
}

/** What a sender adds with 20 ms packets and 5 ms of look-ahead, ms. */
const PACKET_DELAY_MS = 25;

/** Estimated mean opinion score, 1..4.5. */
export function meanOpinionScore({ codec, lossPct, jitterMs, rttMs }: CallQuality): number {
  const delayMs = (rttMs ?? 0) / 2 + 2 * jitterMs + PACKET_DELAY_MS;
  const impairment = equipmentImpairment(IMPAIRMENTS[codec] ?? G711, lossPct);
  return mosOfRating(R_DEFAULT - delayImpairment(delayMs) - impairment);
}
