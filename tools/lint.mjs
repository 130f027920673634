/** The checks of the sources: formatting and lint rules, types, and that the AssemblyScript compiles. */
import { join } from 'node:path';
import { foreground } from './lib/process.mjs';
import { SetupError, say } from './lib/progress.mjs';
import { buildWasm } from './setup/wasm.mjs';

/** @typedef {import('./lib/context.mjs').Context} Context */

/** @type {{ name: string, passes: (context: Context) => Promise<boolean> }[]} */
export const CHECKS = [
  {
    name: 'formatting and lint (biome)',
    passes: (context) => tool(context, 'biome', ['check', '--error-on-warnings', '.']),
  },
  { name: 'types (tsc)', passes: (context) => tool(context, 'tsc', ['-p', 'tsconfig.json', '--noEmit']) },
  { name: 'AssemblyScript (asc)', passes: compiles },
];

/**
 * Runs all checks, whichever fail.
 * @param {Context} context
 * @returns {Promise<string[]>} the names of the checks that failed
 */
export async function failedChecks(context) {
  const failed = [];
  for (const { name, passes } of CHECKS) {
    say(name);
    if (!(await passes(context))) failed.push(name);
  }
  return failed;
}

/**
 * The task `lint`.
 * @param {Context} context
 * @returns {Promise<number>} exit code
 */
export async function checkSources(context) {
  const failed = await failedChecks(context);
  for (const name of failed) say(`failed: ${name}`);
  return failed.length === 0 ? 0 : 1;
}

/**
 * The task `format`.
 * @param {Context} context
 * @returns {Promise<number>} exit code
 */
export async function formatSources(context) {
  return (await tool(context, 'biome', ['check', '--write', '.'])) ? 0 : 1;
}

/**
 * @param {Context} context
 * @param {string} program  one of the npm packages' programs
 * @param {string[]} args
 */
async function tool({ root, env }, program, args) {
  const path = join(root, 'node_modules', '.bin', program);
  return (await foreground(path, args, { cwd: root, env })) === 0;
}

/** @param {Context} context */
async function compiles(context) {
  try {
    await buildWasm(context);
    return true;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    return false;
  }
}
