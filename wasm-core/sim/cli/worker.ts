/** Plays fresh seeds, one after the other as they come; one in `REPEAT` twice, to see that it goes the same way. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Outcome, play } from '../play.ts';
import { drawScenario } from '../swarm.ts';

export interface WorkerInput {
  /** The core. */
  wasm: SharedArrayBuffer;
}

const REPEAT = 25;

const { wasm } = workerData as WorkerInput;
const module = new WebAssembly.Module(new Uint8Array(wasm).slice());

parentPort!.on('message', (seed: number) => {
  const scenario = drawScenario(seed);
  const outcome = play(scenario, module);
  if (seed % REPEAT === 0 && outcome.failure === undefined) {
    const again = play(scenario, module).hash;
    if (again !== outcome.hash) {
      const text = `the same seed gave the trace ${outcome.hash} and then ${again}`;
      outcome.failure = { checker: 'same-hash', atUs: outcome.virtualUs, text };
    }
  }
  parentPort!.postMessage(outcome satisfies Outcome);
});
