/**
 * A session of the lab: a scenario, what the user did and when, and the moment that is looked at. The simulation is
 * deterministic, so every moment is reached again by running from the beginning with the same acts.
 */
import { Callee } from '../../wasm-core/sim/phone/callee.ts';
import type { CallSpec, FaultSpec, Scenario } from '../../wasm-core/sim/scenario.ts';
import { type Observer, Simulation } from '../../wasm-core/sim/simulation.ts';

/** A fault without its moment. */
export type Fault = FaultSpec extends infer Each
  ? Each extends { atMs: number }
    ? Omit<Each, 'atMs'>
    : never
  : never;

/** What a user can do. */
export type Deed =
  | { kind: 'call'; call: Omit<CallSpec, 'atMs'> }
  | { kind: 'fault'; fault: Fault }
  /** Ends the `nth` of the faults that last. */
  | { kind: 'heal'; nth: number }
  | { kind: 'heal-all' }
  /** A person takes a phone, or gives it back: it no longer answers by itself. */
  | { kind: 'take'; phone: string; isTaken: boolean }
  | { kind: 'answer' | 'hang-up'; phone: string; callId: string };

export type Act = Deed & { /** Virtual time, µs. */ atUs: number };

/** As long as a simulation lasts: a fault that the user ends, ms. */
export const UNTIL_HEALED_MS = 1_000_000_000;

/** Events between two looks at the clock. */
const EVENTS_PER_LOOK = 32;

export class Session {
  readonly scenario: Scenario;
  readonly #module: WebAssembly.Module;
  readonly #observers: () => Observer[];
  #simulation: Simulation;
  #acts: Act[];
  /** Those of `acts` that have been done. */
  #done = 0;

  /**
   * @param observers  asked for whenever the session begins anew: who looks at this run
   * @throws RangeError for a scenario that makes no sense
   */
  constructor(
    scenario: Scenario,
    module: WebAssembly.Module,
    observers: () => Observer[] = () => [],
    acts: readonly Act[] = [],
  ) {
    this.scenario = scenario;
    this.#module = module;
    this.#observers = observers;
    this.#acts = [...acts];
    this.#simulation = new Simulation(scenario, module, observers());
  }

  get simulation(): Simulation {
    return this.#simulation;
  }

  get nowUs(): number {
    return this.#simulation.nowUs;
  }

  /** In the order of their times; those after the present moment were done before a rewind and will be done again. */
  get acts(): readonly Act[] {
    return this.#acts;
  }

  /** From the beginning, with the same acts. */
  restart(): void {
    this.#done = 0;
    this.#simulation = new Simulation(this.scenario, this.#module, this.#observers());
  }

  /** Does something now. What was done later, before a rewind, is forgotten: this is another course of events. */
  act(deed: Deed): void {
    // All that is due at this moment comes first, so that a second run meets the same state.
    this.#simulation.runUntil(this.nowUs);
    if (this.#simulation.isOver) return;
    this.#acts.length = this.#done;
    const act: Act = { ...deed, atUs: this.nowUs };
    this.#acts.push(act);
    this.#done++;
    this.#do(act);
  }

  /** The next event, or the next act of before a rewind. False when all is over. */
  step(): boolean {
    const act = this.#acts[this.#done];
    const nextUs = this.#simulation.scheduler.nextUs();
    if (act !== undefined && (nextUs === undefined || nextUs > act.atUs)) {
      this.#simulation.runUntil(act.atUs);
      if (this.#simulation.isOver) return false;
      this.#done++;
      this.#do(act);
      return true;
    }
    return this.#simulation.step();
  }

  /**
   * Runs to a moment of virtual time, or to the end.
   * @param isTimeUp  asked every few events: true stops earlier
   * @returns whether it got there
   */
  runUntil(us: number, isTimeUp: () => boolean = () => false): boolean {
    for (let events = 0; ; events++) {
      const nextUs = Math.min(
        this.#simulation.scheduler.nextUs() ?? Number.POSITIVE_INFINITY,
        this.#acts[this.#done]?.atUs ?? Number.POSITIVE_INFINITY,
      );
      if (this.#simulation.isOver || nextUs > us) break;
      if (!this.step()) return true;
      if (events % EVENTS_PER_LOOK === EVENTS_PER_LOOK - 1 && isTimeUp()) return false;
    }
    this.#simulation.runUntil(us);
    return true;
  }

  #do(act: Act): void {
    const sim = this.#simulation;
    const atMs = act.atUs / 1_000;
    switch (act.kind) {
      case 'call':
        sim.place({ ...act.call, atMs });
        return;
      case 'fault':
        sim.faults.begin({ ...act.fault, atMs });
        return;
      case 'heal': {
        const fault = sim.faults.open[act.nth];
        if (fault !== undefined) sim.faults.end(fault);
        return;
      }
      case 'heal-all':
        sim.faults.healAll();
        return;
      case 'take': {
        const phone = sim.phone(act.phone);
        if (phone !== undefined) phone.isManual = act.isTaken;
        return;
      }
      case 'answer':
      case 'hang-up': {
        const call = sim.phone(act.phone)?.calls.list.find(({ callId }) => callId === act.callId);
        if (act.kind === 'hang-up') call?.hangUp();
        else if (call instanceof Callee) call.answer();
      }
    }
  }
}
