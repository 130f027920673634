/**
 * How long the realtime thread lets a batch gather before it looks at its sockets again. A wake-up costs more than a
 * message, so at a high rate it is cheaper to sleep for a fixed time than to be woken by each; the price is latency,
 * and the budget of the queue stage says how much of it there is. At low rates there is no wait at all.
 */

/** Part of the budget that is given to waiting; the rest is for waking up and for the batch before. */
const BUDGET_PART = 0.5;
/** The rate is measured over windows of this length; each counts half. */
const WINDOW_US = 5_000;

/** Follows the load of one thread. */
export class BatchWait {
  readonly #maxUs: number;
  readonly #messagesMin: number;
  #perUs = 0;
  #events = 0;
  #sinceUs = 0;

  /**
   * @param budgetUs  of the queue stage; 0: never wait
   * @param messagesMin  fewer in a wait are not worth its own wake-up
   */
  constructor(budgetUs: number, messagesMin: number) {
    this.#messagesMin = messagesMin;
    this.#maxUs = budgetUs * BUDGET_PART;
  }

  /**
   * @param events taken by the last look at the sockets.
   * @returns µs to sleep before the next look; 0: block until something comes.
   */
  next(events: number, nowUs: number): number {
    this.#events += events;
    const passed = nowUs - this.#sinceUs;
    if (passed >= WINDOW_US) {
      this.#perUs = (this.#perUs + this.#events / passed) / 2;
      this.#events = 0;
      this.#sinceUs = nowUs;
    }
    // Nothing came although it was expected: the burst is over.
    return events > 0 && this.#perUs * this.#maxUs >= this.#messagesMin ? this.#maxUs : 0;
  }
}
