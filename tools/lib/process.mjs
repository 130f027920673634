/** Running programs: quietly with the output kept for the error message, or in the foreground. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { SetupError } from './progress.mjs';

/** Lines of output shown when a program fails. */
const TAIL_LINES = 40;

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
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (tail.push(line) > TAIL_LINES) tail.shift();
        onLine?.(line);
      });
    }
    child.on('error', (error) => done({ code: null, tail: tail.join('\n'), error: error.message }));
    child.on('close', (code, signal) => {
      const error = signal ? `ended by ${signal}${timeoutMs ? ` (limit ${timeoutMs} ms)` : ''}` : undefined;
      done({ code, tail: tail.join('\n'), error });
    });
  });
}

/**
 * Runs a program on this terminal, passing signals on.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<number>} its exit code; 128 + n if signal n ended it
 */
export function foreground(command, args, options) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { ...options, stdio: 'inherit' });
    // A terminal sends Ctrl-C to the whole process group, so the child has it already.
    const fromTerminal = process.stdin.isTTY;
    /** @type {Partial<Record<NodeJS.Signals, () => void>>} */
    const handlers = {
      SIGINT: () => fromTerminal || child.kill('SIGINT'),
      SIGTERM: () => child.kill('SIGTERM'),
      SIGHUP: () => child.kill('SIGHUP'),
    };
    const signals = /** @type {NodeJS.Signals[]} */ (Object.keys(handlers));
    for (const signal of signals) process.on(signal, /** @type {() => void} */ (handlers[signal]));
    const finish = () => {
      for (const signal of signals) process.off(signal, /** @type {() => void} */ (handlers[signal]));
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
