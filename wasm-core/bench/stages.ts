/** The core with its stages one by one, for the bench in this folder. AssemblyScript. */
import { effectsReset } from '../assembly/effects';
import { tableAt, tableTouched } from '../assembly/mem/table';
import { candidatesFind } from '../assembly/proxy/candidates';
import { takeRoutes } from '../assembly/proxy/route';
import { isLocalDomain } from '../assembly/routing/bank';
import { parseMessage, uriLen, uriPtr } from '../assembly/sip/message';
import { parseUri, uHostLen, uHostPtr } from '../assembly/sip/uri';
import { sendInvite } from '../assembly/transaction/outgoing';
import { TX_BLOCK, TX_BRANCHES, transactionTable } from '../assembly/transaction/tables';
import { callOf, storedTake } from '../assembly/transaction/invite';
import { FRAME_HEADER_BYTES, F_LENGTH, RX_SLOT_BYTES } from '../assembly/abi';
import { slotsPtr } from '../assembly/core';

export * from '../assembly/core';

/** Parses the messages in the first `slots` receive slots, `times` times; how many were malformed. */
export function benchParse(slots: u32, times: u32): u32 {
  let faults: u32 = 0;
  for (let t: u32 = 0; t < times; t++) {
    for (let i: u32 = 0; i < slots; i++) {
      const frame = slotsPtr() + i * RX_SLOT_BYTES;
      if (parseMessage(frame + FRAME_HEADER_BYTES, load<u32>(frame + F_LENGTH), false) != 0) faults++;
    }
  }
  return faults;
}

/** Looks up where the message parsed last goes, `times` times; the status of the last look-up. */
export function benchRoute(times: u32): u32 {
  let found: u32 = 0;
  for (let t: u32 = 0; t < times; t++) {
    takeRoutes();
    if (!parseUri(uriPtr, uriLen) || !isLocalDomain(uHostPtr, uHostLen)) return 0;
    found = candidatesFind(true);
  }
  return found;
}

/** Writes the forwarded INVITE of a transaction that is not answered yet `times` times; false when there is none. */
export function benchRewrite(times: u32): bool {
  let slot: u32 = 0;
  let tx: usize = 0;
  for (; slot < tableTouched(transactionTable()); slot++) {
    tx = tableAt(transactionTable(), slot);
    if (tx != 0 && load<u32>(tx + TX_BLOCK) != 0 && callOf(tx) != 0) break;
  }
  if (slot == tableTouched(transactionTable())) return false;
  storedTake(tx);
  for (let t: u32 = 0; t < times; t++) {
    effectsReset();
    sendInvite(tx, load<u32>(tx + TX_BRANCHES));
  }
  return true;
}

/** A loop of known work, to compare machines by: `times` rounds of a xorshift generator. */
export function benchCalibrate(times: u32): u64 {
  let x: u64 = 0x1234567;
  for (let i: u32 = 0; i < times; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  return x;
}
