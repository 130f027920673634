/**
 * The Node that runs the switch. Strowger needs Node 22: it runs TypeScript without a build step, and the
 * native WebSocket server exists for no later one. Where the system's is another, one comes from npm.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { useBin } from '../lib/context.mjs';
import { withLock } from '../lib/lock.mjs';
import { run } from '../lib/process.mjs';
import { SetupError, step } from '../lib/progress.mjs';

/** The Node installed where the system's does not fit. */
const NODE_VERSION = '22.23.3';
const INSTALL_LIMIT_MS = 600_000;

/**
 * Whether a Node runs Strowger: 22.18 is the first that strips types without a flag.
 * @param {string} version  such as process.versions.node
 * @returns {boolean}
 */
export function fits(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major === 22 && minor >= 18;
}

/**
 * Sets `context.node`, and puts its folder first in PATH so that npm and all tools run under it too.
 * @param {import('../lib/context.mjs').Context} context
 */
export async function setUpNode(context) {
  if (fits(process.versions.node)) return;
  const prefix = join(context.cache, `node-${NODE_VERSION}`);
  const node = join(prefix, 'node_modules', packageName(), 'bin', 'node');
  if (!existsSync(node)) {
    await withLock(`${prefix}.lock`, async () => {
      if (existsSync(node)) return;
      await step(`Node ${NODE_VERSION} (this is ${process.versions.node}), into ${prefix}`, () =>
        install(prefix, context.env),
      );
    });
  }
  context.node = node;
  useBin(context, dirname(node));
}

/** The npm package that holds Node's binary for this machine. */
function packageName() {
  const family = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
  return `${family}-${process.platform}-${process.arch}`;
}

/**
 * @param {string} prefix
 * @param {NodeJS.ProcessEnv} env
 */
async function install(prefix, env) {
  mkdirSync(prefix, { recursive: true });
  const spec = `${packageName()}@${NODE_VERSION}`;
  try {
    const flags = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
    await run('npm', ['install', ...flags, '--prefix', prefix, spec], {
      cwd: prefix,
      env,
      timeoutMs: INSTALL_LIMIT_MS,
    });
  } catch (error) {
    // Half an installation must not look like a whole one next time.
    rmSync(prefix, { recursive: true, force: true });
    const cause = error instanceof Error ? error.message : String(error);
    throw new SetupError(`Node 22.18 or a later 22 is needed and could not be installed from npm.\n${cause}`);
  }
}
