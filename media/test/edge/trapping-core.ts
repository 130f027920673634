/** A packet core with a fault: it traps at a certain payload. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { main } from 'assemblyscript/asc';

/** First byte of the payload at which it traps. */
export const POISON = 0xee;

const ENTRY = 'trapping.ts';
const SOURCE = `
  import { EDGE_SLOT_BYTES } from './wasm-core/assembly/rtp/abi';
  import { slotsPtr, step as relay } from './wasm-core/assembly/rtp/edge';
  export {
    abiVersion, blockPtr, countersPtr, hostPtr, init, legAllocate, legConfigure, legFree, legStats,
    outputCount, outputPtr, slotsPtr,
  } from './wasm-core/assembly/rtp/edge';
  export function step(received: u32, nowUs: f64): void {
    for (let i: u32 = 0; i < received; i++) {
      if (load<u8>(slotsPtr() + i * EDGE_SLOT_BYTES + 64 + 12) == ${POISON}) unreachable();
    }
    relay(received, nowUs);
  }
`;

/** Compiles it. @throws when the compiler refuses. */
export async function trappingCore(): Promise<Uint8Array> {
  const root = resolve(import.meta.dirname, '../../..');
  let wasm: Uint8Array | null = null;
  const { error, stderr } = await main(
    [ENTRY, '--outFile', 'trapping.wasm', '--runtime', 'stub', '--use', 'abort=', '--baseDir', root],
    {
      readFile: (name) => {
        if (name === ENTRY) return SOURCE;
        try {
          return readFileSync(resolve(root, name), 'utf8');
        } catch {
          return null; // the compiler tries several names
        }
      },
      writeFile: (_name, contents) => {
        wasm = contents as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || wasm === null) throw error ?? new Error(stderr.toString());
  return wasm;
}
