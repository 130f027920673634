/** G.711 µ-law (ITU-T G.711), one sample at a time. */

const BIAS = 0x84;
const CLIP = 32_635;

/** Encodes a 16-bit sample. */
export function encodeMuLaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), CLIP) + BIAS;
  const exponent = 31 - Math.clz32(magnitude >> 7);
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

/** Decodes to a 16-bit sample. */
export function decodeMuLaw(byte: number): number {
  const bits = ~byte & 0xff;
  const exponent = (bits >> 4) & 0x07;
  const magnitude = (((bits & 0x0f) << 3) + BIAS) << exponent;
  return bits & 0x80 ? BIAS - magnitude : magnitude - BIAS;
}
