/**
 * Mean opinion score estimated from network measurements: the E-model, ITU-T G.107 (06/2015).
 *
 * R = Ro - Is - Id - Ie,eff + A (equation 7-1). With the default values of G.107 table 2, Ro - Is = 93.2 and A = 0;
 * what remains are the delay impairment Id (7.4, with perfect echo cancellation only Idd, equations 7-27 and 7-28) and
 * the effective equipment impairment Ie,eff (equation 7-29).
 */

/** Impairment factors of a codec, narrow-band scale. */
interface CodecImpairment {
  /** Equipment impairment factor without loss. */
  ie: number;
  /** Robustness against random packet loss. */
  bpl: number;
}

/** With the default values of G.107 table 2. */
export const R_DEFAULT = 93.2;
/** Delay that nobody notices, ms (7.4). */
const DELAY_UNNOTICED_MS = 100;

/**
 * - G.711 with packet loss concealment: Ie 0, Bpl 25.1 (G.113 (2007) appendix I table I.4).
 * - G.722 and opus have no values on the narrow-band scale. On the wideband one of G.113 table IV.3 G.722 at 64 kbit/s
 *   has Ie,wb 13 and Bpl 4.0 to 4.9; that 13 counts against a wide-band reference of R 129, better than any narrow-band
 *   call, so Ie is 0 here and the lower robustness is kept (4.9). For opus no Recommendation has values: Ie 0, and the
 *   Bpl of G.711 with concealment stands for its own concealment.
 */
const IMPAIRMENTS: Record<string, CodecImpairment> = {
  'PCMU/8000': { ie: 0, bpl: 25.1 },
  'PCMA/8000': { ie: 0, bpl: 25.1 },
  'G722/8000': { ie: 0, bpl: 4.9 },
  'opus/48000/2': { ie: 0, bpl: 25.1 },
};
const UNKNOWN: CodecImpairment = { ie: 0, bpl: 4.3 };

/** Idd of equations 7-27 and 7-28, for an absolute one-way delay in ms. */
export function delayImpairment(oneWayDelayMs: number): number {
  if (oneWayDelayMs <= DELAY_UNNOTICED_MS) return 0;
  const x = Math.log2(oneWayDelayMs / DELAY_UNNOTICED_MS);
  return 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2);
}

/** Ie,eff of equation 7-29 with random losses (BurstR 1). @param lossPct 0..100. */
export function equipmentImpairment({ ie, bpl }: CodecImpairment, lossPct: number): number {
  return lossPct === 0 ? ie : ie + (95 - ie) * (lossPct / (lossPct + bpl));
}

/** Mean opinion score of a rating, 1..4.5 (annex B, equation B-4). */
export function mosOfRating(r: number): number {
  if (r <= 6.5) return 1; // where the cubic would fall below 1
  if (r >= 100) return 4.5;
  return 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
}

export interface CallQuality {
  /** Such as `PCMU/8000`. */
  codec: string;
  /** Percent of packets lost, 0..100. */
  lossPct: number;
  /** Interarrival jitter, ms: the listener's buffer is taken to hold twice as much. */
  jitterMs: number;
  /** Network round trip, ms; null: unknown, taken as 0. */
  rttMs: number | null;
}

/** Packetization and codec look-ahead with 20 ms packets, ms. */
const PACKET_DELAY_MS = 25;

/** Estimated mean opinion score of one direction of a call, 1..4.5. */
export function meanOpinionScore({ codec, lossPct, jitterMs, rttMs }: CallQuality): number {
  const delayMs = (rttMs ?? 0) / 2 + 2 * jitterMs + PACKET_DELAY_MS;
  const impairment = equipmentImpairment(IMPAIRMENTS[codec] ?? UNKNOWN, lossPct);
  return mosOfRating(R_DEFAULT - delayImpairment(delayMs) - impairment);
}
