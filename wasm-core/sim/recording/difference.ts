/** The first place in which the effects of a step differ from those that were recorded. */
import { F_LENGTH, FRAME_HEADER_BYTES } from '../../assembly/abi.ts';
import { frameBytes } from '../../host/frames.ts';

export interface Difference {
  /**
   * `effects`: a byte of them; `length`: one has more, and up to there they are equal; `taken`: the core took another number of
   * events; `trap`: the core traps, and did not then; `no-trap`: it did then.
   */
  what: 'effects' | 'length' | 'taken' | 'trap' | 'no-trap';
  /** Offset in the effects of the step; for `taken` the two numbers are in `recorded` and `replayed`. */
  offset: number;
  /** The byte there, or the number of events or bytes; -1 where there is none. */
  recorded: number;
  replayed: number;
  /** The frame it lies in, counted from 0, as recorded and as replayed; null where there is none. */
  frame: number;
  recordedFrame: Uint8Array | null;
  replayedFrame: Uint8Array | null;
}

/** The first offset in which two byte arrays differ, or the length of the shorter one. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  let at = 0;
  if (a.byteOffset % 4 === 0 && b.byteOffset % 4 === 0) {
    const words = length >> 2;
    const left = new Uint32Array(a.buffer, a.byteOffset, words);
    const right = new Uint32Array(b.buffer, b.byteOffset, words);
    let word = 0;
    while (word < words && left[word] === right[word]) word++;
    at = word * 4;
  }
  while (at < length && a[at] === b[at]) at++;
  return at;
}

/** Compares the effects of a step; null when all bytes are equal. */
export function compareEffects(recorded: Uint8Array, replayed: Uint8Array): Difference | null {
  const offset = firstDifference(recorded, replayed);
  if (offset === recorded.length && offset === replayed.length) return null;
  const ended = offset === recorded.length || offset === replayed.length;
  // The frames before are equal, so that both are cut alike up to here.
  const { frame, start } = locate(ended || offset >= recorded.length ? replayed : recorded, offset);
  return {
    what: ended ? 'length' : 'effects',
    offset,
    recorded: ended ? recorded.length : recorded[offset]!,
    replayed: ended ? replayed.length : replayed[offset]!,
    frame,
    recordedFrame: frameAt(recorded, start),
    replayedFrame: frameAt(replayed, start),
  };
}

/** The frames of a step's effects. Views, valid as long as `effects` is. */
export function* framesOf(effects: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < effects.length; ) {
    const frame = frameAt(effects, at);
    if (frame === null) return;
    yield frame;
    at += frameBytes(frame.length - FRAME_HEADER_BYTES);
  }
}

/** The frame in which `offset` lies. */
function locate(effects: Uint8Array, offset: number): { frame: number; start: number } {
  let frame = 0;
  let start = 0;
  for (const bytes of framesOf(effects)) {
    const end = start + frameBytes(bytes.length - FRAME_HEADER_BYTES);
    if (offset < end) break;
    frame++;
    start = end;
  }
  return { frame, start };
}

/** Header and payload of the frame that begins at an offset. */
function frameAt(effects: Uint8Array, start: number): Uint8Array | null {
  if (start + FRAME_HEADER_BYTES > effects.length) return null;
  const view = new DataView(effects.buffer, effects.byteOffset, effects.byteLength);
  const length = view.getUint32(start + F_LENGTH, true);
  return effects.subarray(start, Math.min(start + FRAME_HEADER_BYTES + length, effects.length));
}
