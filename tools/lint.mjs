/** Formatting, lint rules and types. That the AssemblyScript compiles is seen by the set-up, which builds it. */
import { join } from 'node:path';
import { foreground } from './lib/process.mjs';
import { say } from './lib/progress.mjs';

/** @typedef {import('./lib/context.mjs').Context} Context */

/** @type {{ name: string, program: string, args: string[] }[]} */
export const CHECKS = [
  { name: 'biome: formatting and lint', program: 'biome', args: ['check', '--error-on-warnings', '.'] },
  { name: 'tsc: types', program: 'tsc', args: ['-p', 'tsconfig.json', '--noEmit'] },
];

/**
 * @param {Context} context
 * @returns {Promise<string[]>} the names of the checks that failed
 */
export async function failedChecks(context) {
  const failed = [];
  for (const { name, program, args } of CHECKS) {
    say(name);
    if ((await tool(context, program, args)) !== 0) failed.push(name);
  }
  return failed;
}

/** @param {Context} context */
export async function checkSources(context) {
  const failed = await failedChecks(context);
  for (const name of failed) say(`failed: ${name}`);
  return failed.length === 0 ? 0 : 1;
}

/** @param {Context} context */
export function formatSources(context) {
  return tool(context, 'biome', ['check', '--write', '.']);
}

/**
 * @param {Context} context
 * @param {string} program
 * @param {string[]} args
 */
function tool({ root, env }, program, args) {
  return foreground(join(root, 'node_modules', '.bin', program), args, { cwd: root, env });
}
