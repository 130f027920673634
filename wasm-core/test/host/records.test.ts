import { describe, expect, it } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { FrameError } from '../../host/frames.ts';
import { decodeBinding, decodeCall, decodeRecords } from '../../host/records.ts';

/** A record of `headBytes` zeros and these strings. */
function record(headBytes: number, strings: readonly string[]): Uint8Array {
  const parts = strings.map((text) => Buffer.from(text));
  return Buffer.concat([
    Buffer.alloc(headBytes),
    ...parts.map((part) => Buffer.concat([Buffer.from([part.length & 255, part.length >> 8]), part])),
  ]);
}

describe('call records', () => {
  it('are read as the ABI says', () => {
    const bytes = record(abi.CR_STRINGS, ['id@host', 'sip:1001@a', 'sip:ü@b', 'carrier']);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    view.setFloat64(abi.CR_STARTED, 1e15, true);
    view.setFloat64(abi.CR_ENDED, 2e15, true);
    view.setUint32(abi.CR_SLOT, 0xffffffff, true);
    view.setUint32(abi.CR_GENERATION, 9, true);
    view.setUint8(abi.CR_STATE, abi.CALL_STATE_ENDED);
    view.setUint8(abi.CR_CALLEE_TRANSPORT, abi.TRANSPORT_WS);
    view.setUint16(abi.CR_CAUSE, 486, true);
    view.setUint16(abi.CR_FLAGS, abi.CRF_ANCHORED, true);
    view.setFloat32(abi.CR_SETUP_US, 250, true);
    expect(decodeCall(bytes)).toMatchObject({
      startedUs: 1e15,
      answeredUs: 0,
      endedUs: 2e15,
      slot: 0xffffffff,
      generation: 9,
      state: abi.CALL_STATE_ENDED,
      calleeTransport: abi.TRANSPORT_WS,
      cause: 486,
      anchored: true,
      setupUs: 250,
      callId: 'id@host',
      from: 'sip:1001@a',
      to: 'sip:ü@b',
      trunk: 'carrier',
    });
  });

  it('cut short are refused at every length', () => {
    const bytes = record(abi.CR_STRINGS, ['a', 'b', 'c', 'd']);
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeCall(bytes.subarray(0, length))).toThrow(FrameError);
  });
});

describe('binding records', () => {
  it('are read as the ABI says', () => {
    const bytes = record(abi.BR_STRINGS, [
      '1001',
      'sip:1001@192.0.2.1:5070',
      '<urn:uuid:1>',
      '',
      'phone 1.0',
    ]);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    view.setUint16(abi.BR_Q, 500, true);
    view.setUint16(abi.BR_PORT, 5070, true);
    view.setUint32(abi.BR_FLOW, 77, true);
    expect(decodeBinding(bytes)).toMatchObject({
      q: 0.5,
      port: 5070,
      flow: 77,
      user: '1001',
      contact: 'sip:1001@192.0.2.1:5070',
      instanceId: '<urn:uuid:1>',
      path: '',
      userAgent: 'phone 1.0',
    });
  });
});

describe('query replies', () => {
  it('are split into their records', () => {
    const payload = Uint8Array.from([1, 0, 0, 0, 65, 2, 0, 0, 0, 66, 67]);
    expect(decodeRecords(payload, 2, (bytes) => String.fromCharCode(...bytes))).toEqual(['A', 'BC']);
    expect(() => decodeRecords(payload, 3, (bytes) => bytes)).toThrow(FrameError);
    expect(() => decodeRecords(payload.subarray(0, 10), 2, (bytes) => bytes)).toThrow(FrameError);
  });
});
