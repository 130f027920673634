/**
 * Says whether the realtime thread should work in batches (SCHED_BATCH: it does not interrupt who sends, and finds more each time that
 * it looks). That is cheaper where messages come in bursts, and where there are many of them; few that come one by one would
 * only wait.
 */

/** Means are taken over at least this long, and this many looks. */
const WINDOW_US = 100_000;
const LOOKS_MIN = 50;
/** Messages per look from which there are bursts, and below which there are none any more. */
const BURSTS_FROM = 3;
const NO_BURSTS_BELOW = 2;
/** Messages per second that are many, and below which they are no longer. */
const MANY_FROM = 10_000;
const FEW_BELOW = 8_000;

export class BatchAdvisor {
  #events = 0;
  #looks = 0;
  #sinceUs = 0;
  /** Whether to work in batches. */
  batches = false;

  /**
   * @param events found by the last look
   * @returns whether `batches` has changed
   */
  next(events: number, nowUs: number): boolean {
    if (events === 0) return false;
    this.#events += events;
    this.#looks++;
    const tookUs = nowUs - this.#sinceUs;
    if (this.#looks < LOOKS_MIN || tookUs < WINDOW_US) return false;
    const perLook = this.#events / this.#looks;
    const perS = (this.#events / tookUs) * 1e6;
    this.#events = 0;
    this.#looks = 0;
    this.#sinceUs = nowUs;
    const { batches } = this;
    this.batches =
      perLook >= (batches ? NO_BURSTS_BELOW : BURSTS_FROM) || perS >= (batches ? FEW_BELOW : MANY_FROM);
    return batches !== this.batches;
  }
}
