/** Records as a core writes them, with bodies that say what they are. */
import * as abi from '../../../wasm-core/assembly/abi.ts';

const encoder = new TextEncoder();

/** One record; no text: it is gone. */
export function recordOf(
  slot: number,
  generation: number,
  text?: string,
  type = abi.MRT_BINDING,
): Uint8Array {
  const body = encoder.encode(text ?? '');
  const bytes = new Uint8Array((abi.MR_BODY + body.length + 7) & ~7);
  const view = new DataView(bytes.buffer);
  view.setUint8(abi.MR_TYPE, type);
  view.setUint8(abi.MR_VERSION, abi.MR_BODY_VERSION);
  view.setUint16(abi.MR_FLAGS, text === undefined ? abi.MRF_GONE : 0, true);
  view.setUint32(abi.MR_LENGTH, bytes.length, true);
  view.setUint32(abi.MR_SLOT, slot, true);
  view.setUint32(abi.MR_GENERATION, generation, true);
  bytes.set(body, abi.MR_BODY);
  return bytes;
}

/** The records of a payload as `slot.generation text`, `gone` for those that are. */
export function readPayload(payload: Uint8Array): string[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const found: string[] = [];
  for (let at = 0; at < payload.length; at += view.getUint32(at + abi.MR_LENGTH, true)) {
    const body = payload.subarray(at + abi.MR_BODY, at + view.getUint32(at + abi.MR_LENGTH, true));
    const isGone = (view.getUint16(at + abi.MR_FLAGS, true) & abi.MRF_GONE) !== 0;
    const name = `${view.getUint32(at + abi.MR_SLOT, true)}.${view.getUint32(at + abi.MR_GENERATION, true)}`;
    found.push(`${name} ${isGone ? 'gone' : new TextDecoder().decode(body).replaceAll('\0', '')}`);
  }
  return found;
}
