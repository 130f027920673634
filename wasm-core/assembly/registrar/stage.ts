/**
 * What a REGISTER wants to change, prepared so that carrying it out cannot fail: a request is taken whole or not at all
 * (RFC 3261 10.3 step 7). Everything that can be refused or run out is checked and set aside first.
 */
import { blockChanged } from '../mirror/changes';
import { I_CONTACTS_PER_AOR_MAX, I_EXPIRES_MIN_S } from '../abi';
import { initU32 } from '../config';
import { nowMs } from '../effects';
import { callHash, transactionKey } from '../identity';
import { blockAlloc, blockFree } from '../mem/pool';
import { contactTarget } from '../proxy/source';
import { cseqNumber } from '../sip/message';
import {
  B_BLOB,
  B_CALL,
  B_CSEQ,
  B_Q,
  B_REG_ID,
  B_TARGET,
  B_TRANSACTION,
  bindingAdd,
  bindingAfter,
  bindingHead,
  bindingRemove,
  bindingRenew,
  bindingsFree,
} from './bindings';
import {
  BLOB_BYTES_MAX,
  blobBytes,
  blobUri,
  blobUriLen,
  blobWrite,
  contactMatches,
  contactNext,
  contactsBegin,
  contactsMalformed,
  ctExpires,
  ctQ,
  ctRegId,
} from './contact';

/** Most Contacts of one request. */
const ITEMS_MAX: u32 = 64;

// one Contact
const S_BINDING: u32 = 0; // u32: the binding that it renews or removes, 0: a new one
const S_BLOB: u32 = 4; // u32: what the binding will keep, 0: nothing, it ends
const S_EXPIRES: u32 = 8; // u32 seconds
const S_Q: u32 = 12; // u32
const S_REG_ID: u32 = 16; // u32
const S_BYTES: u32 = 20;

const items: usize = memory.data(1280, 8); // ITEMS_MAX * S_BYTES
let count: u32 = 0;

/** Bindings that the last `stageCommit` made, and that it removed. */
export let stagedNew: u32 = 0;
export let stagedRemoved: u32 = 0;
/** A flow of an outbound device is among them (RFC 5626). */
export let stagedOutbound: bool = false;

/** Whether a later request of the same Call-ID, or another one with that CSeq, wrote the binding. */
export function isOutdated(b: usize): bool {
  if (load<u64>(b + B_CALL) != callHash) return false;
  const last = load<u32>(b + B_CSEQ);
  // The same request again, as UDP repeats it, is answered as before.
  return (
    cseqNumber < last || (cseqNumber == last && load<u32>(b + B_TRANSACTION) != (transactionKey() as u32))
  );
}

/**
 * Prepares the Contacts of the current request for an address of record (0: one without bindings). Returns 200, or
 * 400 malformed or too large, 403 too many, 423 too brief, 500 out of order, 503 no room; then nothing is set aside.
 */
export function stage(aor: usize): u32 {
  count = stagedNew = stagedRemoved = 0;
  stagedOutbound = false;
  let status: u32 = 200;
  contactsBegin();
  while (status == 200 && contactNext()) status = stageContact(aor);
  if (status == 200 && contactsMalformed) status = 400;
  if (status == 200) status = countChanges(aor);
  if (status != 200) stageDrop();
  return status;
}

/** Gives back what was set aside. */
export function stageDrop(): void {
  for (let i: u32 = 0; i < count; i++) blockFree(load<u32>(itemAt(i) + S_BLOB));
  count = 0;
}

function itemAt(i: u32): usize {
  return items + i * S_BYTES;
}

function stageContact(aor: usize): u32 {
  if (ctExpires > 0 && ctExpires < initU32(I_EXPIRES_MIN_S)) return 423;
  const room = blobBytes();
  if (room > BLOB_BYTES_MAX) return 400;
  if (count == ITEMS_MAX) return 403;
  const known = matching(aor);
  if (known != 0 && isOutdated(known)) return 500;
  supersede(known);
  let blob: usize = 0;
  if (ctExpires > 0) {
    blob = blockAlloc(room);
    if (blob == 0) return 503;
    blobWrite(blob);
    if (ctRegId != 0) stagedOutbound = true;
  }
  const item = itemAt(count++);
  store<u32>(item + S_BINDING, known as u32);
  store<u32>(item + S_BLOB, blob as u32);
  store<u32>(item + S_EXPIRES, ctExpires);
  store<u32>(item + S_Q, ctQ);
  store<u32>(item + S_REG_ID, ctRegId);
  return 200;
}

function matching(aor: usize): usize {
  if (aor == 0) return 0;
  for (let b = bindingHead(aor); b != 0; b = bindingAfter(b)) {
    if (contactMatches(load<u32>(b + B_BLOB), load<u32>(b + B_REG_ID))) return b;
  }
  return 0;
}

/** Of two Contacts for the same binding in one request the last counts. */
function supersede(known: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const item = itemAt(i);
    const blob: usize = load<u32>(item + S_BLOB);
    const same =
      known != 0
        ? (load<u32>(item + S_BINDING) as usize) == known
        : load<u32>(item + S_BINDING) == 0 && blob != 0 && contactMatches(blob, load<u32>(item + S_REG_ID));
    if (!same) continue;
    blockFree(blob);
    count--;
    memory.copy(item, itemAt(count), S_BYTES);
    return;
  }
}

function countChanges(aor: usize): u32 {
  let total: i32 = 0;
  if (aor != 0) for (let b = bindingHead(aor); b != 0; b = bindingAfter(b)) total++;
  const before = total;
  for (let i: u32 = 0; i < count; i++) {
    const isNew = load<u32>(itemAt(i) + S_BINDING) == 0;
    const ends = load<u32>(itemAt(i) + S_BLOB) == 0;
    if (isNew && !ends) stagedNew++;
    if (!isNew && ends) stagedRemoved++;
  }
  total += (stagedNew as i32) - (stagedRemoved as i32);
  if (total > before && (total as u32) > initU32(I_CONTACTS_PER_AOR_MAX)) return 403;
  return stagedNew > bindingsFree() ? 503 : 200;
}

/** Carries out what `stage` has prepared. */
export function stageCommit(aor: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const item = itemAt(i);
    const known: usize = load<u32>(item + S_BINDING);
    if (load<u32>(item + S_BLOB) != 0) write(known != 0 ? known : bindingAdd(aor), item);
    else if (known != 0) bindingRemove(known);
  }
  count = 0;
}

function write(b: usize, item: usize): void {
  const blob: usize = load<u32>(item + S_BLOB);
  blockFree(load<u32>(b + B_BLOB));
  store<u32>(b + B_BLOB, blob as u32);
  blockChanged(b, 0);
  store<u16>(b + B_Q, load<u32>(item + S_Q));
  store<u32>(b + B_REG_ID, load<u32>(item + S_REG_ID));
  store<u64>(b + B_CALL, callHash);
  store<u32>(b + B_CSEQ, cseqNumber);
  store<u32>(b + B_TRANSACTION, transactionKey() as u32);
  contactTarget(b + B_TARGET, blobUri(blob), blobUriLen(blob), false);
  bindingRenew(b, nowMs + (load<u32>(item + S_EXPIRES) as u64) * 1000);
}
