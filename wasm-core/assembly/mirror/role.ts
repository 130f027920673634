/**
 * What this core may do: a standby follows another core, the active one works, and one whose lease has run out does nothing any
 * more, whatever comes. There is no way back to standby: the host begins with a new core.
 */
import {
  C_EPOCH,
  C_ROLE,
  EF_FENCED,
  F_ARG0,
  F_ARG1,
  F_ARG2,
  F_UNTIL,
  I_ROLE,
  ROLE_ACTIVE,
  ROLE_STANDBY,
} from '../abi';
import { callTable } from '../call/call';
import { initU32 } from '../config';
import { gauge } from '../counters';
import { frameBegin, frameEnd, nowUs } from '../effects';
import { tableAt, tableRebuild, tableSlot, tableTouched } from '../mem/table';
import { bindingTable } from '../registrar/bindings';
import { transactionTable } from '../transaction/tables';
import { bindingRecordResume } from './binding-record';
import { callRecordResume } from './call-record';
import { changed, journalBegin } from './changes';
import { standbyHeard } from './standby';
import { transactionRecordResume } from './transaction-record';

/** ROLE_*. */
export let role: u32 = 0;
/** Of this core when it is active, else the newest that it has seen. */
export let epoch: u32 = 0;
let untilUs: f64 = 0;
/** The lease has run out. */
export let isFenced: bool = false;
let wasTold: bool = false;

export function roleInit(): void {
  setRole(initU32(I_ROLE));
  epoch = 0;
  untilUs = 0;
  isFenced = wasTold = false;
  if (role == ROLE_ACTIVE) journalBegin();
}

function setRole(to: u32): void {
  role = to;
  gauge(C_ROLE, to);
}

export function epochSeen(seen: u32): void {
  epoch = seen;
  gauge(C_EPOCH, seen);
}

/** EV_LEASE. */
export function takeLease(frame: usize): void {
  untilUs = load<f64>(frame + F_UNTIL);
}

/** Whether the lease has run out; says so to the host once. At the beginning of each step. */
export function fenced(): bool {
  if (untilUs != 0 && nowUs > untilUs) isFenced = true;
  if (isFenced && !wasTold) {
    wasTold = true;
    frameBegin(EF_FENCED);
    frameEnd();
  }
  return isFenced;
}

/** EV_ROLE: from here on, this is the node that works. */
export function takeRole(frame: usize): void {
  if (load<u32>(frame + F_ARG0) != ROLE_ACTIVE) return;
  epochSeen(load<u32>(frame + F_ARG1));
  if (role != ROLE_STANDBY) return;
  setRole(ROLE_ACTIVE);
  journalBegin();
  const calls = callTable();
  const transactions = transactionTable();
  const bindings = bindingTable();
  tableRebuild(calls);
  tableRebuild(transactions);
  tableRebuild(bindings);
  for (let s: u32 = 0; s < tableTouched(calls); s++) {
    const call = tableAt(calls, s);
    if (call != 0) callRecordResume(call);
  }
  for (let s: u32 = 0; s < tableTouched(transactions); s++) {
    const tx = tableAt(transactions, s);
    if (tx != 0) transactionRecordResume(tx);
  }
  for (let s: u32 = 0; s < tableTouched(bindings); s++) {
    const b = tableAt(bindings, s);
    if (b != 0) bindingRecordResume(b, load<u32>(frame + F_ARG2) != 0);
    if (standbyHeard) changed(tableSlot(bindings, s)); // the store may lack the last that the other node did
  }
}
