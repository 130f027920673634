/** What `node tools/run.mjs` (and so `npm run`) can do. A new task is one entry here and one in package.json. */
import { join } from 'node:path';
import { foreground } from './lib/process.mjs';
import { checkSources, formatSources } from './lint.mjs';
import { printFailedSetUp, runEverything, runTests } from './test.mjs';

/**
 * @typedef {import('./lib/context.mjs').Context} Context
 *
 * @typedef {object} Task
 * @property {string} what  one line for the list of tasks
 * @property {import('./setup/steps.mjs').StepName[]} needs  steps of the set-up, in order
 * @property {(context: Context, args: string[]) => Promise<number> | number} run  gives the exit code
 * @property {boolean} [quiet]  says nothing when everything is set up
 * @property {() => void} [failed]  called when the set-up has failed
 */

/** @type {Task['needs']} */
const TOOLS = ['node', 'dependencies'];
/** @type {Task['needs']} */
const SWITCH = [...TOOLS, 'wasm', 'testbed', 'worker'];
/** @type {Task['needs']} */
const TESTS = [...SWITCH, 'programs', 'peers', 'k6IfPossible'];

/** @type {Record<string, Task>} */
export const TASKS = {
  start: { what: 'run the switch (--config FILE)', needs: SWITCH, run: program('switch/main.ts') },
  strowger: {
    what: "an operator's command: status, calls, switchover, restart --rolling (--help)",
    needs: TOOLS,
    quiet: true,
    run: program('switch/cli/main.ts'),
  },
  test: {
    what: 'lint, type check and all tests; with an argument, only the test files whose path holds it',
    needs: TESTS,
    run: runEverything,
    failed: printFailedSetUp,
  },
  'test:unit': {
    what: 'the unit tests',
    needs: SWITCH,
    run: (context, args) => runTests(context, ['--project', 'unit', ...args]),
    failed: printFailedSetUp,
  },
  'test:e2e': {
    what: 'the end-to-end tests',
    needs: TESTS,
    run: (context, args) => runTests(context, ['--project', 'e2e', ...args]),
    failed: printFailedSetUp,
  },
  lint: {
    what: 'formatting, lint rules, types, and that the AssemblyScript compiles',
    needs: TOOLS,
    run: checkSources,
  },
  format: { what: 'format all sources and apply safe fixes', needs: TOOLS, run: formatSources },
  build: {
    what: 'compile the WebAssembly modules and bundle the pages',
    needs: [...TOOLS, 'wasm', 'testbed'],
    run: done,
  },
  'build:lab': {
    what: 'the lab page alone, as files for any web server: build/lab',
    needs: [...TOOLS, 'wasm'],
    run: buildLab,
  },
  bench: {
    what: 'Strowger next to other proxies: calls, registrations (--quick; --help)',
    needs: [...SWITCH, 'peers'],
    run: program('loadtest/bench/main.ts'),
  },
  'bench:core': {
    what: 'what the signalling core costs per stage and step, and its memory (--rounds, --json, --save)',
    needs: [...TOOLS, 'wasm'],
    run: program('wasm-core/bench/core.ts'),
  },
  'bench:failover': {
    what: 'kills and stops the active node of a pair under load: calls lost, time to service, cost of the mirror (--kills, --hangs)',
    needs: [...SWITCH, 'peers'],
    run: program('loadtest/failover/main.ts'),
  },
  replay: {
    what: 'replay a recording of a node and compare the effects (FILE, --key FILE, --json)',
    needs: [...TOOLS, 'wasm'],
    run: program('wasm-core/sim/cli/replay.ts'),
  },
  load: {
    what: 'load tests over WebSocket with k6: smoke, register, ramp, soak, breakpoint (--help)',
    needs: [...SWITCH, 'k6'],
    run: program('loadtest/k6/main.ts'),
  },
  sim: {
    what: 'the simulator: fresh seeds, one seed or a scenario (--help)',
    needs: [...TOOLS, 'wasm'],
    run: program('wasm-core/sim/cli/main.ts'),
  },
  'sim:soak': {
    what: 'the simulator on fresh seeds for 10,000 virtual hours, or until one fails',
    needs: [...TOOLS, 'wasm'],
    run: (context, args) => program('wasm-core/sim/cli/main.ts')(context, ['--hours', '10000', ...args]),
  },
  'sim:defects': {
    what: 'planted defects: does the simulator find each of them? (--list, --seeds)',
    needs: TOOLS,
    run: program('wasm-core/sim/cli/defects.ts'),
  },
  setup: {
    what: 'everything that `start` needs; with --print-env, print the environment for a shell',
    needs: SWITCH,
    run: printEnvironment,
  },
};

/**
 * A task that is one of our programs.
 * @param {string} file
 * @returns {Task['run']}
 */
function program(file) {
  return ({ node, env, root }, args) =>
    foreground(node, ['--disable-warning=ExperimentalWarning', join(root, file), ...args], {
      env,
      shielded: true,
    });
}

/** @param {Context} context */
async function buildLab({ node, env, root }) {
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const args = [
    vite,
    'build',
    'testbed/lab',
    '--mode',
    'lab',
    '--config',
    'testbed/vite.config.ts',
    '--logLevel',
    'warn',
  ];
  const code = await foreground(node, args, { cwd: root, env });
  if (code === 0)
    console.log(`the lab is in ${join(root, 'build/lab')}: serve this folder with any web server`);
  return code;
}

function done() {
  return 0;
}

/**
 * For `eval "$(node tools/run.mjs setup --print-env)"`: work by hand as the tasks do.
 * @param {Context} context
 * @param {string[]} args
 */
function printEnvironment({ env }, args) {
  if (!args.includes('--print-env')) return 0;
  for (const name of ['PATH', 'MEDIASOUP_WORKER_BIN']) {
    console.log(`export ${name}='${(env[name] ?? '').replaceAll("'", `'\\''`)}'`);
  }
  return 0;
}
