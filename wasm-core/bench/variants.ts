/** The core compiled for the bench: the release build's options, with the stages' exports, with and without SIMD. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');

/** A build of the core. */
export interface Variant {
  name: string;
  wasm: Uint8Array<ArrayBuffer>;
}

/** Compiles `wasm-core/bench/stages.ts` into build/bench/. @throws when it does not compile. */
export function buildVariant(simd: boolean): Variant {
  const name = simd ? 'simd' : 'scalar';
  const config = JSON.parse(readFileSync(join(ROOT, 'asconfig.json'), 'utf8'));
  const { optimizeLevel, shrinkLevel, uncheckedBehavior } = config.targets.release;
  const out = join(ROOT, `build/bench/core-${name}.wasm`);
  mkdirSync(join(ROOT, 'build/bench'), { recursive: true });
  const options = ['--config', 'none', '--runtime', 'stub', '--use', 'abort=', '--initialMemory', '4'];
  options.push('--optimizeLevel', optimizeLevel, '--shrinkLevel', shrinkLevel, '--converge', '--noAssert');
  options.push(
    '--uncheckedBehavior',
    uncheckedBehavior,
    ...(simd ? ['--enable', 'simd'] : []),
    '--outFile',
    out,
  );
  const asc = join(ROOT, 'node_modules/assemblyscript/bin/asc.js');
  execFileSync(process.execPath, [asc, join(ROOT, 'wasm-core/bench/stages.ts'), ...options], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return { name, wasm: new Uint8Array(readFileSync(out)) };
}
