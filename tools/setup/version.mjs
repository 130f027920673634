import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Version of an installed npm package.
 * @param {string} root
 * @param {string} name
 * @returns {string}
 */
export function installedVersion(root, name) {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
}
