/** Builds of the core with a planted defect: made once for each state of the sources, kept in build/defects. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import type { Defect } from './defects.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const ASSEMBLY = join(ROOT, 'wasm-core/assembly');
const FOLDER = join(ROOT, 'build/defects');
/** As in asconfig.json, with less optimization: it compiles in a third of the time. */
const OPTIONS =
  '--config none --runtime stub --use abort= --initialMemory 4 --noAssert -O1 --enable simd'.split(' ');

/**
 * The core with a defect.
 * @throws Error when the place of the defect isn't there exactly once: then the sources have changed, and it has to follow
 */
export function buildDefect(defect: Defect): Uint8Array<ArrayBuffer> {
  const source = readFileSync(join(ASSEMBLY, defect.file), 'utf8');
  const places = source.split(defect.find).length - 1;
  if (places !== 1)
    throw new Error(`defect ${defect.name}: its place is ${places} times in ${defect.file}, not once`);
  const hash = createHash('sha256').update(JSON.stringify(defect));
  for (const file of sources()) hash.update(readFileSync(join(ASSEMBLY, file)));
  const out = join(FOLDER, `${defect.name}-${hash.digest('hex').slice(0, 16)}.wasm`);
  if (!existsSync(out))
    compile(
      defect,
      source.replace(defect.find, () => defect.replace),
      out,
    );
  return new Uint8Array(readFileSync(out));
}

function sources(): string[] {
  const names = readdirSync(ASSEMBLY, { recursive: true }) as string[];
  return names.filter((name) => name.endsWith('.ts') && !name.startsWith('rtp')).sort();
}

function compile(defect: Defect, changed: string, out: string): void {
  mkdirSync(FOLDER, { recursive: true });
  for (const old of readdirSync(FOLDER)) {
    if (old.startsWith(`${defect.name}-`)) rmSync(join(FOLDER, old), { recursive: true });
  }
  const copy = join(FOLDER, `${defect.name}-source-${process.pid}`);
  cpSync(ASSEMBLY, copy, { recursive: true });
  writeFileSync(join(copy, defect.file), changed);
  const asc = join(ROOT, 'node_modules/assemblyscript/bin/asc.js');
  const temporary = `${out}.${process.pid}`;
  execFileSync(process.execPath, [asc, join(copy, 'core.ts'), ...OPTIONS, '-o', temporary], { cwd: ROOT });
  rmSync(copy, { recursive: true });
  renameSync(temporary, out);
}
