/** A build of the core that traps, for tests of what is left of it then. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ASSEMBLY, compile } from './compile.ts';

/** The core traps when it gets a message that begins with this. */
export const TRAPPING_METHOD = 'TRAP';
const CASE = 'case EV_MESSAGE:\n';

export function trappingCore(): Uint8Array<ArrayBuffer> {
  const folder = join(ASSEMBLY, `../../build/trapping-${process.pid}`);
  cpSync(ASSEMBLY, folder, { recursive: true });
  try {
    const file = join(folder, 'core.ts');
    const source = readFileSync(file, 'utf8');
    if (!source.includes(CASE)) throw new Error('core.ts has changed: say anew where the core is to trap');
    const trap = `${CASE}if (load<u32>(frame, ${FRAME_HEADER_BYTES}) == ${LETTERS}) unreachable();\n`;
    writeFileSync(file, source.replace(CASE, trap));
    return compile('trapping', [file], 'simd');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const FRAME_HEADER_BYTES = 64;
const LETTERS = new DataView(new TextEncoder().encode(TRAPPING_METHOD).buffer).getUint32(0, true);
