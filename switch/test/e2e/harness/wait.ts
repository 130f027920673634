/** Waiting for what other programs do, always bounded. */

/** Resolves after that many milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Thrown by a check of {@link eventually} when waiting on is pointless. */
export class GiveUp extends Error {}

/**
 * Calls `check` every `everyMs` until it returns something truthy, and returns that.
 * Errors of `check` count as "not yet", except {@link GiveUp}. After `timeoutMs` it throws, naming `what` and the last error.
 */
export async function eventually<T>(
  what: string,
  check: () => T | Promise<T>,
  timeoutMs = 5_000,
  everyMs = 50,
): Promise<NonNullable<T>> {
  const endAt = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value) return value;
      last = value;
    } catch (error) {
      if (error instanceof GiveUp) throw error;
      last = error instanceof Error ? error.message : error;
    }
    if (performance.now() >= endAt)
      throw new Error(`${what}: not within ${timeoutMs} ms (last: ${String(last)})`);
    await sleep(everyMs);
  }
}

/** What came, kept in order, with readers that wait for the first entry that fits and take it. */
export class Mailbox<T> {
  /** Everything that came, taken or not. */
  readonly all: T[] = [];
  #untaken: T[] = [];
  #waiters: { fits: (item: T) => boolean; resolve: (item: T) => void }[] = [];

  push(item: T): void {
    this.all.push(item);
    const index = this.#waiters.findIndex((waiter) => waiter.fits(item));
    if (index < 0) this.#untaken.push(item);
    else this.#waiters.splice(index, 1)[0]!.resolve(item);
  }

  /** Gives an item back that was taken but not used. */
  putBack(item: T): void {
    this.#untaken.unshift(item);
  }

  /** Takes the first untaken item that fits, or undefined. */
  poll(fits: (item: T) => boolean = () => true): T | undefined {
    const index = this.#untaken.findIndex(fits);
    return index < 0 ? undefined : this.#untaken.splice(index, 1)[0];
  }

  /** Takes the first item that fits, waiting for it; throws after `timeoutMs` with `describe` of what came instead. */
  take(
    what: string,
    fits: (item: T) => boolean,
    timeoutMs: number,
    describe: (item: T) => string,
  ): Promise<T> {
    const ready = this.poll(fits);
    if (ready !== undefined) return Promise.resolve(ready);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((one) => one !== waiter);
        const came = this.all.slice(-12).map(describe).join('\n  ') || 'nothing';
        reject(new Error(`${what}: not within ${timeoutMs} ms; what came:\n  ${came}`));
      }, timeoutMs);
      const waiter = {
        fits,
        resolve: (item: T) => {
          clearTimeout(timer);
          resolve(item);
        },
      };
      this.#waiters.push(waiter);
    });
  }
}
