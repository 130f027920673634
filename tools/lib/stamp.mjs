/** Knowing by content whether something built is still up to date: modification times lie after a checkout. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Hash over the names and contents of files.
 * @param {string} root
 * @param {string[]} paths  files and folders below root; what does not exist counts as absent
 * @param {object} [options]
 * @param {string[]} [options.except]  names of files or folders to leave out
 * @param {string[]} [options.also]    further text that the result depends on, such as versions
 * @returns {string} SHA-256 in hex
 */
export function hashFiles(root, paths, { except = [], also = [] } = {}) {
  const hash = createHash('sha256').update(JSON.stringify(also));
  for (const path of paths.flatMap((path) => listFiles(root, path, except))) {
    const content = readFileSync(join(root, path));
    hash.update(`\0${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/**
 * @param {string} root
 * @param {string} path
 * @param {string[]} except
 * @returns {string[]} the files below path, sorted, relative to root
 */
function listFiles(root, path, except) {
  const stat = statSync(join(root, path), { throwIfNoEntry: false });
  if (!stat) return [];
  if (!stat.isDirectory()) return [path];
  return readdirSync(join(root, path))
    .filter((name) => !except.includes(name))
    .sort()
    .flatMap((name) => listFiles(root, join(path, name), except));
}

/**
 * Whether `output` exists and was built from what `hash` stands for.
 * @param {string} output  file or folder
 * @param {string} stamp   file in which {@link writeStamp} recorded it
 * @param {string} hash
 * @returns {boolean}
 */
export function isFresh(output, stamp, hash) {
  return existsSync(output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash;
}

/**
 * Records what was built from what `hash` stands for.
 * @param {string} stamp
 * @param {string} hash
 */
export function writeStamp(stamp, hash) {
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, hash);
}
