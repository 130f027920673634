import { describe, expect, it } from 'vitest';
import { TRANSPORT_TCP, TRANSPORT_WS } from '../../../../wasm-core/assembly/abi.ts';
import { parseAddress } from '../../../../wasm-core/host/address.ts';
import { networkOf } from '../../../control/config/network.ts';
import { type Flow, Flows } from '../../../control/flows/flows.ts';

function flow(address: string, transport = TRANSPORT_TCP): Flow {
  return {
    transport,
    address: parseAddress(address)!,
    port: 1,
    send: () => undefined,
    close: () => undefined,
  };
}

const outside = parseAddress('192.0.2.1')!;

describe('flows', () => {
  it('get numbers that are not given twice', () => {
    const flows = new Flows({ connections: 10, connectionsPerSource: 10, trusted: [] });
    const first = flows.add(flow('192.0.2.1'));
    expect(flows.remove(first)).toBe(true);
    expect(flows.remove(first)).toBe(false);
    const second = flows.add(flow('192.0.2.1', TRANSPORT_WS));
    expect([first, second]).toEqual([1, 2]);
    expect([flows.get(first), flows.size, flows.count(TRANSPORT_WS), flows.count(TRANSPORT_TCP)]).toEqual([
      undefined,
      1,
      1,
      0,
    ]);
  });

  it('get other numbers in another epoch, so that no cookie of before names them', () => {
    const numbers = [1, 2, 4095].map((epoch) => {
      const flows = new Flows({ connections: 10, connectionsPerSource: 10, trusted: [] });
      flows.begin(epoch);
      return [flows.add(flow('192.0.2.1')), flows.add(flow('192.0.2.1'))];
    });
    expect(numbers).toEqual([
      [0x100001, 0x100002],
      [0x200001, 0x200002],
      [0xfff00001, 0xfff00002],
    ]);
  });

  it('are bounded per source, but not those of trusted networks', () => {
    const flows = new Flows({
      connections: 10,
      connectionsPerSource: 2,
      trusted: [networkOf('198.51.100.0/24')!],
    });
    const ids = [flows.add(flow('192.0.2.1')), flows.add(flow('192.0.2.1'))];
    expect(flows.admit(outside)).toBe('source-full');
    expect(flows.admit(parseAddress('192.0.2.2')!)).toBeNull();
    for (let i = 0; i < 5; i++) flows.add(flow('198.51.100.7'));
    expect(flows.admit(parseAddress('198.51.100.7')!)).toBeNull();
    flows.remove(ids[0]!);
    expect(flows.admit(outside)).toBeNull();
    expect(flows.refused).toEqual({ full: 0, 'source-full': 1 });
  });

  it('are bounded in all', () => {
    const flows = new Flows({ connections: 2, connectionsPerSource: 2, trusted: [networkOf('0.0.0.0/0')!] });
    flows.add(flow('192.0.2.1'));
    flows.add(flow('192.0.2.2'));
    expect(flows.admit(outside)).toBe('full');
  });
});
