import { beforeEach, describe, expect, it } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { encodeText } from '../../../wasm-core/host/frames.ts';
import { CoreLink, CoreUnavailableError } from '../../control/core-link.ts';
import { FakeRealtime } from '../support/fake-realtime.ts';
import { until } from '../support/wait.ts';

let realtime: FakeRealtime;
let link: CoreLink;

beforeEach(() => {
  realtime = new FakeRealtime();
  link = new CoreLink(realtime);
});

describe('questions to the core', () => {
  it('get their own answers, whatever the order', async () => {
    const first = link.query(abi.QUERY_CALLS, 0, 10);
    const second = link.query(abi.QUERY_BINDINGS, 40, 20);
    const [a, b] = realtime.sent;
    expect([b?.kind, b?.arg(1), b?.arg(2), b?.arg(3)]).toEqual([abi.EV_QUERY, abi.QUERY_BINDINGS, 40, 20]);
    realtime.effect(
      { kind: abi.EF_QUERY_REPLY, args: [b!.arg(0), abi.QUERY_BINDINGS, 60, 1, 99] },
      encodeText('b'),
    );
    realtime.effect({ kind: abi.EF_QUERY_REPLY, args: [a!.arg(0), abi.QUERY_CALLS, abi.CURSOR_END, 0, 0] });
    expect(await second).toMatchObject({ next: 60, count: 1, total: 99, payload: encodeText('b') });
    expect(await first).toMatchObject({ next: null, count: 0, total: 0 });
  });

  it('end with an error when the link is closed', async () => {
    const question = link.hangup(1, 2);
    link.close();
    await expect(question).rejects.toThrow(CoreUnavailableError);
    await expect(link.hangup(1, 2)).rejects.toThrow(CoreUnavailableError);
  });

  it('are bounded in number', async () => {
    const questions = Array.from({ length: 257 }, () => link.hangup(1, 1));
    await expect(questions[256]).rejects.toThrow(/too many/);
    link.close();
    await Promise.allSettled(questions);
  });
});

describe('a full ring', () => {
  it('holds events back in order', async () => {
    realtime.full = true;
    for (const text of ['a', 'b', 'c']) expect(link.message({ flow: 1 }, encodeText(text))).toBe(true);
    expect(link.congested).toBe(true);
    let relieved = false;
    link.onceRelieved(() => {
      relieved = true;
    });
    realtime.full = false;
    link.post({ kind: abi.EV_FLOW_CLOSED, flow: 1 });
    await until(() => relieved);
    expect(realtime.sent.map((frame) => frame.text || frame.kind)).toEqual([
      'a',
      'b',
      'c',
      abi.EV_FLOW_CLOSED,
    ]);
    expect(link.congested).toBe(false);
  });

  it('refuses messages at last, but no control events', () => {
    realtime.full = true;
    let taken = 0;
    while (link.message({ flow: 1 }, encodeText('x'))) taken++;
    expect(taken).toBe(8192);
    expect(link.refused).toBe(1);
    link.post({ kind: abi.EV_FLOW_CLOSED, flow: 1 });
    expect(link.backlog).toBe(8193);
    link.close();
  });
});
