import { describe, expect, it } from 'vitest';
import { CdrList } from '../../control/cdr.ts';
import { callRecord } from '../support/records.ts';

function ids(list: CdrList, before?: number): string[] {
  return [...list.newest(before)].map(({ call }) => call.callId);
}

describe('call detail records', () => {
  it('are the newest, up to the limit, newest first', () => {
    const list = new CdrList(3);
    expect(ids(list)).toEqual([]);
    for (const callId of ['a', 'b', 'c', 'd', 'e']) list.add(callRecord({ callId }));
    expect(ids(list)).toEqual(['e', 'd', 'c']);
    expect(ids(list, 5)).toEqual(['d', 'c']);
    expect([list.size, list.total]).toEqual([3, 5]);
  });

  it('are kept whole when they are long, and make room as others do', () => {
    const list = new CdrList(2);
    const long = `sip:${'x'.repeat(2_000)}@host`;
    list.add(callRecord({ callId: 'a', to: long }));
    list.add(callRecord({ callId: 'b', to: 'sip:b@host' }));
    expect([...list.newest()].map(({ call }) => call.to)).toEqual(['sip:b@host', long]);
    list.add(callRecord({ callId: 'c', to: 'sip:c@host' }));
    list.add(callRecord({ callId: 'd', to: long }));
    expect([...list.newest()].map(({ call }) => call.to)).toEqual([long, 'sip:c@host']);
  });

  it('are not kept when none may be', () => {
    const list = new CdrList(0);
    list.add(callRecord({ callId: 'a' }));
    expect([list.size, list.total, ids(list).length]).toEqual([0, 0, 0]);
  });
});
