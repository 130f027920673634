/**
 * Where things are, and what everything that is run gets: one object made at start and passed to each step.
 */
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Context
 * @property {string} root    the checkout
 * @property {string} cache   what outlives a checkout: Node, the mediasoup worker, locks
 * @property {string} node    path of the Node that runs everything; set by the step `node`
 * @property {NodeJS.ProcessEnv} env  environment of everything that is run; steps add to it
 */

/** The checkout this file is in. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/**
 * Folder of the cache: STROWGER_CACHE, else `strowger` in the user's cache folder (XDG_CACHE_HOME or ~/.cache).
 * @param {NodeJS.ProcessEnv} env
 * @returns {string}
 */
export function cacheFolder(env) {
  return resolve(env.STROWGER_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'strowger'));
}

/**
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Context}
 */
export function createContext(env = process.env) {
  const context = { root: ROOT, cache: cacheFolder(env), node: process.execPath, env: { ...env } };
  useBin(context, join(ROOT, 'node_modules', '.bin'));
  return context;
}

/**
 * Puts a folder first in the PATH of everything that is run.
 * @param {Context} context
 * @param {string} folder
 */
export function useBin(context, folder) {
  const others = (context.env.PATH ?? '').split(delimiter).filter((entry) => entry !== folder);
  context.env.PATH = [folder, ...others].join(delimiter);
}
