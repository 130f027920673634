/** The WebAssembly modules, compiled by the AssemblyScript compiler when their sources change. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withLock } from '../lib/lock.mjs';
import { run } from '../lib/process.mjs';
import { step } from '../lib/progress.mjs';
import { hashFiles, isFresh, writeStamp } from '../lib/stamp.mjs';
import { installedVersion } from './version.mjs';

/**
 * One entry per module: `config` and `target` say how it is compiled, `sources` what it is made of.
 * @type {{ output: string, config: string, target: string, sources: string[] }[]}
 */
const MODULES = [
  {
    output: 'build/core.wasm',
    config: 'asconfig.json',
    target: 'release',
    sources: ['wasm-core/assembly', 'asconfig.json'],
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
async function build({ root, node, env }, { output, config, target, sources }) {
  const outputPath = join(root, output);
  const stamp = `${outputPath}.stamp`;
  const hash = () => hashFiles(root, sources, { also: [target, installedVersion(root, 'assemblyscript')] });
  if (isFresh(outputPath, stamp, hash())) return;
  await withLock(`${outputPath}.lock`, async () => {
    const wanted = hash();
    if (isFresh(outputPath, stamp, wanted)) return;
    const asc = join(root, 'node_modules', 'assemblyscript', 'bin', 'asc.js');
    await step(`${output} (${dirname(config) === '.' ? target : config})`, () =>
      run(node, [asc, '--config', config, '--target', target], { cwd: root, env }),
    );
    if (!existsSync(outputPath)) throw new Error(`${config}, target ${target}, does not write ${output}`);
    writeStamp(stamp, wanted);
  });
}
