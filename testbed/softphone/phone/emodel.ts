/**
 * Conversational quality by the E-model of ITU-T G.107 (06/2015): the rating R from delay and loss, and from it a
 * mean opinion score.
 */

/** R with every parameter at its default and no impairment by delay, codec or loss (G.107 table 3 gives 93.2). */
export const R_DEFAULT = 93.2;

/** Equipment impairment factor and packet-loss robustness of a codec. */
export interface CodecImpairment {
  /** Impairment without loss, on the narrow-band scale (G.113 appendix I). */
  ie: number;
  /** Loss robustness, larger is more robust (G.113 appendix I). */
  bpl: number;
}

/** G.711 with packet-loss concealment and random loss, G.113 table I.4. */
const G711: CodecImpairment = { ie: 0, bpl: 25.1 };

/**
 * G.113 knows no value for Opus, and G.722 only on the wide-band scale. Browsers conceal loss for all of them in
 * the same way, so that the values of G.711 are a careful estimate from below.
 */
const IMPAIRMENTS: Record<string, CodecImpairment> = { PCMU: G711, PCMA: G711, G722: G711, OPUS: G711 };

/** @param codec name as in SDP, any case; unknown ones count as G.711 */
export function codecImpairment(codec: string): CodecImpairment {
  return IMPAIRMENTS[codec.toUpperCase()] ?? G711;
}

/**
 * Impairment by delay: the fit to G.107's Id that Cole and Rosenbluth give (Voice over IP Performance Monitoring,
 * ACM CCR 31(2), 2001, section 4): 0.024 d + 0.11 (d − 177.3) H(d − 177.3).
 *
 * @param delayMs mouth to ear, one way
 */
export function delayImpairment(delayMs: number): number {
  return 0.024 * delayMs + 0.11 * Math.max(0, delayMs - 177.3);
}

/**
 * Effective equipment impairment, G.107 equation 7-29 with BurstR = 1 (random loss):
 * Ie,eff = Ie + (95 − Ie) · Ppl / (Ppl / BurstR + Bpl).
 *
 * @param lossPct packets lost, 0..100
 */
export function lossImpairment(lossPct: number, codec: CodecImpairment): number {
  return codec.ie + ((95 - codec.ie) * lossPct) / (lossPct + codec.bpl);
}

/** The rating R, 0..93.2. */
export function rating(delayMs: number, lossPct: number, codec: CodecImpairment): number {
  const r = R_DEFAULT - delayImpairment(delayMs) - lossImpairment(lossPct, codec);
  return Math.max(0, Math.min(R_DEFAULT, r));
}

/** Estimated mean opinion score, 1..4.5, from R (G.107 annex B, equation B-4). */
export function mosOf(r: number): number {
  if (r <= 0) return 1;
  if (r >= 100) return 4.5;
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

export type Grade = 'excellent' | 'good' | 'fair' | 'poor' | 'bad';

/** User satisfaction by R, with the limits of G.107 annex B table B.1 (90, 80, 70, 60). */
export function grade(r: number): Grade {
  if (r >= 90) return 'excellent';
  if (r >= 80) return 'good';
  if (r >= 70) return 'fair';
  return r >= 60 ? 'poor' : 'bad';
}
