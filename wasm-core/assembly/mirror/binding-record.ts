/** Bindings on their way to the standby and to the journal: behind the fields, the user part of the AoR. Block: what is kept of the Contact. */
import { blobLength } from '../registrar/contact';
import { REC_FIELDS, recGen, tableAt, tablePut } from '../mem/table';
import { timerInit, timerPack } from '../mem/wheel';
import {
  B_AOR,
  B_BLOB,
  B_BYTES,
  B_FLOW,
  B_FLOW_LINK,
  B_NEXT,
  B_TIMER,
  aorName,
  aorNameLen,
  aorRelease,
  aorTake,
  bindingJoin,
  bindingRemove,
  bindingResume,
  bindingTable,
} from '../registrar/bindings';
import { putString } from '../call/call';
import { TIMER_BINDING } from '../timers';
import { blocksSent, setBlocksSent } from './changes';
import {
  BLOCK_FAILED,
  fieldIsBlock,
  fieldSent,
  fieldsTake,
  recordBegin,
  recordBlock,
  recordEnd,
  takeBlock,
  takeString,
  takenBlock,
} from './record';

/** Most bytes that the record may take. */
export function bindingRecordRoom(b: usize): u32 {
  return B_BYTES + 256 + blobLength(load<u32>(b + B_BLOB));
}

/** Writes the record at the text cursor; `whole`: not for the standby, which may have some of it. */
export function bindingRecordWrite(b: usize, whole: bool): void {
  const copy = recordBegin(b, B_BYTES) - REC_FIELDS;
  timerPack(copy + B_TIMER, 0);
  store<u32>(copy + B_AOR, 0);
  store<u32>(copy + B_NEXT, 0);
  store<u32>(copy + B_FLOW, 0);
  store<u32>(copy + B_FLOW_LINK, 0);
  fieldIsBlock(copy + B_BLOB);
  const aor: usize = load<u32>(b + B_AOR);
  putString(aorName(aor), aorNameLen(aor));
  const blob: usize = load<u32>(b + B_BLOB);
  recordBlock(0, blob, blobLength(blob), whole ? 0 : blocksSent(b));
  recordEnd();
  if (!whole) setBlocksSent(b, blob != 0 ? 1 : 0);
}

/** Takes the binding in a slot away, if there is one. */
export function bindingRecordDrop(slot: u32): void {
  const b = tableAt(bindingTable(), slot);
  if (b == 0) return;
  const aor: usize = load<u32>(b + B_AOR);
  bindingRemove(b);
  aorRelease(aor);
}

/** Applies the record that has been begun to be read; false when that is impossible. */
export function bindingRecordApply(slot: u32, gen: u32): bool {
  const known = tableAt(bindingTable(), slot);
  const isNew = known == 0 || recGen(known) != gen;
  if (known != 0 && isNew) bindingRecordDrop(slot);
  const name = takeString();
  if (name == 0) return false;
  const b = tablePut(bindingTable(), slot, gen);
  if (b == 0) return false;
  const aor: usize = isNew ? aorTake(name + 2, load<u16>(name)) : (load<u32>(b + B_AOR) as usize);
  const next = load<u32>(b + B_NEXT);
  const blob: usize = load<u32>(b + B_BLOB);
  fieldsTake(b, B_BYTES);
  timerInit(b + B_TIMER, TIMER_BINDING);
  store<u32>(b + B_AOR, aor as u32);
  store<u32>(b + B_NEXT, next);
  store<u32>(b + B_FLOW, 0); // connections are of the other node
  store<u32>(b + B_FLOW_LINK, 0);
  const how = takeBlock(0, blob, fieldSent(B_BLOB));
  store<u32>(b + B_BLOB, takenBlock as u32);
  if (isNew) return bindingJoin(b, aor) && how != BLOCK_FAILED;
  return how != BLOCK_FAILED;
}

/** The standby has become active. `isConnected`: connections are those of before. */
export function bindingRecordResume(b: usize, isConnected: bool): void {
  bindingResume(b, isConnected);
}
