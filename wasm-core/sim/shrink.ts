/**
 * Makes a failing scenario small: leaves out faults, calls, phones and links, and puts plain values in the place of odd ones, as
 * long as the same checker still speaks (delta debugging, Zeller and Hildebrandt 2002).
 */
import { GOOD_LINK } from './network.ts';
import type { CallSpec, PhoneSpec, Scenario } from './scenario.ts';
import type { Failure } from './simulation.ts';

/** Plays a scenario; what went wrong, if anything. */
export type Play = (scenario: Scenario) => Failure | undefined;

export interface ShrinkOptions {
  /** Most scenarios that are played. Default 600. */
  runsMax?: number;
  onProgress?: (runs: number, scenario: Scenario) => void;
}

const RUNS_MAX = 600;

/** Lists of a scenario of which parts can be left out, most harmful first. */
const LISTS = ['faults', 'links', 'calls', 'phones', 'nodes'] as const;

/**
 * A scenario in which the same checker fails, as small as it was found to be within `runsMax` runs.
 * @param failure  of `scenario`
 */
export function shrink(
  scenario: Scenario,
  failure: Failure,
  play: Play,
  { runsMax = RUNS_MAX, onProgress }: ShrinkOptions = {},
): { scenario: Scenario; failure: Failure; runs: number } {
  const shrinker = new Shrinker(scenario, failure, play, runsMax, onProgress);
  shrinker.run();
  return { scenario: shrinker.best, failure: shrinker.failure, runs: shrinker.runs };
}

class Shrinker {
  best: Scenario;
  failure: Failure;
  runs = 0;
  readonly #play: Play;
  readonly #runsMax: number;
  readonly #onProgress: ShrinkOptions['onProgress'];

  constructor(
    scenario: Scenario,
    failure: Failure,
    play: Play,
    runsMax: number,
    onProgress: ShrinkOptions['onProgress'],
  ) {
    this.best = scenario;
    this.failure = failure;
    this.#play = play;
    this.#runsMax = runsMax;
    this.#onProgress = onProgress;
  }

  run(): void {
    this.#endSooner();
    for (let before = ''; before !== JSON.stringify(this.best) && this.runs < this.#runsMax; ) {
      before = JSON.stringify(this.best);
      for (const list of LISTS) this.#leaveOut(list);
      this.#endSooner();
      this.#plain();
    }
  }

  /** Whether the same checker still speaks; then `candidate` is the best so far. */
  #try(candidate: Scenario): boolean {
    if (this.runs >= this.#runsMax) return false;
    this.runs++;
    const failure = this.#play(candidate);
    this.#onProgress?.(this.runs, this.best);
    if (failure?.checker !== this.failure.checker) return false;
    this.best = candidate;
    this.failure = failure;
    return true;
  }

  /** Nothing that would begin after the failure matters, unless the failure is that something has not ended. */
  #endSooner(): void {
    const atMs = Math.ceil(this.failure.atUs / 1_000);
    const { faults, calls, durationMs } = this.best;
    if (atMs < durationMs) {
      this.#try({
        ...this.best,
        durationMs: atMs + 1,
        faults: faults.filter((fault) => fault.atMs <= atMs),
        calls: calls.filter((call) => call.atMs <= atMs),
      });
    }
    const last = Math.max(0, ...faults.map((fault) => fault.atMs), ...calls.map((call) => call.atMs));
    for (const ms of [last + 1, last + 60_000]) {
      if (ms < this.best.durationMs && this.#try({ ...this.best, durationMs: ms })) return;
    }
  }

  /** Leaves out halves, quarters and so on of a list, then single parts. */
  #leaveOut(name: (typeof LISTS)[number]): void {
    for (
      let size = Math.ceil(this.best[name].length / 2);
      size >= 1;
      size = size > 1 ? Math.ceil(size / 2) : 0
    ) {
      for (let from = 0; from < this.best[name].length; ) {
        const list = this.best[name] as unknown[];
        const rest = [...list.slice(0, from), ...list.slice(from + size)];
        if (!this.#try(consistent({ ...this.best, [name]: rest }))) from += size;
      }
    }
  }

  #plain(): void {
    this.#try({ ...this.best, link: GOOD_LINK });
    this.best.calls.forEach((_, i) => {
      for (const option of [
        'cancelMs',
        'calleeByeMs',
        'reinviteMs',
        'calleeReinviteMs',
        'loseAck',
      ] as const) {
        if (this.best.calls[i]?.[option] !== undefined) this.#withCall(i, { [option]: undefined });
      }
    });
    this.best.phones.forEach((phone, i) => {
      if (phone.hostilePerMille > 0) this.#withPhone(i, { hostilePerMille: 0 });
      if (phone.q !== undefined) this.#withPhone(i, { q: undefined });
      if (phone.transport !== 0) this.#withPhone(i, { transport: 0 });
      if (phone.registerAtMs > 0) this.#withPhone(i, { registerAtMs: 0 });
    });
  }

  #withCall(i: number, change: Partial<CallSpec>): void {
    const calls = this.best.calls.map((call, at) => (at === i ? { ...call, ...change } : call));
    this.#try({ ...this.best, calls });
  }

  #withPhone(i: number, change: Partial<PhoneSpec>): void {
    const phones = this.best.phones.map((phone, at) => (at === i ? { ...phone, ...change } : phone));
    this.#try({ ...this.best, phones });
  }
}

/** Without the phones of nodes that are not there. */
function consistent(scenario: Scenario): Scenario {
  const names = new Set(scenario.nodes.map(({ name }) => name));
  return { ...scenario, phones: scenario.phones.filter(({ node }) => names.has(node)) };
}
