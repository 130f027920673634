/** The web pages (softphone, console, lab), bundled by Vite when their sources change. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../lib/lock.mjs';
import { run } from '../lib/process.mjs';
import { step } from '../lib/progress.mjs';
import { hashFiles, isFresh, writeStamp } from '../lib/stamp.mjs';

const OUTPUT = 'testbed/dist';
const STAMP = 'build/testbed.stamp';
/** The pages import the core, its host and the simulator besides their own sources. */
const SOURCES = [
  'testbed',
  'wasm-core/assembly/abi.ts',
  'wasm-core/host',
  'wasm-core/sim',
  'build/core.wasm',
  'docs/checkers',
  'package-lock.json',
  'tsconfig.json',
];

/** @param {import('../lib/context.mjs').Context} context */
export async function buildTestbed({ root, node, env }) {
  if (!existsSync(join(root, 'testbed/index.html'))) return;
  const output = join(root, OUTPUT);
  const stamp = join(root, STAMP);
  const hash = () => hashFiles(root, SOURCES, { except: ['dist', 'e2e', 'test'] });
  if (isFresh(output, stamp, hash())) return;
  await withLock(`${stamp}.lock`, async () => {
    const wanted = hash();
    if (isFresh(output, stamp, wanted)) return;
    const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
    await step(`${OUTPUT} (vite build)`, () =>
      run(node, [vite, 'build', 'testbed', '--logLevel', 'warn'], { cwd: root, env }),
    );
    writeStamp(stamp, wanted);
  });
}
