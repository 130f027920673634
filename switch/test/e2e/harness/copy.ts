/** A copy of the program with another signalling core, for tests of what happens when the core fails. */
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from './folder.ts';
import { REPOSITORY } from './repository.ts';

const PARTS = ['package.json', 'switch', 'wasm-core', 'media', 'testbed/dist', 'build'];

/** Makes the copy in a temporary folder, which the caller removes. */
export function copyWithCore(core: Uint8Array): string {
  const folder = makeFolder('copy');
  const skipped = /\/(test|bench)$|\.debug\.|core-flat/;
  for (const part of PARTS)
    cpSync(join(REPOSITORY, part), join(folder, part), {
      recursive: true,
      filter: (path) => !skipped.test(path),
    });
  mkdirSync(join(folder, 'build'), { recursive: true });
  writeFileSync(join(folder, 'build/core.wasm'), core);
  symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}
