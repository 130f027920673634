/** Events that a core trapped at: they are not given to a core again, however often they are repeated. */
import * as abi from '../../wasm-core/assembly/abi.ts';

/** So many are remembered; the oldest makes room. */
const EVENTS_MAX = 64;
/** With more traps than this in this time it is not the message: the thread gives up, and another node takes over. */
const TRAPS_MAX = 20;
const WINDOW_US = 60e6;

export class Quarantine {
  /** By hash and length. */
  readonly #events = new Map<string, Uint8Array>();
  #trapsUs: number[] = [];

  get size(): number {
    return this.#events.size;
  }

  /** Counts a trap. False: there were too many. */
  mayGoOn(nowUs: number): boolean {
    this.#trapsUs = this.#trapsUs.filter((us) => nowUs - us < WINDOW_US);
    this.#trapsUs.push(nowUs);
    return this.#trapsUs.length <= TRAPS_MAX;
  }

  /** @param event a frame; what its header says of times and addresses is of no account. */
  add(event: Uint8Array): void {
    if (event[abi.F_KIND] !== abi.EV_MESSAGE) return;
    if (this.#events.size === EVENTS_MAX) this.#events.delete(this.#events.keys().next().value!);
    const payload = payloadOf(event);
    this.#events.set(keyOf(payload), payload.slice());
  }

  /** Whether it is such a message, to the byte. */
  has(event: Uint8Array): boolean {
    if (event[abi.F_KIND] !== abi.EV_MESSAGE) return false;
    const payload = payloadOf(event);
    const known = this.#events.get(keyOf(payload));
    return known !== undefined && Buffer.compare(known, payload) === 0;
  }
}

function payloadOf(event: Uint8Array): Uint8Array {
  const length = new DataView(event.buffer, event.byteOffset).getUint32(abi.F_LENGTH, true);
  return event.subarray(abi.FRAME_HEADER_BYTES, abi.FRAME_HEADER_BYTES + length);
}

/** FNV-1a of the first bytes, and the length. */
function keyOf(payload: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < Math.min(payload.length, 1024); i++)
    hash = Math.imul(hash ^ payload[i]!, 0x01000193) >>> 0;
  return `${payload.length}.${hash}`;
}
