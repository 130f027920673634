import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { which } from '../lib/process.mjs';
import { isUsable, k6Folder, setUpK6 } from '../setup/k6.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'strowger-k6-'));
  mkdirSync(join(folder, 'bin'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A program in our PATH. */
function program(name: string, script: string): string {
  const path = join(folder, 'bin', name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A context whose PATH has only our programs, and what a shell script needs. */
function context() {
  const PATH = [join(folder, 'bin'), '/usr/bin', '/bin'].join(delimiter);
  return { root: folder, cache: join(folder, 'cache'), node: process.execPath, env: { PATH } };
}

const systemHasGo = existsSync('/usr/bin/go') || existsSync('/usr/bin/k6');

describe('k6', () => {
  test.each([
    ['k6 v0.57.0 (go1.23.6, linux/amd64)', false],
    ['k6 v1.8.1 (go1.26.8, linux/amd64)', true],
    ['k6 v2.0.0 (commit/abc, go1.26.0, linux/arm64)', true],
    ['something else', false],
  ])('"%s" can be used: %s', async (line, usable) => {
    expect(await isUsable(program('k6', `echo '${line}'`))).toBe(usable);
  });

  test('on the PATH and new enough: nothing is installed', async () => {
    const ours = program('k6', 'echo k6 v2.1.0');
    program('go', 'exit 1');
    const there = context();
    await setUpK6(there);
    expect(which('k6', there.env)).toBe(ours);
    expect(existsSync(there.cache)).toBe(false);
  });

  test('too old on the PATH: built with Go, once, and found first', async () => {
    program('k6', 'echo k6 v0.40.0');
    program('go', `echo "$@" >> ${folder}/built; mkdir -p $GOBIN; echo > $GOBIN/k6; chmod +x $GOBIN/k6`);
    for (let i = 0; i < 2; i++) {
      const there = context();
      await setUpK6(there);
      expect(which('k6', there.env)).toBe(join(k6Folder(there.cache), 'k6'));
    }
    expect(readdirSync(k6Folder(context().cache))).toEqual(['k6']);
    expect(readFileSync(join(folder, 'built'), 'utf8')).toBe('install go.k6.io/k6@v1.8.1\n');
  });

  test('a build that fails leaves nothing that looks like a k6', async () => {
    program('k6', 'echo k6 v0.40.0');
    program('go', 'mkdir -p $GOBIN; echo > $GOBIN/k6; echo no network >&2; exit 1');
    await expect(setUpK6(context())).rejects.toThrow('no network');
    expect(readdirSync(k6Folder(context().cache))).toEqual([]);
  });

  test.skipIf(systemHasGo)('neither k6 nor Go: says where both are', async () => {
    await expect(setUpK6(context())).rejects.toThrow(/k6 is not installed[\s\S]*go\.dev[\s\S]*install-k6/);
  });
});
