/** Builds of AssemblyScript sources for tests, compiled when these have changed. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const BUILD = join(ROOT, 'build');
export const ASSEMBLY = join(ROOT, 'wasm-core/assembly');
const OPTIONS = '--config none --runtime stub --use abort= --initialMemory 4 --noAssert';

/** With 16 bytes at a time, or without. */
export type Build = 'simd' | 'scalar';

function allSources(): string[] {
  const names = readdirSync(ASSEMBLY, { recursive: true }) as string[];
  return names
    .filter((name) => name.endsWith('.ts') && !name.startsWith('rtp'))
    .map((name) => join(ASSEMBLY, name));
}

/** Compiles `entries`, or takes what an earlier run has left in build/; `name` tells the outputs of tests apart. */
export function compile(
  name: string,
  entries: readonly string[],
  build: Build,
  optimize = '-O3',
): Uint8Array<ArrayBuffer> {
  const options = [...OPTIONS.split(' '), optimize, ...(build === 'simd' ? ['--enable', 'simd'] : [])];
  const hash = createHash('sha256').update(options.join());
  for (const source of allSources()) hash.update(readFileSync(source));
  const prefix = `${name}-${build}-`;
  const out = join(BUILD, `${prefix}${hash.digest('hex').slice(0, 16)}.wasm`);
  if (!existsSync(out)) {
    mkdirSync(BUILD, { recursive: true });
    for (const old of readdirSync(BUILD)) {
      if (old.startsWith(prefix) && old.endsWith('.wasm')) rmSync(join(BUILD, old), { force: true });
    }
    const asc = join(ROOT, 'node_modules/assemblyscript/bin/asc.js');
    const temporary = `${out}.${process.pid}`;
    execFileSync(process.execPath, [asc, ...entries, ...options, '-o', temporary], { cwd: ROOT });
    renameSync(temporary, out);
  }
  return new Uint8Array(readFileSync(out));
}
