import { describe, expect, test } from 'vitest';
import { problemOf } from '../../control/request.ts';

const sdp = {
  op: 'sdp',
  id: 1,
  epoch: 1,
  call: '1.1',
  leg: 0,
  legVariant: 'plain',
  targetLeg: 255,
  targetVariants: ['plain', 'webrtc'],
  method: 'INVITE',
  cseq: 1,
  status: 0,
  sdp: 'v=0',
  source: '127.0.0.1',
};

// biome-ignore lint/suspicious/noExplicitAny: what comes over a socket has no type
const problem = (request: any) => problemOf(request);

describe('requests', () => {
  test.each([
    sdp,
    { op: 'hello', id: 1, v: 3, node: 'a', leaseMs: 350 },
    { op: 'lease', id: 1, want: 'ask', epoch: 0 },
    { op: 'keep', id: 1, epoch: 1, calls: ['1.1', '2.1'], last: true, restored: false },
    { op: 'stats', id: 1, epoch: 1 },
    { op: 'closeCall', id: 0, epoch: 1, call: '1.1' },
    { op: 'closeLeg', id: 0, epoch: 1, call: '1.1', leg: 2 },
  ])('$op is right', (request) => {
    expect(problem(request)).toBeNull();
  });

  test.each([
    [{}, /id/],
    [{ id: -1, op: 'stats' }, /id/],
    [{ id: 1 }, /op undefined/],
    [{ id: 1, op: 'toString' }, /op "toString"/],
    [{ id: 1, op: 'stats', epoch: 'x' }, /epoch/],
    [{ id: 1, op: 'hello', v: 3, node: '', leaseMs: 350 }, /node/],
    [{ id: 1, op: 'hello', v: 3, node: 'a' }, /leaseMs/],
    [{ id: 1, op: 'lease', want: 'have', epoch: 0 }, /want/],
    [{ id: 1, op: 'keep', epoch: 1, calls: ['1.1', ''], last: true }, /calls/],
    [{ id: 1, op: 'keep', epoch: 1, calls: Array(4_097).fill('1.1'), last: true }, /calls/],
    [{ id: 1, op: 'keep', epoch: 1, calls: [] }, /last/],
    [{ ...sdp, leg: 256 }, /leg/],
    [{ ...sdp, legVariant: 'other' }, /legVariant/],
    [{ ...sdp, targetVariants: [] }, /targetVariants/],
    [{ ...sdp, targetVariants: ['plain', 'x'] }, /targetVariants/],
    [{ ...sdp, status: 1.5 }, /status/],
    [{ ...sdp, call: 'x'.repeat(300) }, /call/],
    [{ ...sdp, sdp: undefined }, /sdp/],
  ])('%o is refused', (request, message) => {
    expect(problem(request)).toMatch(message);
  });
});
