import { describe, expect, it } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { FrameError } from '../../../wasm-core/host/frames.ts';
import { joinRecords, packRecords, splitRecords } from '../../journal/records.ts';
import { readPayload, recordOf } from './payloads.ts';

const BINDINGS = [abi.MRT_BINDING];

describe('a payload', () => {
  it('is taken apart, the records of other types left out', () => {
    const payload = joinRecords([
      recordOf(7, 2, 'alice'),
      recordOf(1, 1, 'a call', abi.MRT_CALL),
      recordOf(0xffffffff, 0xffffffff),
    ]);
    const records = splitRecords(payload, BINDINGS);
    expect(records.map(({ bytes, ...head }) => head)).toEqual([
      { type: abi.MRT_BINDING, slot: 7, generation: 2, isGone: false },
      { type: abi.MRT_BINDING, slot: 0xffffffff, generation: 0xffffffff, isGone: true },
    ]);
    expect(readPayload(joinRecords(records.map(({ bytes }) => bytes)))).toEqual([
      '7.2 alice',
      '4294967295.4294967295 gone',
    ]);
  });

  it.each([
    ['cut off in a header', (bytes: Uint8Array) => bytes.subarray(0, 12)],
    ['cut off in a body', (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 8)],
    ['with a length of 0', (bytes: Uint8Array) => bytes.fill(0, abi.MR_LENGTH, abi.MR_LENGTH + 4)],
    ['with an odd length', (bytes: Uint8Array) => bytes.fill(17, abi.MR_LENGTH, abi.MR_LENGTH + 1)],
  ])('%s is refused', (_, damage) => {
    expect(() => splitRecords(damage(recordOf(1, 1, 'a text of some length')), BINDINGS)).toThrow(FrameError);
  });

  it('is filled up to its limit and no further, in order', () => {
    const records = Array.from({ length: 10 }, (_, i) => recordOf(i, 1, 'x'.repeat(16))); // 32 bytes each
    const payloads = packRecords(records, 96);
    expect(payloads.map((payload) => payload.length)).toEqual([96, 96, 96, 32]);
    expect(payloads.flatMap(readPayload)).toEqual(records.flatMap(readPayload));
    expect(packRecords([], 96)).toEqual([]);
  });
});
