/** The core, compiled, for tests of the lab. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const CORE = await WebAssembly.compile(
  readFileSync(join(import.meta.dirname, '../../../build/core.wasm')),
);
