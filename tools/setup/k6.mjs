/** k6, the load generator: the one on the PATH, one already in the cache, or one built with Go. */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { useBin } from '../lib/context.mjs';
import { withLock } from '../lib/lock.mjs';
import { attempt, run, which } from '../lib/process.mjs';
import { SetupError, say, step } from '../lib/progress.mjs';

/** The k6 that is built. */
const K6_VERSION = 'v1.8.1';
/** The first whose WebSockets have subprotocols and that runs TypeScript as it is. */
const MAJOR_MIN = 1;
const BUILD_LIMIT_MS = 900_000;

/**
 * Makes `k6` a program in the PATH of everything that is run.
 * @param {import('../lib/context.mjs').Context} context
 * @throws {SetupError} saying how to get k6, when there is none and no Go to build it with
 */
export async function setUpK6(context) {
  const present = which('k6', context.env);
  if (present && (await isUsable(present))) return;
  const folder = k6Folder(context.cache);
  const built = join(folder, 'k6');
  if (!existsSync(built)) {
    const go = which('go', context.env);
    if (!go) throw new SetupError(missingText(present));
    await withLock(`${folder}.lock`, async () => {
      if (!existsSync(built)) await build(context, go, built);
    });
  }
  useBin(context, folder);
}

/**
 * For the tests: like {@link setUpK6}, but only says so where there is no k6 to be had.
 * @param {import('../lib/context.mjs').Context} context
 */
export async function setUpK6IfPossible(context) {
  try {
    await setUpK6(context);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`no k6: its end-to-end tests will be skipped. ${error.message.split('\n')[0]}`);
  }
}

/**
 * Folder of a k6 that was built here.
 * @param {string} cache
 */
export function k6Folder(cache) {
  return join(cache, `k6-${K6_VERSION}`);
}

/**
 * @param {string} program  path of a k6
 * @returns {Promise<boolean>} whether it is new enough
 */
export async function isUsable(program) {
  const { code, tail } = await attempt(program, ['version'], { timeoutMs: 10_000 });
  const major = Number(/^k6(?:\.exe)? v(\d+)\./m.exec(tail)?.[1]);
  return code === 0 && major >= MAJOR_MIN;
}

/**
 * @param {import('../lib/context.mjs').Context} context
 * @param {string} go
 * @param {string} destination
 */
async function build({ env }, go, destination) {
  const place = join(dirname(destination), `build-${process.pid}`);
  try {
    await step(`k6 ${K6_VERSION} (go install, two minutes, once), into ${dirname(destination)}`, () =>
      run(go, ['install', `go.k6.io/k6@${K6_VERSION}`], {
        env: { ...env, GOBIN: place },
        timeoutMs: BUILD_LIMIT_MS,
      }),
    );
    // In one step, so that nobody runs half a file.
    renameSync(join(place, 'k6'), destination);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** @param {string} [present]  a k6 that is too old */
function missingText(present) {
  const what = present ? `${present} is older than k6 ${MAJOR_MIN}.0` : 'k6 is not installed';
  return `${what}, and there is no Go (https://go.dev/dl) to build it with.
Install k6 ${MAJOR_MIN}.0 or later so that it is on your PATH, and run this again:

  https://grafana.com/docs/k6/latest/set-up/install-k6`;
}
