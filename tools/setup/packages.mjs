/** What comes from the operating system: installed by apt-get where we may, else named with the command. */
import { existsSync } from 'node:fs';
import { attempt, run, which } from '../lib/process.mjs';
import { SetupError, step } from '../lib/progress.mjs';

/**
 * A Debian package, and how to see that what we want of it is there: a program in PATH or a file.
 * @typedef {{ name: string, program?: string, file?: string }} SystemPackage
 */

/** @type {SystemPackage[]} */
export const TEST_PROGRAMS = [
  { name: 'chromium', program: 'chromium' },
  { name: 'sip-tester', program: 'sipp' },
  { name: 'baresip-core', program: 'baresip' },
];

/** @type {SystemPackage[]} */
export const BENCHMARK_PROGRAMS = [
  { name: 'sip-tester', program: 'sipp' },
  { name: 'kamailio', program: 'kamailio' },
];

/** @type {SystemPackage[]} */
export const WORKER_BUILD = [
  { name: 'g++', program: 'c++' },
  { name: 'cmake', program: 'cmake' },
  { name: 'ninja-build', program: 'ninja' },
  { name: 'flatbuffers-compiler', program: 'flatc' },
  { name: 'libflatbuffers-dev', file: '/usr/include/flatbuffers/flatbuffers.h' },
  { name: 'libuv1-dev', file: '/usr/include/uv.h' },
  { name: 'libssl-dev', file: '/usr/include/openssl/ssl.h' },
  { name: 'libsrtp2-dev', file: '/usr/include/srtp2/srtp.h' },
];

const UPDATE = ['update', '-q'];
const INSTALL = ['install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300'];

/**
 * @param {import('../lib/context.mjs').Context} context
 * @param {SystemPackage[]} packages
 * @param {string} purpose  what they are for, completing "needed for ..."
 * @throws {SetupError} when something is missing that can't be installed here
 */
export async function setUpPackages({ env }, packages, purpose) {
  const missing = packages.filter((one) => !isPresent(one, env)).map((one) => one.name);
  if (missing.length === 0) return;
  if (!which('apt-get', env)) throw new SetupError(missingText(missing, purpose));
  if (process.getuid?.() !== 0) throw new SetupError(missingText(missing, purpose, aptCommand(missing)));

  const aptEnv = { ...env, DEBIAN_FRONTEND: 'noninteractive' };
  await step(`system packages for ${purpose}: ${missing.join(' ')}`, async () => {
    // A failed update is no obstacle where the lists are good enough; the installation tells.
    await attempt('apt-get', UPDATE, { env: aptEnv });
    await run('apt-get', [...INSTALL, ...missing], { env: aptEnv });
  });
  const absent = packages.filter((one) => !isPresent(one, env));
  if (absent.length > 0) {
    const what = absent.map((one) => `${one.program ?? one.file} (package ${one.name})`).join(', ');
    throw new SetupError(`installed, yet still missing: ${what}`);
  }
}

/**
 * @param {SystemPackage} one
 * @param {NodeJS.ProcessEnv} env
 */
function isPresent({ program, file }, env) {
  return (
    (program === undefined || which(program, env) !== undefined) && (file === undefined || existsSync(file))
  );
}

/** @param {string[]} missing */
function aptCommand(missing) {
  return `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing.join(' ')}`;
}

/**
 * @param {string[]} missing
 * @param {string} purpose
 * @param {string} [command]
 * @returns {string}
 */
export function missingText(missing, purpose, command) {
  const how = command
    ? `Install it with\n\n  ${command}\n\n`
    : "Install what corresponds to these Debian packages with your system's package manager, ";
  return `Missing, and needed for ${purpose}: ${missing.join(', ')}.\n${how}and run this again.`;
}
