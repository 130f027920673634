#!/usr/bin/env node
/**
 * Runs one of the project's tasks after setting up what it needs: `node tools/run.mjs <task> [arguments]`.
 *
 * Plain JavaScript without dependencies, for Node 20 and later: it is what brings in everything else.
 */
import { createContext } from './lib/context.mjs';
import { SetupError, say } from './lib/progress.mjs';
import { STEPS } from './setup/steps.mjs';
import { TASKS } from './tasks.mjs';

const [name = '', ...args] = process.argv.slice(2);
const task = TASKS[name];
if (!task) {
  const list = Object.entries(TASKS).map(([each, { what }]) => `  ${each.padEnd(12)} ${what}`);
  console.error(`usage: node tools/run.mjs <task> [arguments]\n\n${list.join('\n')}`);
  process.exit(2);
}

const context = createContext();
try {
  for (const step of task.needs) await STEPS[step](context);
  if (!task.quiet) say(`${name}: set up`);
  process.exitCode = await task.run(context, args);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`\n${error.message}`);
  task.failed?.();
  process.exitCode = 1;
}
