/** Notices calls on which no media comes any more: a party that has vanished without a BYE. */
import type { CallTable } from './call-table.ts';
import type { Call } from './call.ts';

/** How often it looks within the allowed time. */
const LOOKS = 8;
const LOOK_MS_MIN = 250;
const LOOK_MS_MAX = 5_000;

interface Heard {
  /** What had come from each endpoint, added up. */
  received: number;
  sinceMs: number;
  /** The call was reported. */
  told: boolean;
}

/** How often to look, ms. */
export function lookEveryMs(timeoutS: number): number {
  return Math.min(LOOK_MS_MAX, Math.max(LOOK_MS_MIN, (timeoutS * 1000) / LOOKS));
}

/** Looks when it is told to, so that tests have the time in their hands. */
export class SilenceWatch {
  readonly #calls: CallTable;
  readonly #timeoutMs: number;
  readonly #onSilent: (call: string) => void;
  readonly #heard = new WeakMap<Call, Heard>();

  /** @param onSilent called once per call; before a final answer, after each such time. */
  constructor(calls: CallTable, timeoutS: number, onSilent: (call: string) => void) {
    this.#calls = calls;
    this.#timeoutMs = timeoutS * 1000;
    this.#onSilent = onSilent;
  }

  /** Looks at all calls. @param nowMs a monotonic clock. */
  async look(nowMs: number): Promise<void> {
    const calls = [...this.#calls.entries()].filter(([, call]) => call.isConnected);
    await Promise.all(calls.map(([id, call]) => this.#lookAt(id, call, nowMs)));
  }

  async #lookAt(id: string, call: Call, nowMs: number): Promise<void> {
    const counts = await Promise.all(call.endpoints.map((endpoint) => endpoint.received()));
    const received = counts.reduce((sum, count) => sum + count, 0);
    const heard = this.#heard.get(call);
    // A call on hold may be silent for as long as it likes, and its time begins anew afterwards.
    if (!heard || heard.received !== received || call.isHeld) {
      this.#heard.set(call, { received, sinceMs: nowMs, told: heard?.told ?? false });
    } else if (!heard.told && nowMs - heard.sinceMs >= this.#timeoutMs) {
      // A call that rings may be silent; if it was answered by a message without a body, we are not told.
      if (call.isAnswered) heard.told = true;
      else heard.sinceMs = nowMs;
      this.#onSilent(id);
    }
  }
}
