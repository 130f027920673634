/** Asks the core a small question every second. When it gives no answer for several seconds, the node is of no use. */
import { QUERY_CALL } from '../../wasm-core/assembly/abi.ts';
import { CoreUnavailableError, type CoreLink } from './core-link.ts';
import type { Logger } from './log.ts';

const PERIOD_MS = 1000;
/** Questions in a row without an answer, each of which waits for 2 s. */
const MISSED_MAX = 3;

/** Watches one core. */
export class Watchdog {
  readonly #link: CoreLink;
  readonly #log: Logger;
  readonly #stuck: () => void;
  #timer: NodeJS.Timeout | null = null;
  #missed = 0;
  #asking = false;

  /** @param stuck called when the core has stopped answering; should end the process. */
  constructor(link: CoreLink, log: Logger, stuck: () => void) {
    this.#link = link;
    this.#log = log;
    this.#stuck = stuck;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#ask(), PERIOD_MS);
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      await this.#link.query(QUERY_CALL, 0, 1, { generation: 0 });
      this.#missed = 0;
    } catch (error) {
      if (!(error instanceof CoreUnavailableError)) throw error;
      this.#miss();
    } finally {
      this.#asking = false;
    }
  }

  #miss(): void {
    if (this.#timer === null) return;
    this.#missed++;
    this.#log.error({ missed: this.#missed }, 'the core gives no answer');
    if (this.#missed < MISSED_MAX) return;
    this.stop();
    this.#log.fatal('the core is stuck: the node ends');
    this.#stuck();
  }
}
