import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { installed } from '../setup/dependencies.mjs';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'strowger-dependencies-'));
  mkdirSync(join(root, 'node_modules'));
});

afterEach(() => rmSync(root, { recursive: true }));

const ROOT_PACKAGE = { '': { name: 'strowger' } };
const LIBRARY = { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } };
const FOREIGN_BINARY = {
  'node_modules/a-otheros': { version: '1.0.0', integrity: 'sha512-b', optional: true },
};

function lockFiles(wanted: object, present?: object): void {
  writeFileSync(
    join(root, 'package-lock.json'),
    JSON.stringify({ packages: { ...ROOT_PACKAGE, ...wanted } }),
  );
  if (!present) return;
  writeFileSync(join(root, 'node_modules/.package-lock.json'), JSON.stringify({ packages: present }));
}

test('nothing installed', () => {
  lockFiles(LIBRARY);
  expect(installed(root)).toBe(false);
});

test('what is wanted is there, an optional package for another system is not', () => {
  lockFiles({ ...LIBRARY, ...FOREIGN_BINARY }, LIBRARY);
  expect(installed(root)).toBe(true);
});

test.each([
  ['a package is missing', {}],
  ['a version differs', { 'node_modules/a': { version: '1.0.1', integrity: 'sha512-a' } }],
  ['the content differs', { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-x' } }],
])('%s', (_what, present) => {
  lockFiles(LIBRARY, present);
  expect(installed(root)).toBe(false);
});
