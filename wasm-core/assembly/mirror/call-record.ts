/** Calls on their way to the standby. Blocks: strings of the INVITE, strings of the answer. */
import { C_CALLS_ACTIVE } from '../abi';
import {
  CALL_BYTES,
  K_ANSWER,
  K_INVITE,
  K_OFFER_A,
  K_TIMER,
  callFree,
  callState,
  callString,
  callTable,
  stateGauge,
} from '../call/call';
import { count, countAdd } from '../counters';
import { recGen, tableAt, tablePut } from '../mem/table';
import { timerDue, timerInit, timerPack, timerResume } from '../mem/wheel';
import { TIMER_CALL } from '../timers';
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
  takenBlock,
} from './record';
import { REC_FIELDS } from '../mem/table';

const INVITE_STRINGS: u32 = 7;
const ANSWER_STRINGS: u32 = 3;

function length(block: usize, strings: u32): u32 {
  return block == 0 ? 0 : ((callString(block, strings) - block) as u32);
}

/** Most bytes that the record may take. */
export function callRecordRoom(call: usize): u32 {
  const strings =
    length(load<u32>(call + K_INVITE), INVITE_STRINGS) + length(load<u32>(call + K_ANSWER), ANSWER_STRINGS);
  return CALL_BYTES + strings + 64;
}

/** Writes the record at the text cursor. */
export function callRecordWrite(call: usize): void {
  const copy = recordBegin(call, CALL_BYTES) - REC_FIELDS;
  timerPack(copy + K_TIMER, timerDue(call + K_TIMER));
  fieldIsBlock(copy + K_INVITE);
  fieldIsBlock(copy + K_ANSWER);
  store<u64>(copy + K_OFFER_A, 0); // the media process asks again
  const has = blocksSent(call);
  const invite: usize = load<u32>(call + K_INVITE);
  const answer: usize = load<u32>(call + K_ANSWER);
  recordBlock(0, invite, length(invite, INVITE_STRINGS), has);
  recordBlock(1, answer, length(answer, ANSWER_STRINGS), has);
  recordEnd();
  setBlocksSent(call, (invite != 0 ? 1 : 0) | (answer != 0 ? 2 : 0));
}

/** Takes the call in a slot away, if there is one. */
export function callRecordDrop(slot: u32): void {
  const call = tableAt(callTable(), slot);
  if (call != 0) callFree(call);
}

/** Applies the record that has been begun to be read; false when that is impossible. */
export function callRecordApply(slot: u32, gen: u32): bool {
  const known = tableAt(callTable(), slot);
  const isNew = known == 0 || recGen(known) != gen;
  if (known != 0 && isNew) callFree(known);
  const call = tablePut(callTable(), slot, gen);
  if (call == 0) return false;
  if (isNew) count(C_CALLS_ACTIVE);
  else countAdd(stateGauge(callState(call)), -1);
  const invite: usize = load<u32>(call + K_INVITE);
  const answer: usize = load<u32>(call + K_ANSWER);
  fieldsTake(call, CALL_BYTES);
  count(stateGauge(callState(call)));
  timerInit(call + K_TIMER, TIMER_CALL);
  const first = takeBlock(0, invite, fieldSent(K_INVITE));
  store<u32>(call + K_INVITE, takenBlock as u32);
  const second = takeBlock(1, answer, fieldSent(K_ANSWER));
  store<u32>(call + K_ANSWER, takenBlock as u32);
  return first != BLOCK_FAILED && second != BLOCK_FAILED;
}

/** The standby has become active. */
export function callRecordResume(call: usize): void {
  timerResume(call + K_TIMER);
}
