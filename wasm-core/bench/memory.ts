/**
 * What a binding and a call take of the core's memory: the difference between a core with room for just so many, in
 * which they are then found to fit, and one with room for none.
 */
import type { CoreInit } from '../host/core.ts';
import { BATCH } from './flow.ts';
import { CALLEE_PORT, CALLER_PORT, answer, inDialog, invite, register } from './messages.ts';
import { Rig, USERS, userName } from './rig.ts';

/** Bytes by name. */
export type Memory = Record<string, number>;

/** Calls and bindings; memory grows in pages of 64 KiB, which is 32 bytes for each of so many. */
const COUNT = USERS;

const NOTHING: Partial<CoreInit> = {
  callsMax: 0,
  transactionsMax: 0,
  branchesMax: 0,
  bindingsMax: 1,
  aorsMax: 1,
  pendingMax: 0,
  blocks256: 1,
  blocks1k: 0,
  blocks4k: 0,
};

async function bytesWith(wasm: Uint8Array<ArrayBuffer>, sizes: Partial<CoreInit>): Promise<Rig> {
  const rig = await Rig.start(wasm, { ...NOTHING, ...sizes });
  rig.loadBank(true);
  return rig;
}

function bytesOf(rig: Rig): number {
  return rig.core.memory.buffer.byteLength;
}

function expectAll(what: string, rig: Rig, status: string, expected: number): void {
  const fitting = rig.sent().filter(({ text }) => text.startsWith(status)).length;
  if (fitting !== expected)
    throw new Error(`${what}: ${fitting} of ${expected} fit into the memory said to suffice`);
}

async function perBinding(wasm: Uint8Array<ArrayBuffer>, empty: number): Promise<number> {
  const sizes = { bindingsMax: COUNT, aorsMax: COUNT, blocks256: COUNT };
  const rig = await bytesWith(wasm, sizes);
  for (let n = 0; n < COUNT; n += BATCH) {
    rig.put(
      Array.from({ length: BATCH }, (_, i) => register(userName(n + i), n + i + 1)),
      CALLEE_PORT,
    );
    rig.step(BATCH);
    expectAll('bindings', rig, 'SIP/2.0 200 ', BATCH);
  }
  return (bytesOf(rig) - empty) / COUNT;
}

/** `answered`: to the ACK, else ringing. */
async function perCall(
  wasm: Uint8Array<ArrayBuffer>,
  empty: number,
  sizes: Partial<CoreInit>,
  answered: boolean,
): Promise<number> {
  const records = { callsMax: COUNT, transactionsMax: COUNT, branchesMax: COUNT };
  const rig = await bytesWith(wasm, { ...records, ...sizes });
  rig.put([register('1002', 1)], CALLEE_PORT);
  rig.step(1);
  for (let n = 0; n < COUNT; n += BATCH) {
    const ids = Array.from({ length: BATCH }, (_, i) => 10_000 + n + i);
    rig.put(
      ids.map((id) => invite(id, '1002')),
      CALLER_PORT,
    );
    rig.step(BATCH);
    const arrived = rig.sent().filter(({ port }) => port === CALLEE_PORT);
    rig.put(
      arrived.map(({ text }) => answer(text, '180 Ringing')),
      CALLEE_PORT,
    );
    rig.step(BATCH);
    expectAll('calls that ring', rig, 'SIP/2.0 180 ', BATCH);
    if (!answered) continue;
    rig.put(
      arrived.map(({ text }) => answer(text, '200 OK', true)),
      CALLEE_PORT,
    );
    rig.step(BATCH);
    expectAll('calls that are answered', rig, 'SIP/2.0 200 ', BATCH);
    const oks = rig.sent().map(({ text }) => text);
    rig.put(
      oks.map((ok, i) => inDialog('ACK', 1, ids[i]!, ok)),
      CALLER_PORT,
    );
    rig.step(BATCH);
  }
  return (bytesOf(rig) - empty) / COUNT;
}

/** Measures; `wasm` is a build for the bench. @throws when something does not fit. */
export async function memoryOf(wasm: Uint8Array<ArrayBuffer>): Promise<Memory> {
  const empty = bytesOf(await bytesWith(wasm, {}));
  const defaults = await Rig.start(wasm);
  // A few blocks more than are kept: those of the calls that are just being set up.
  const kept = { blocks256: COUNT * 2 + 1, blocks1k: BATCH * 2 };
  const ringing = { blocks256: COUNT + 1, blocks1k: COUNT * 2 };
  return {
    'core with the default limits': bytesOf(defaults),
    'core with room for no calls or bindings': empty,
    'a binding': Math.round(await perBinding(wasm, empty)),
    'a call, ringing': Math.round(await perCall(wasm, empty, ringing, false)),
    'a call, answered (its INVITE context, kept for 32 s, included)': Math.round(
      await perCall(wasm, empty, kept, true),
    ),
  };
}
