/** How V8 compiles WebAssembly in this process. */
import { setFlagsFromString } from 'node:v8';

/**
 * From now on V8 compiles WebAssembly with its optimizing compiler, all of it before it runs: no message meets code that is not ready
 * (docs/decisions/0031). To be called after what the process imports was imported: on the command line these flags would hold for Node's own
 * type stripper, too, which is megabytes of WebAssembly (0.7 s of CPU at each start).
 */
export function optimizeWasm(): void {
  setFlagsFromString('--no-liftoff');
  setFlagsFromString('--no-wasm-lazy-compilation');
}
