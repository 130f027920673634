/**
 * `window.strowgerLab`: a thin handle on the lab for end-to-end tests and measurements. Pages may not rely on it.
 *
 * Stable `data-testid` attributes: `play`, `step`, `restart`, `speed`, `fastest`, `timeline`, `hash`, `virtual-time`,
 * `phone-<name>`, `node-<name>`, `open`, `share`, `inspector`, `ladder`, `rung`, `message`, `trace`, `failure`, `core-sha256`.
 */
import { type Outcome, outcomeOf } from '../../wasm-core/sim/play.ts';
import { readScenario } from '../../wasm-core/sim/scenario-file.ts';
import type { Scenario } from '../../wasm-core/sim/scenario.ts';
import { Simulation } from '../../wasm-core/sim/simulation.ts';
import { drawScenario, type SwarmOptions } from '../../wasm-core/sim/swarm.ts';
import type { ToneName } from '../softphone/browser/tones.ts';
import type { Lab } from './lab.svelte.ts';
import type { Source } from './link.ts';
import { builtIn } from './scenarios.ts';
import type { View } from './view-model.ts';

export interface LabOutcome extends Outcome {
  /** Real time that it took, ms. */
  realMs: number;
}

export interface StrowgerLab {
  /** SHA-256 of the core, hexadecimal. */
  readonly coreSha256: string;
  readonly view: View;
  /** What is heard, null for silence. */
  readonly tone: ToneName | null;
  /** Plays the scenario of a seed to its end, apart from what the page shows. */
  runSeed(seed: number, options?: SwarmOptions): LabOutcome;
  /** The same of a scenario file's text, or of a scenario of the page by its id. */
  runScenario(json: string): LabOutcome;
  runBuiltIn(id: string): LabOutcome;
  /** Shows something else. */
  open(source: Source): void;
  /** Virtual time, µs. */
  seek(us: number): void;
}

declare global {
  interface Window {
    strowgerLab?: StrowgerLab;
  }
}

export function exposeHook(lab: Lab): void {
  const run = (scenario: Scenario): LabOutcome => {
    const beginMs = performance.now();
    const simulation = new Simulation(scenario, lab.module);
    simulation.run();
    return { ...outcomeOf(simulation), realMs: performance.now() - beginMs };
  };
  window.strowgerLab = {
    coreSha256: lab.sha256,
    get view() {
      return lab.view;
    },
    get tone() {
      return lab.sounds.playing;
    },
    runSeed: (seed, options) => run(drawScenario(seed, options)),
    runScenario: (json) => run(readScenario(json)),
    runBuiltIn: (id) => run(builtIn(id)!.make()),
    open: (source) => lab.open(source),
    seek: (us) => lab.seek(us),
  };
}
