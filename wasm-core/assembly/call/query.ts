/** Answers to EV_QUERY: records in pages. */
import {
  CURSOR_END,
  C_BINDINGS,
  C_CALLS_ACTIVE,
  EF_QUERY_REPLY,
  F_ARG0,
  F_ARG1,
  F_ARG2,
  F_ARG3,
  F_ARG4,
  QUERY_BINDINGS,
  QUERY_CALL,
  QUERY_CALLS,
} from '../abi';
import { countersPtr } from '../counters';
import { frameBegin, frameEnd } from '../effects';
import { tableAt, tableTouched } from '../mem/table';
import { writeBindings, writeBindingsCount, writeBindingsNext } from '../registrar/bindings';
import { cursor, writeAt } from '../text';
import { callGet, callState, callTable, callWrite } from './call';

/** Most records of one page, and the bytes after which it ends. */
const RECORDS_MAX: u32 = 200;
const PAGE_BYTES: usize = 200000;

/** EV_QUERY. */
export function query(event: usize): void {
  const what = load<u32>(event + F_ARG1);
  const from = load<u32>(event + F_ARG2);
  const limit = min(load<u32>(event + F_ARG3), RECORDS_MAX);
  const frame = frameBegin(EF_QUERY_REPLY);
  store<u32>(frame + F_ARG0, load<u32>(event + F_ARG0));
  store<u32>(frame + F_ARG1, what);
  if (what == QUERY_CALLS) calls(frame, from, limit);
  else if (what == QUERY_CALL) oneCall(frame, from, load<u32>(event + F_ARG3));
  else if (what == QUERY_BINDINGS) bindings(frame, from, limit);
  frameEnd();
}

function end(frame: usize, next: u32, records: u32, totalCounter: u32): void {
  store<u32>(frame + F_ARG2, next);
  store<u32>(frame + F_ARG3, records);
  store<u32>(frame + F_ARG4, load<f64>(countersPtr() + totalCounter * 8) as u32);
}

function calls(frame: usize, from: u32, limit: u32): void {
  const start = cursor;
  const touched = tableTouched(callTable());
  let slot = from;
  let n: u32 = 0;
  for (; slot < touched && n < limit && cursor - start < PAGE_BYTES; slot++) {
    const call = tableAt(callTable(), slot);
    if (call == 0) continue;
    record(call);
    n++;
  }
  end(frame, slot < touched ? slot : CURSOR_END, n, C_CALLS_ACTIVE);
}

function record(call: usize): void {
  const lengthAt = cursor;
  writeAt(cursor + 4);
  callWrite(call, callState(call));
  store<u32>(lengthAt, (cursor - lengthAt - 4) as u32);
}

function oneCall(frame: usize, slot: u32, gen: u32): void {
  const call = callGet(slot, gen);
  if (call != 0) record(call);
  end(frame, CURSOR_END, call != 0 ? 1 : 0, C_CALLS_ACTIVE);
}

function bindings(frame: usize, from: u32, limit: u32): void {
  const len = writeBindings(cursor, from, limit);
  writeAt(cursor + len);
  end(frame, writeBindingsNext, writeBindingsCount, C_BINDINGS);
}
