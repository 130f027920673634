/**
 * Edits of the current message: spans to replace, kept in order of address, applied while copying.
 * A proxy changes little of what it forwards (RFC 3261 16.6); this writes those changes down once,
 * and each copy — a forwarded request, the Via of an answer — has them.
 */
import { copy16 } from './mem/copy';
import { bytes, cursor, writeAt } from './text';

const EDITS_MAX: u32 = 48;
const EDIT_BYTES: u32 = 16; // u32 from, to, text, text length
const SCRATCH_BYTES: u32 = 4096;

const edits: usize = memory.data(768, 16); // EDITS_MAX * EDIT_BYTES
const scratch: usize = memory.data(4112, 16); // SCRATCH_BYTES and the slack of text()
let used: u32 = 0;
let scratchAt: usize = 0;
let resumeAt: usize = 0;
let openFrom: usize = 0;
let openTo: usize = 0;

export function editReset(): void {
  used = 0;
  scratchAt = scratch;
}

/** Replaces [from, to) by the bytes at `ptr`, which must stay where they are. Beyond EDITS_MAX: false. */
export function editReplace(from: usize, to: usize, ptr: usize, len: u32): bool {
  if (used == EDITS_MAX) return false;
  let i = used;
  while (i > 0 && (load<u32>(edits + (i - 1) * EDIT_BYTES) as usize) > from) {
    copy16(edits + i * EDIT_BYTES, edits + (i - 1) * EDIT_BYTES);
    i--;
  }
  const e = edits + i * EDIT_BYTES;
  store<u32>(e, from as u32);
  store<u32>(e, to as u32, 4);
  store<u32>(e, ptr as u32, 8);
  store<u32>(e, len, 12);
  used++;
  return true;
}

export function editCut(from: usize, to: usize): bool {
  return editReplace(from, to, 0, 0);
}

/** Begins a replacement whose text is written with text.ts until `editClose` (at most some hundred bytes). */
export function editOpen(from: usize, to: usize): void {
  resumeAt = cursor;
  openFrom = from;
  openTo = to;
  writeAt(scratchAt);
}

export function editClose(): bool {
  const ptr = scratchAt;
  const len = (cursor - ptr) as u32;
  if (cursor - scratch < SCRATCH_BYTES) scratchAt = cursor;
  writeAt(resumeAt);
  return editReplace(openFrom, openTo, ptr, len);
}

/** Bytes by which the edits can make the message longer. */
export function editGrowth(): u32 {
  let added: u32 = 0;
  for (let i: u32 = 0; i < used; i++) added += load<u32>(edits + i * EDIT_BYTES, 12);
  return added;
}

/** Writes [from, to) at the text cursor, edited. Edits must lie wholly inside or outside. */
export function editCopy(from: usize, to: usize): void {
  let here = from;
  for (let i: u32 = 0; i < used; i++) {
    const e = edits + i * EDIT_BYTES;
    const start: usize = load<u32>(e);
    const end: usize = load<u32>(e, 4);
    if (start < here || end > to) continue;
    bytes(here, (start - here) as u32);
    bytes(load<u32>(e, 8), load<u32>(e, 12));
    here = end;
  }
  bytes(here, (to - here) as u32);
}
