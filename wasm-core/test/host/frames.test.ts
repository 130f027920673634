import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { parseAddress } from '../../host/address.ts';
import { encodeText, Frame, FrameEncoder, FrameError, frameBytes } from '../../host/frames.ts';

const u32 = fc.integer({ min: 0, max: 0xffffffff });

describe('frames', () => {
  it('lays the header out as the ABI says', () => {
    const frame = new FrameEncoder().encode(
      {
        kind: abi.EV_MESSAGE,
        transport: abi.TRANSPORT_TCP,
        flags: 7,
        flow: 0xfedcba98,
        port: 50_60,
        listener: 3,
        address: parseAddress('192.0.2.1')!,
        timeUs: 1.5,
        args: [1, 2, 3, 4, 5, 6],
      },
      encodeText('abc'),
    );
    const view = new DataView(frame.buffer, frame.byteOffset);
    expect(frame.length).toBe(72);
    expect([...frame.subarray(0, 4)]).toEqual([abi.EV_MESSAGE, abi.ABI_VERSION, abi.TRANSPORT_TCP, 7]);
    expect(view.getUint32(abi.F_LENGTH, true)).toBe(3);
    expect(view.getUint32(abi.F_FLOW, true)).toBe(0xfedcba98);
    expect(view.getUint16(abi.F_PORT, true)).toBe(5060);
    expect(view.getUint16(abi.F_LISTENER, true)).toBe(3);
    expect(view.getFloat64(abi.F_TIME, true)).toBe(1.5);
    expect([...frame.subarray(26, 32)]).toEqual([255, 255, 192, 0, 2, 1]);
    expect(view.getUint32(abi.F_ARG5, true)).toBe(6);
    expect([...frame.subarray(64)]).toEqual([97, 98, 99, 0, 0, 0, 0, 0]);
  });

  it('reads what it writes, whatever was written before', () => {
    const encoder = new FrameEncoder();
    const fields = fc.record({
      kind: fc.integer({ min: 1, max: 8 }),
      flow: u32,
      port: fc.integer({ min: 0, max: 65_535 }),
      args: fc.array(u32, { maxLength: 6 }),
    });
    fc.assert(
      fc.property(fields, fc.uint8Array({ maxLength: 300 }), (header, payload) => {
        const frame = new Frame(encoder.encode(header, payload).slice());
        expect(frame.bytes.length).toBe(frameBytes(payload.length));
        expect([frame.kind, frame.flow, frame.port]).toEqual([header.kind, header.flow, header.port]);
        expect([0, 1, 2, 3, 4, 5].map((i) => frame.arg(i))).toEqual(
          [0, 1, 2, 3, 4, 5].map((i) => header.args[i] ?? 0),
        );
        expect(frame.payload).toEqual(payload);
      }),
    );
  });

  it('reads frames in shared memory', () => {
    const frame = new FrameEncoder().encode({ kind: abi.EF_LOG }, encodeText('héllo'));
    const shared = new Uint8Array(new SharedArrayBuffer(frame.length + 8)).subarray(8);
    shared.set(frame);
    expect(new Frame(shared).text).toBe('héllo');
  });

  it('refuses what is no frame of this version', () => {
    const frame = new FrameEncoder().encode({ kind: abi.EF_LOG }, encodeText('hello')).slice();
    expect(() => new Frame(frame.subarray(0, 63))).toThrow(FrameError);
    expect(() => new Frame(frame.subarray(0, 64))).toThrow(/5 bytes of payload/);
    frame[abi.F_VERSION] = abi.ABI_VERSION + 1;
    expect(() => new Frame(frame)).toThrow(/version/);
    expect(() => new FrameEncoder(10).encode({ kind: 1 }, new Uint8Array(20))).toThrow(RangeError);
    expect(() => new FrameEncoder(10).encode({ kind: 1, args: [1, 2, 3, 4, 5, 6, 7] })).toThrow(RangeError);
  });
});
