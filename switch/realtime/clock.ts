/** µs since the Unix epoch, never going back, the same base in all threads of a machine. */
export function nowUs(): number {
  return (performance.timeOrigin + performance.now()) * 1000;
}
