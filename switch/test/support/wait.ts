/** Waiting in tests. */

/** Resolves when `ready` gives something; fails after `patienceMs`. */
export async function until<T>(ready: () => T | undefined | false | null, patienceMs = 3000): Promise<T> {
  const untilMs = performance.now() + patienceMs;
  for (;;) {
    const value = ready();
    if (value) return value;
    if (performance.now() > untilMs) throw new Error(`not within ${patienceMs} ms: ${ready}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
