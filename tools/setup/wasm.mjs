/** The WebAssembly modules, compiled by the AssemblyScript compiler when their sources change. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../lib/lock.mjs';
import { run } from '../lib/process.mjs';
import { step } from '../lib/progress.mjs';
import { hashFiles, isFresh, writeStamp } from '../lib/stamp.mjs';
import { installedVersion } from './version.mjs';

/**
 * One entry per module: `config` and `target` say how it is compiled, `sources` (without the folders named
 * `except`) what it is made of.
 * @type {{ output: string, config: string, target: string, sources: string[], except?: string[] }[]}
 */
const MODULES = [
  {
    output: 'build/core.wasm',
    config: 'asconfig.json',
    target: 'release',
    sources: ['wasm-core/assembly', 'asconfig.json'],
    except: ['rtp'],
  },
  {
    output: 'build/edge.wasm',
    config: 'wasm-core/assembly/rtp/asconfig.json',
    target: 'release',
    sources: ['wasm-core/assembly/rtp', 'wasm-core/assembly/mem', 'wasm-core/assembly/abi.ts'],
  },
];

/** @param {import('../lib/context.mjs').Context} context */
export async function buildWasm(context) {
  for (const module of MODULES) await build(context, module);
}

/**
 * @param {import('../lib/context.mjs').Context} context
 * @param {typeof MODULES[number]} module
 */
async function build({ root, node, env }, { output, config, target, sources, except }) {
  const outputPath = join(root, output);
  const stamp = `${outputPath}.stamp`;
  const also = [target, installedVersion(root, 'assemblyscript')];
  const hash = () => hashFiles(root, sources, { except, also });
  if (isFresh(outputPath, stamp, hash())) return;
  await withLock(`${outputPath}.lock`, async () => {
    const wanted = hash();
    if (isFresh(outputPath, stamp, wanted)) return;
    const asc = join(root, 'node_modules', 'assemblyscript', 'bin', 'asc.js');
    await step(`${output} (asc)`, () =>
      run(node, [asc, '--config', config, '--target', target], { cwd: root, env }),
    );
    if (!existsSync(outputPath)) throw new Error(`${config}, target ${target}, does not write ${output}`);
    writeStamp(stamp, wanted);
  });
}
