/** Where and of what a benchmark is run. */
import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { REPOSITORY } from '../../switch/test/e2e/harness/repository.ts';
import type { RunInfo } from './results.ts';

/** How each program tells its version, and what of that is the number. */
const PROGRAMS: Record<string, { args: string[]; version: RegExp }> = {
  kamailio: { args: ['-v'], version: /kamailio (\S+)/ },
  sipp: { args: ['-v'], version: /SIPp (v?[\d.]+)/ },
  rtpengine: { args: ['-v'], version: /Version: (\S+)/i },
};

export function runInfo(): RunInfo {
  const versions: Record<string, string> = { node: process.versions.node };
  for (const [program, { args, version }] of Object.entries(PROGRAMS)) {
    const found = version.exec(output(program, args));
    if (found) versions[program] = found[1]!;
  }
  const commit = output('git', ['rev-parse', '--short', 'HEAD']);
  const changed = output('git', ['status', '--porcelain', '--untracked-files=no']) !== '';
  return {
    date: new Date().toISOString(),
    commit: /^[0-9a-f]+$/.test(commit) ? commit + (changed ? '+' : '') : 'unknown',
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    versions,
  };
}

/** What a program prints, on either stream; empty when it can't be run. */
function output(program: string, args: string[]): string {
  try {
    return execFileSync(program, args, { cwd: REPOSITORY, encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch (error) {
    // Some exit with a code of their own after they have said their version.
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    return `${stdout ?? ''}${stderr ?? ''}`.trim();
  }
}
