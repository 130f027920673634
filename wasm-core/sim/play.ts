/** Plays a scenario from beginning to end. */
import type { Scenario } from './scenario.ts';
import { type Failure, type Observer, Simulation } from './simulation.ts';

/** What came of it. */
export interface Outcome {
  seed: number;
  /** Virtual time that was played, µs. */
  virtualUs: number;
  messages: number;
  callsPlaced: number;
  callsAnswered: number;
  /** Trace hash, 16 hexadecimal digits. */
  hash: string;
  failure?: Failure;
}

/** @param module  the core, compiled */
export function play(scenario: Scenario, module: WebAssembly.Module, observers: Observer[] = []): Outcome {
  const simulation = new Simulation(scenario, module, observers);
  simulation.run();
  return outcomeOf(simulation);
}

export function outcomeOf(simulation: Simulation): Outcome {
  const { seed, nowUs, messages, callsPlaced, callsAnswered, hash, failure } = simulation;
  return {
    seed,
    virtualUs: nowUs,
    messages,
    callsPlaced,
    callsAnswered,
    hash,
    ...(failure !== undefined && { failure }),
  };
}
