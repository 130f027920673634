/** Running programs: quietly with the output kept for the error message, or in the foreground. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { SetupError } from './progress.mjs';

/** Lines of output shown when a program fails. */
const TAIL_LINES = 40;
/** @type {NodeJS.Signals[]} */
const PASSED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** The same signal again within this time is the same request by another way. */
const SAME_SIGNAL_MS = 500;

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {number} [timeoutMs]  killed and failed after this time; none by default
 * @property {(line: string) => void} [onLine]  called with each line of stdout and stderr
 */

/**
 * Runs a program to its end without showing its output.
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<string>} the last lines of what it wrote
 * @throws {SetupError} with the last lines of the output when it fails, can't be started or takes too long
 */
export async function run(command, args, options = {}) {
  const { code, tail, error } = await attempt(command, args, options);
  if (code === 0) return tail;
  const reason = error ?? `exit code ${code}`;
  throw new SetupError(`${[command, ...args].join(' ')}\nfailed: ${reason}\n${tail}`);
}

/**
 * Like {@link run}, for programs that may fail.
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<{ code: number | null, tail: string, error?: string }>} code is null if it was killed or
 *   could not be started; `error` says why
 */
export function attempt(command, args, options = {}) {
  const { cwd, env, timeoutMs, onLine } = options;
  return new Promise((done) => {
    /** @type {string[]} */
    const tail = [];
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    // Not spawn's own limit: its timer goes on, and holds this process up, when the program can't be started.
    const limit = timeoutMs && setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (tail.push(line) > TAIL_LINES) tail.shift();
        onLine?.(line);
      });
    }
    child.on('error', (error) => {
      clearTimeout(limit);
      done({ code: null, tail: tail.join('\n'), error: error.message });
    });
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      const error = signal ? `ended by ${signal}${timeoutMs ? ` (limit ${timeoutMs} ms)` : ''}` : undefined;
      done({ code, tail: tail.join('\n'), error });
    });
  });
}

/**
 * Runs a program on this terminal, passing signals on.
 *
 * Ctrl-C in a terminal, and whoever stops a whole process group, reaches the program directly, and once more
 * through each process above it that passes signals on, as npm does. A program to which a second signal means
 * "at once" is to be run `shielded`: in a process group of its own, which each signal reaches through us, once.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, shielded?: boolean }} options
 * @returns {Promise<number>} its exit code; 128 + n if signal n ended it
 */
export function foreground(command, args, { cwd, env, shielded = false }) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd, env, stdio: 'inherit', detached: shielded });
    const pass = shielded ? passOnce(child) : passOn(child);
    for (const signal of PASSED_SIGNALS) process.on(signal, pass);
    const finish = () => {
      for (const signal of PASSED_SIGNALS) process.off(signal, pass);
    };
    child.on('error', (error) => {
      finish();
      fail(new SetupError(`${command} could not be started: ${error.message}`));
    });
    child.on('exit', (code, signal) => {
      finish();
      done(signal ? 128 + osConstants.signals[signal] : (code ?? 1));
    });
  });
}

/**
 * @param {import('node:child_process').ChildProcess} child  in our process group
 * @returns {(signal: NodeJS.Signals) => void}
 */
function passOn(child) {
  return (signal) => {
    // What the terminal sends goes to the whole group: the child has it already.
    if (!(process.stdin.isTTY && signal === 'SIGINT')) child.kill(signal);
  };
}

/**
 * @param {import('node:child_process').ChildProcess} child  in a process group of its own
 * @returns {(signal: NodeJS.Signals) => void}
 */
function passOnce(child) {
  /** @type {Map<NodeJS.Signals, number>} when each signal was last passed on */
  const passedMs = new Map();
  return (signal) => {
    const nowMs = performance.now();
    if (nowMs - (passedMs.get(signal) ?? Number.NEGATIVE_INFINITY) < SAME_SIGNAL_MS) return;
    passedMs.set(signal, nowMs);
    // A terminal that goes away says so by SIGHUP, which to the switch means "read the configuration again".
    child.kill(signal === 'SIGHUP' && process.stdin.isTTY ? 'SIGTERM' : signal);
  };
}

/**
 * Path of a program, looked up in PATH.
 * @param {string} program
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | undefined}
 */
export function which(program, env) {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}
