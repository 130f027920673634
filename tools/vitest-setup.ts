/**
 * Runs before the tests, so that `vitest run` alone tests what the sources say: compiles the WebAssembly where
 * it is stale, and gives the tests the mediasoup worker that the set-up left in the cache.
 */
import { existsSync } from 'node:fs';
import { createContext } from './lib/context.mjs';
import { SetupError, say } from './lib/progress.mjs';
import { buildWasm } from './setup/wasm.mjs';
import { workerPlaces } from './setup/worker.mjs';

export default async function setUp(): Promise<void> {
  const context = createContext();
  process.env.MEDIASOUP_WORKER_BIN ??= Object.values(workerPlaces(context)).find((path) => existsSync(path));
  try {
    await buildWasm(context);
  } catch (error) {
    // Tests of other parts can do without; those of the core would test the previous one. `npm test` stops here.
    if (!(error instanceof SetupError)) throw error;
    say(`THE TESTS RUN WITH THE PREVIOUS WEBASSEMBLY, IF ANY:\n${error.message}`);
  }
}
