/**
 * The mediasoup worker, the C++ program that moves the media. In this order: the one MEDIASOUP_WORKER_BIN
 * names, one already in the cache, the prebuilt one that the npm package downloads, one built from the
 * package's own sources against the system's libraries (media/worker-build).
 */
import { copyFileSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { withLock } from '../lib/lock.mjs';
import { attempt, run } from '../lib/process.mjs';
import { SetupError, say, step } from '../lib/progress.mjs';
import { hashFiles } from '../lib/stamp.mjs';
import { setUpPackages, WORKER_BUILD } from './packages.mjs';
import { installedVersion } from './version.mjs';

/** What a worker that runs on this machine answers to an empty environment: "not started by mediasoup". */
const HEALTHY_EXIT_CODE = 41;
/** Limit for reaching the download site: a closed network must not hold up the set-up. */
const REACH_LIMIT_MS = 5_000;
const DOWNLOAD_LIMIT_MS = 120_000;
const BUILD_SOURCES = 'media/worker-build';
const BUILD_TYPE = '-DCMAKE_BUILD_TYPE=Release';
/** Percent between two lines of build progress. */
const PROGRESS_STEP = 10;

/**
 * Sets MEDIASOUP_WORKER_BIN for everything that is run.
 * @param {import('../lib/context.mjs').Context} context
 * @throws {SetupError} when the named worker does not run, or none can be had
 */
export async function setUpWorker(context) {
  const given = context.env.MEDIASOUP_WORKER_BIN;
  if (given) {
    if (await isHealthy(given)) return;
    throw new SetupError(`MEDIASOUP_WORKER_BIN is ${given}, which does not run as a mediasoup worker.`);
  }
  const places = workerPlaces(context);
  const found =
    (await firstHealthy(places)) ??
    (await withLock(join(context.cache, 'worker.lock'), () => obtain(context)));
  context.env.MEDIASOUP_WORKER_BIN = found;
}

/**
 * Where a worker for the installed mediasoup lies in the cache. A built one also depends on how it is built.
 * @param {import('../lib/context.mjs').Context} context
 * @returns {{ prebuilt: string, built: string }}
 */
export function workerPlaces({ root, cache }) {
  const version = installedVersion(root, 'mediasoup');
  const machine = `${process.platform}-${process.arch}`;
  const recipe = hashFiles(root, [BUILD_SOURCES]).slice(0, 12);
  const place = (/** @type {string} */ kind) =>
    join(cache, 'mediasoup-worker', `${version}-${kind}-${machine}`, 'mediasoup-worker');
  return { prebuilt: place('prebuilt'), built: place(recipe) };
}

/** @param {{ prebuilt: string, built: string }} places */
async function firstHealthy({ prebuilt, built }) {
  if (await isHealthy(prebuilt)) return prebuilt;
  if (await isHealthy(built)) return built;
  return undefined;
}

/** @param {string} worker */
async function isHealthy(worker) {
  const { code } = await attempt(worker, [], { env: {}, timeoutMs: 5_000 });
  return code === HEALTHY_EXIT_CODE;
}

/**
 * @param {import('../lib/context.mjs').Context} context
 * @returns {Promise<string>} path of a worker that runs
 */
async function obtain(context) {
  const places = workerPlaces(context);
  // Whoever held the lock before us may have brought it.
  const found = await firstHealthy(places);
  if (found) return found;
  if (await download(context, places.prebuilt)) return places.prebuilt;
  await setUpPackages(context, WORKER_BUILD, 'building the mediasoup worker');
  await step('mediasoup worker from its sources (minutes, once)', () => build(context, places.built));
  return places.built;
}

/**
 * Lets the npm package's own script download its worker.
 * @param {import('../lib/context.mjs').Context} context
 * @param {string} destination
 * @returns {Promise<boolean>} whether a worker that runs is at `destination`
 */
async function download(context, destination) {
  const { env, node, root } = context;
  if (env.MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD) return false;
  const site =
    env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL ?? 'https://github.com/versatica/mediasoup/releases';
  if (!(await isReachable(site))) {
    say(`mediasoup's prebuilt worker: ${new URL(site).host} can't be reached`);
    return false;
  }
  const folder = join(root, 'node_modules', 'mediasoup');
  const { error } = await step('prebuilt mediasoup worker', () =>
    attempt(node, ['npm-scripts.mjs', 'postinstall'], {
      cwd: folder,
      // Where it finds no binary it would go on to build with Python; that has to fail at once.
      env: { ...env, PYTHON: join(folder, 'no-python') },
      timeoutMs: DOWNLOAD_LIMIT_MS,
    }),
  );
  const downloaded = join(folder, 'worker', 'out', 'Release', 'mediasoup-worker');
  if (error || !(await isHealthy(downloaded))) {
    say('no prebuilt mediasoup worker runs on this machine');
    return false;
  }
  put(downloaded, destination);
  return true;
}

/** @param {string} site */
async function isReachable(site) {
  try {
    await fetch(site, { method: 'HEAD', signal: AbortSignal.timeout(REACH_LIMIT_MS) });
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {import('../lib/context.mjs').Context} context
 * @param {string} destination
 */
async function build({ root, cache, env }, destination) {
  const folder = join(cache, 'mediasoup-worker', `build-${process.pid}`);
  const sources = join(root, 'node_modules', 'mediasoup', 'worker');
  try {
    await run(
      'cmake',
      [
        '-G',
        'Ninja',
        BUILD_TYPE,
        `-DMEDIASOUP_WORKER_DIR=${sources}`,
        '-S',
        join(root, BUILD_SOURCES),
        '-B',
        folder,
      ],
      { env },
    );
    // Ninja's default is two more jobs than cores; each takes up to 0.5 GB.
    await run('ninja', ['-C', folder, '-j', String(cpus().length)], { env, onLine: percentReporter() });
    const worker = join(folder, 'mediasoup-worker');
    if (!(await isHealthy(worker))) throw new SetupError(`the mediasoup worker was built, but does not run`);
    put(worker, destination);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns {(line: string) => void} shows how far Ninja is, from lines such as `[12/214] Building ...` */
function percentReporter() {
  let next = PROGRESS_STEP;
  return (line) => {
    const match = /^\[(\d+)\/(\d+)\]/.exec(line);
    if (!match) return;
    const percent = Math.floor((100 * Number(match[1])) / Number(match[2]));
    if (percent < next) return;
    say(`mediasoup worker: ${percent} %`);
    next = percent - (percent % PROGRESS_STEP) + PROGRESS_STEP;
  };
}

/**
 * Copies in one step, so that nobody runs half a file.
 * @param {string} from
 * @param {string} to
 */
function put(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  const partial = `${to}.${process.pid}`;
  copyFileSync(from, partial);
  renameSync(partial, to);
}
