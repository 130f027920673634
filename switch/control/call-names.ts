/** The calls of the core, as the media process names them. */
import * as abi from '../../wasm-core/assembly/abi.ts';
import type { CoreLink } from './core-link.ts';

const PAGE = 200;

/** `slot.generation` of all calls that have media: those that are ending have none any more. */
export async function callNames(link: CoreLink): Promise<string[]> {
  const names: string[] = [];
  for (let cursor: number | null = 0; cursor !== null; ) {
    const page = await link.query(abi.QUERY_CALLS, cursor, PAGE);
    const view = new DataView(page.payload.buffer, page.payload.byteOffset, page.payload.byteLength);
    for (let at = 0; at < page.payload.length; at += 4 + view.getUint32(at, true)) {
      if (view.getUint8(at + 4 + abi.CR_STATE) >= abi.CALL_STATE_ENDING) continue;
      const slot = view.getUint32(at + 4 + abi.CR_SLOT, true);
      names.push(`${slot}.${view.getUint32(at + 4 + abi.CR_GENERATION, true)}`);
    }
    cursor = page.next;
  }
  return names;
}
