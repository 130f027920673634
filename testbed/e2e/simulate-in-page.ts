/** The page of simulations-in-a-page: plays seeds, as Node does. */
import { type Outcome, play } from '../../wasm-core/sim/play.ts';
import type { Scenario } from '../../wasm-core/sim/scenario.ts';
import { drawScenario } from '../../wasm-core/sim/swarm.ts';

/** What came of it, and how long it took, ms. */
export interface PagePlay {
  outcome: Outcome;
  tookMs: number;
}

let compiled: Promise<WebAssembly.Module> | undefined;

/** @param what  a seed with its minutes of load, or a scenario */
async function playHere(what: { seed: number; minutes: number } | { scenario: Scenario }): Promise<PagePlay> {
  compiled ??= WebAssembly.compileStreaming(fetch('/core.wasm'));
  const module = await compiled;
  const scenario = 'scenario' in what ? what.scenario : drawScenario(what.seed, { minutes: what.minutes });
  const began = performance.now();
  const outcome = play(scenario, module);
  return { outcome, tookMs: performance.now() - began };
}

declare global {
  var playInPage: typeof playHere;
}
globalThis.playInPage = playHere;
