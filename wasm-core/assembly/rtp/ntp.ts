/** NTP timestamps (RFC 3550 4) of µs since the Unix epoch. */

/** Seconds from 1900 to 1970. */
const ERA_SECONDS: u64 = 2208988800;

function seconds(nowUs: f64): u64 {
  return (nowUs / 1e6) as u64;
}

export function ntpSeconds(nowUs: f64): u32 {
  return (seconds(nowUs) + ERA_SECONDS) as u32;
}

/** 1/2^32 s. */
export function ntpFraction(nowUs: f64): u32 {
  const us = nowUs - (seconds(nowUs) as f64) * 1e6;
  return (us * 4294.967296) as u32;
}

/** The middle 32 of the 64 bits: 1/65,536 s. */
export function ntpMid(nowUs: f64): u32 {
  return (ntpSeconds(nowUs) << 16) | (ntpFraction(nowUs) >>> 16);
}
