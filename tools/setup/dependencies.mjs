/** npm dependencies as package-lock.json has them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../lib/lock.mjs';
import { run } from '../lib/process.mjs';
import { step } from '../lib/progress.mjs';

const INSTALL_LIMIT_MS = 900_000;

/**
 * Installs when what is installed is not what the lock file says.
 *
 * Install scripts never run: the native packages bring their binaries as optional dependencies, and the one
 * of mediasoup is done by the step `worker`, which knows more places to get a worker from.
 * @param {import('../lib/context.mjs').Context} context
 */
export async function setUpDependencies(context) {
  if (installed(context.root)) return;
  await withLock(join(context.root, 'build', 'dependencies.lock'), async () => {
    if (installed(context.root)) return;
    await step('dependencies (npm ci)', () =>
      run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
        cwd: context.root,
        env: context.env,
        timeoutMs: INSTALL_LIMIT_MS,
      }),
    );
  });
}

/**
 * Whether node_modules holds what package-lock.json wants. npm writes its own record of what it installed when
 * it is done, so a half-finished installation has none; packages for other machines are optional and absent.
 * @param {string} root
 * @returns {boolean}
 */
export function installed(root) {
  const wanted = readPackages(join(root, 'package-lock.json'));
  const present = readPackages(join(root, 'node_modules', '.package-lock.json'));
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const found = present[path];
    return found ? found.version === entry.version && found.integrity === entry.integrity : entry.optional;
  });
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, integrity?: string, optional?: boolean }> | undefined}
 */
function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}
