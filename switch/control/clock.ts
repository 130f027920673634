/** The clock of both threads. */
import { performance } from 'node:perf_hooks';

const originUs = performance.timeOrigin * 1000;

/** µs since the Unix epoch, never going back while the process lives. */
export function nowUs(): number {
  return originUs + performance.now() * 1000;
}

/** The same for a moment of `performance.now()`, ms. */
export function msToUs(ms: number): number {
  return originUs + ms * 1000;
}

/** Writes it to `times[i]`: a number that is returned would be garbage. */
export function stampUs(times: Float64Array, i: number): void {
  times[i] = originUs + performance.now() * 1000;
}
