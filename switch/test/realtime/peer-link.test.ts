import { describe, expect, it } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import type { Core } from '../../../wasm-core/host/core.ts';
import { FrameEncoder } from '../../../wasm-core/host/frames.ts';
import { LINK_END_CLOSED, LINK_END_GARBAGE } from '../../realtime/link-frames.ts';
import { PeerLink } from '../../realtime/peer-link.ts';
import type { Syscalls } from '../../realtime/syscalls.ts';

/** A link on which these bytes come, and then its end; and what reached the core. */
function linkWith(bytes: Uint8Array): { link: PeerLink; taken: number[] } {
  const taken: number[] = [];
  let left = bytes;
  const sys = {
    prepareStream: () => undefined,
    streamReceive: (_fd: number, into: Uint8Array) => {
      const part = left.subarray(0, into.length);
      into.set(part);
      left = left.subarray(part.length);
      return part.length;
    },
  } as unknown as Syscalls;
  const core = {
    writeSlot: (_slot: number, frame: Uint8Array) =>
      taken.push(new DataView(frame.buffer, frame.byteOffset).getUint32(abi.F_ARG0, true)),
  } as unknown as Core;
  const link = new PeerLink(sys, core, () => undefined);
  link.open(1, new Uint8Array(0));
  return { link, taken };
}

function frames(count: number): Uint8Array {
  const encoder = new FrameEncoder();
  const all = Array.from({ length: count }, (_, i) =>
    encoder.encode({ kind: abi.EV_MIRROR, args: [i] }, new Uint8Array(100)).slice(),
  );
  return new Uint8Array(Buffer.concat(all));
}

describe('the link to the peer', () => {
  it('gives everything that came before its end, though it is more than there are slots', () => {
    const { link, taken } = linkWith(frames(150));
    for (let turns = 0; turns < 10; turns++) {
      if (link.receive(0) < abi.RX_SLOTS && link.end >= 0) break; // as the thread does
    }
    expect(link.end).toBe(LINK_END_CLOSED);
    expect(taken).toEqual(Array.from({ length: 150 }, (_, i) => i));
  });

  it('gives nothing of what comes behind garbage', () => {
    const bytes = frames(3);
    bytes[bytes.length / 3 + abi.F_KIND] = 99;
    const { link, taken } = linkWith(bytes);
    link.receive(0);
    link.receive(0);
    expect(link.end).toBe(LINK_END_GARBAGE);
    expect(taken).toEqual([0]);
  });
});
