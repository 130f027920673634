/** µs since the Unix epoch, never going back while the process lives. */
export function nowUs(): number {
  return (performance.timeOrigin + performance.now()) * 1000;
}
