import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createContext } from '../lib/context.mjs';
import { setUpPackages } from '../setup/packages.mjs';

/** A PATH of its own, with an apt-get that installs by writing an empty program. */
let bin: string;

beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), 'strowger-packages-'));
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(bin, { recursive: true });
});

const NEEDED = [
  { name: 'tool-package', program: 'some-tool' },
  { name: 'headers-dev', file: '/usr/include' },
];

function program(name: string, script: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
}

function context() {
  return { ...createContext(), env: { PATH: bin } };
}

/** Records its arguments, and provides `some-tool` when told to install its package. */
function fakeApt(): void {
  const tool = join(bin, 'some-tool');
  const install = `case "$*" in install*tool-package) : > ${tool}; /bin/chmod 755 ${tool};; esac`;
  program('apt-get', `echo "$@" >> ${join(bin, 'calls')}\n${install}`);
}

test('nothing is run when all is there', async () => {
  program('some-tool', '');
  program('apt-get', 'exit 1');
  await setUpPackages(context(), NEEDED, 'this test');
});

test('root on Debian: what is missing, and only that, is installed', async () => {
  vi.spyOn(process, 'getuid').mockReturnValue(0);
  fakeApt();
  await setUpPackages(context(), NEEDED, 'this test');
  const [update, install] = readFileSync(join(bin, 'calls'), 'utf8').split('\n');
  expect(update).toMatch(/^update/);
  expect(install).toMatch(/^install -y .*tool-package$/);
  expect(install).not.toContain('headers-dev');
});

test('root, but the package can not be had: the error of apt-get is shown', async () => {
  vi.spyOn(process, 'getuid').mockReturnValue(0);
  program('apt-get', 'echo "E: Unable to locate package"; exit 100');
  await expect(setUpPackages(context(), NEEDED, 'this test')).rejects.toThrow('E: Unable to locate package');
});

test('not root: the exact command is named', async () => {
  vi.spyOn(process, 'getuid').mockReturnValue(1000);
  program('apt-get', 'exit 1');
  await expect(setUpPackages(context(), NEEDED, 'this test')).rejects.toThrow(
    /needed for this test: tool-package\.\n.*\n\n {2}sudo apt-get update && sudo apt-get install -y --no-install-recommends tool-package\n/,
  );
});

test('not Debian: the packages are named', async () => {
  await expect(setUpPackages(context(), NEEDED, 'this test')).rejects.toThrow(
    /Debian packages.*package manager/,
  );
});
