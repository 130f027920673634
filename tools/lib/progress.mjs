/** Progress on stderr, each line with the time since the command began. stdout belongs to what is run. */

/** After how much silence a long step shows that it is still at it. */
const HEARTBEAT_MS = 10_000;

/**
 * A failure that the user can do something about: printed without a stack, exit code 1.
 */
export class SetupError extends Error {}

let lastLineMs = 0;

/** @param {string} text */
export function say(text) {
  lastLineMs = performance.now();
  const elapsedS = (performance.now() / 1000).toFixed(1);
  process.stderr.write(`[${elapsedS.padStart(6)} s] ${text}\n`);
}

/**
 * Says what begins, that it goes on, and how long it took.
 * @template T
 * @param {string} text
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(text, work) {
  const beganMs = performance.now();
  const seconds = () => ((performance.now() - beganMs) / 1000).toFixed(1);
  say(`${text} ...`);
  const heartbeat = setInterval(() => {
    if (performance.now() - lastLineMs >= HEARTBEAT_MS) say(`${text} ... still working after ${seconds()} s`);
  }, HEARTBEAT_MS / 10);
  try {
    const result = await work();
    say(`${text}: done in ${seconds()} s`);
    return result;
  } finally {
    clearInterval(heartbeat);
  }
}
