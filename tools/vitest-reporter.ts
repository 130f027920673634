import { DefaultReporter, type TestCase } from 'vitest/node';

/**
 * Vitest's usual report, and a line for each end-to-end test as it ends: one file of them takes minutes, and
 * without a terminal nothing would be seen of it until then.
 */
export default class ProgressReporter extends DefaultReporter {
  override onTestCaseResult(test: TestCase): void {
    super.onTestCaseResult(test);
    if (test.project.name !== 'e2e' || process.stdout.isTTY) return;
    const durationMs = Math.round(test.diagnostic()?.duration ?? 0);
    this.log(`   ${test.result().state}: ${test.fullName} (${durationMs} ms)`);
  }
}
