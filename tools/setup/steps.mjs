/** The steps of the set-up. Each looks first, and does nothing where nothing is to be done. */
import { setUpDependencies } from './dependencies.mjs';
import { setUpK6, setUpK6IfPossible } from './k6.mjs';
import { setUpNode } from './node.mjs';
import { BENCHMARK_PROGRAMS, setUpPackages, TEST_PROGRAMS } from './packages.mjs';
import { buildTestbed } from './testbed.mjs';
import { buildWasm } from './wasm.mjs';
import { setUpWorker } from './worker.mjs';

/** @typedef {'node' | 'dependencies' | 'wasm' | 'testbed' | 'worker' | 'programs' | 'peers' | 'k6' | 'k6IfPossible'} StepName */

/** @type {Record<StepName, (context: import('../lib/context.mjs').Context) => Promise<void>>} */
export const STEPS = {
  node: setUpNode,
  dependencies: setUpDependencies,
  wasm: buildWasm,
  testbed: buildTestbed,
  worker: setUpWorker,
  programs: (context) => setUpPackages(context, TEST_PROGRAMS, 'the end-to-end tests'),
  peers: (context) => setUpPackages(context, BENCHMARK_PROGRAMS, 'the benchmarks and their tests'),
  k6: setUpK6,
  k6IfPossible: setUpK6IfPossible,
};
