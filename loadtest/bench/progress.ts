/** What a run is doing now, on the terminal: one line that counts the seconds, replaced by what came out of it. */

/** Runs one step and shows it; `work` is given a function that says how many seconds of it are done. */
export async function step<T>(
  what: string,
  seconds: number,
  work: (tick: (done: number) => void) => Promise<T>,
  outcome: (result: T) => string,
): Promise<T> {
  const live = process.stdout.isTTY;
  if (live) process.stdout.write(`${what} ...`);
  else console.log(`${what} ... (${Math.round(seconds)} s)`);
  const tick = (done: number) => {
    if (live) process.stdout.write(`\r${what} ... ${Math.round(done)} of ${Math.round(seconds)} s\u001b[K`);
  };
  const result = await work(tick);
  console.log(`${live ? '\r\u001b[K' : '  '}${live ? `${what}: ` : ''}${outcome(result)}`);
  return result;
}
