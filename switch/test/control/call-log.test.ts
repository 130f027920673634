import { describe, expect, it } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { CallLog, callEventsMask } from '../../control/call-log.ts';
import { CdrList } from '../../control/cdr.ts';
import { parseConfig } from '../../control/config/load.ts';
import { CoreLink } from '../../control/core-link.ts';
import type { Logger } from '../../control/log.ts';
import { FakeRealtime } from '../support/fake-realtime.ts';
import { callRecord } from '../support/records.ts';

/** A logger that keeps what it is given. */
function keeper(level: 'info' | 'warn'): { log: Logger; lines: [Record<string, unknown>, string][] } {
  const lines: [Record<string, unknown>, string][] = [];
  const log = {
    isLevelEnabled: () => level === 'info',
    info: (details: Record<string, unknown>, text: string) => lines.push([details, text]),
  };
  return { log: log as unknown as Logger, lines };
}

async function setUp(level: 'info' | 'warn') {
  const { config } = await parseConfig('x', `domains: [a]\nlogs: {level: ${level}}`);
  const realtime = new FakeRealtime();
  const { log, lines } = keeper(level);
  return { config, realtime, lines, calls: new CallLog(config, new CoreLink(realtime), log) };
}

const ended = callRecord({
  slot: 17,
  generation: 3,
  state: abi.CALL_STATE_ENDED,
  endedBy: abi.ENDED_BY_CALLER,
  startedUs: 1e9,
  answeredUs: 2e9,
  endedUs: 2.0005e9,
  cause: 200,
  setupUs: 12_000,
  anchored: true,
  callId: 'id@host',
  from: 'sip:1001@a',
  to: 'sip:1002@a',
});

describe('calls that end', () => {
  it('give a CDR, a set-up time and a log line with the Call-ID', async () => {
    const { realtime, calls, lines } = await setUp('info');
    realtime.effect({ kind: abi.EF_CALL, args: [abi.CALL_STATE_ENDED, 17, 3] }, ended);
    expect([...calls.cdrs.newest()].map(({ call }) => call.callId)).toEqual(['id@host']);
    expect(calls.setupMedia.breaches).toBe(1);
    expect(calls.setup.breaches).toBe(0);
    expect(lines).toEqual([
      [
        {
          callId: 'id@host',
          call: '17.3',
          from: 'sip:1001@a',
          to: 'sip:1002@a',
          cause: 200,
          endedBy: 'caller',
          durationMs: 500,
        },
        'call ended',
      ],
    ]);
  });

  it('cost no decoding when nobody reads the log', async () => {
    const { realtime, config, lines } = await setUp('warn');
    expect(callEventsMask(config)).toBe(1 << abi.CALL_STATE_ENDED);
    realtime.effect({ kind: abi.EF_CALL, args: [abi.CALL_STATE_ENDED] }, ended);
    expect(lines).toEqual([]);
  });
});

describe('the list of CDRs', () => {
  it('keeps the newest', () => {
    const list = new CdrList(3);
    for (const callId of ['a', 'b', 'c', 'd', 'e']) list.add(callRecord({ callId }));
    expect([...list.newest()].map(({ number, call }) => `${number}${call.callId}`)).toEqual([
      '5e',
      '4d',
      '3c',
    ]);
    expect([...list.newest(4)].map(({ number }) => number)).toEqual([3]);
    expect([...list.newest(99)].map(({ number }) => number)).toEqual([5, 4, 3]);
    expect([list.size, list.total]).toEqual([3, 5]);
  });

  it('may be empty or of no size', () => {
    expect([...new CdrList(3).newest()]).toEqual([]);
    const none = new CdrList(0);
    none.add(callRecord({}));
    expect([...none.newest()]).toEqual([]);
  });
});
