/**
 * Notices whether messages come in bursts, from how many the realtime thread finds each time that it looks. Where they do, it is cheaper
 * not to interrupt whoever sends them (SCHED_BATCH): the thread finds the rest of the burst, too. Where they come one by one,
 * that would only make them wait.
 */

/** The mean is taken over at least this long, and this many looks. */
const WINDOW_US = 100_000;
const LOOKS_MIN = 50;
/** Messages per look from which there are bursts, and below which there are none any more. */
const BURSTS_FROM = 3;
const NONE_BELOW = 2;

export class BurstDetector {
  #events = 0;
  #looks = 0;
  #sinceUs = 0;
  /** Whether messages come in bursts. */
  bursts = false;

  /**
   * @param events found by the last look
   * @returns whether `bursts` has changed
   */
  next(events: number, nowUs: number): boolean {
    if (events === 0) return false;
    this.#events += events;
    this.#looks++;
    if (this.#looks < LOOKS_MIN || nowUs - this.#sinceUs < WINDOW_US) return false;
    const mean = this.#events / this.#looks;
    this.#events = 0;
    this.#looks = 0;
    this.#sinceUs = nowUs;
    const bursts = mean >= (this.bursts ? NONE_BELOW : BURSTS_FROM);
    if (bursts === this.bursts) return false;
    this.bursts = bursts;
    return true;
  }
}
