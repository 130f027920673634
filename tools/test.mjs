/** Running the checks and tests, and the summary that closes them. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { foreground } from './lib/process.mjs';
import { SetupError, say } from './lib/progress.mjs';
import { CHECKS, failedChecks } from './lint.mjs';

/** @typedef {import('./lib/context.mjs').Context} Context */
/** @typedef {{ passed: number, failed: number, skipped: number }} Totals */

/**
 * `npm test`: lint, types, unit tests, end-to-end tests. Each of the checks counts as one test. With arguments
 * only the tests they select, without the checks.
 * @param {Context} context
 * @param {string[]} args  passed to Vitest
 * @returns {Promise<number>} exit code
 */
export async function runEverything(context, args) {
  if (args.length > 0) return runTests(context, args);
  const failed = await failedChecks(context);
  const totals = await vitest(context, []);
  for (const name of failed) say(`failed: ${name}`);
  return conclude({
    passed: totals.passed + CHECKS.length - failed.length,
    failed: totals.failed + failed.length,
    skipped: totals.skipped,
  });
}

/**
 * @param {Context} context
 * @param {string[]} args  passed to Vitest
 * @returns {Promise<number>} exit code
 */
export async function runTests(context, args) {
  return conclude(await vitest(context, args));
}

/** The summary when there was nothing to run with. */
export function printFailedSetUp() {
  conclude({ passed: 0, failed: 1, skipped: 0 });
}

/**
 * @param {Context} context
 * @param {string[]} args
 * @returns {Promise<Totals>}
 */
async function vitest({ root, node, env }, args) {
  const folder = mkdtempSync(join(tmpdir(), 'strowger-test-'));
  try {
    const report = join(folder, 'report.json');
    const program = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const reporters = ['./tools/vitest-reporter.ts', 'json'].map((name) => `--reporter=${name}`);
    const code = await foreground(
      node,
      [program, 'run', ...reporters, `--outputFile.json=${report}`, ...args],
      {
        cwd: root,
        env,
      },
    );
    const { passed, failed, skippedTests } = readReport(report);
    for (const { file, name } of skippedTests) say(`skipped: ${relative(root, file)}: ${name}`);
    // What fails outside of a test, such as an unhandled rejection, is a failure too.
    return { passed, failed: code === 0 ? failed : Math.max(failed, 1), skipped: skippedTests.length };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * @param {string} file  what Vitest's JSON reporter wrote
 * @returns {{ passed: number, failed: number, skippedTests: { file: string, name: string }[] }}
 * @throws {SetupError} when Vitest ended without writing one
 */
export function readReport(file) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new SetupError('Vitest ended without a report.');
  }
  let passed = 0;
  let failed = 0;
  const skippedTests = [];
  for (const suite of report.testResults) {
    for (const test of suite.assertionResults) {
      if (test.status === 'passed') passed++;
      else if (test.status === 'failed') failed++;
      else skippedTests.push({ file: suite.name, name: test.fullName });
    }
    // A file that failed without one of its tests failing could not be loaded or set up.
    const blamed = suite.assertionResults.some(
      (/** @type {{ status: string }} */ test) => test.status === 'failed',
    );
    if (suite.status === 'failed' && !blamed) failed++;
  }
  return { passed, failed, skippedTests };
}

/**
 * Prints the last line, which tools read: `N passed, N failed`, and `, N skipped` if any were.
 * @param {Totals} totals
 * @returns {number} exit code
 */
function conclude({ passed, failed, skipped }) {
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return failed === 0 && passed > 0 ? 0 : 1;
}
