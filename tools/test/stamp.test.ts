import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hashFiles, isFresh, writeStamp } from '../lib/stamp.mjs';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'strowger-stamp-'));
  mkdirSync(join(root, 'src/deep'), { recursive: true });
  writeFileSync(join(root, 'src/a.ts'), 'a');
  writeFileSync(join(root, 'src/deep/b.ts'), 'b');
});

afterEach(() => rmSync(root, { recursive: true }));

describe('hashFiles', () => {
  test('is the same for the same content', () => {
    expect(hashFiles(root, ['src'])).toBe(hashFiles(root, ['src']));
  });

  test.each([
    ['a content', () => writeFileSync(join(root, 'src/deep/b.ts'), 'B')],
    ['a new file', () => writeFileSync(join(root, 'src/c.ts'), '')],
    ['a removed file', () => rmSync(join(root, 'src/a.ts'))],
    [
      'text moved from one file to the next',
      () => {
        writeFileSync(join(root, 'src/a.ts'), '');
        writeFileSync(join(root, 'src/deep/b.ts'), 'ab');
      },
    ],
  ])('changes with %s', (_what, change) => {
    const before = hashFiles(root, ['src']);
    change();
    expect(hashFiles(root, ['src'])).not.toBe(before);
  });

  test('changes with what else the result depends on', () => {
    expect(hashFiles(root, ['src'], { also: ['1.0'] })).not.toBe(hashFiles(root, ['src'], { also: ['1.1'] }));
  });

  test('leaves out the excepted names, and takes absent paths as absent', () => {
    const before = hashFiles(root, ['src', 'absent'], { except: ['deep'] });
    writeFileSync(join(root, 'src/deep/b.ts'), 'B');
    expect(hashFiles(root, ['src', 'absent'], { except: ['deep'] })).toBe(before);
    writeFileSync(join(root, 'absent'), 'here now');
    expect(hashFiles(root, ['src', 'absent'], { except: ['deep'] })).not.toBe(before);
  });
});

describe('isFresh', () => {
  test('wants the output, the stamp, and the same hash', () => {
    const output = join(root, 'out.wasm');
    const stamp = join(root, 'build/out.stamp');
    expect(isFresh(output, stamp, 'h1')).toBe(false);
    writeFileSync(output, '');
    expect(isFresh(output, stamp, 'h1')).toBe(false);
    writeStamp(stamp, 'h1');
    expect(isFresh(output, stamp, 'h1')).toBe(true);
    expect(isFresh(output, stamp, 'h2')).toBe(false);
    rmSync(output);
    expect(isFresh(output, stamp, 'h1')).toBe(false);
  });
});
