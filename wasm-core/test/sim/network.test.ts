import { describe, expect, it } from 'vitest';
import { TRANSPORT_TCP } from '../../assembly/abi.ts';
import {
  type Arrival,
  type Flight,
  type Flow,
  GOOD_LINK,
  type Host,
  ipOf,
  ipText,
  Network,
} from '../../sim/network.ts';
import { Packet } from '../../sim/packet.ts';
import { Random } from '../../sim/random.ts';
import { Scheduler } from '../../sim/scheduler.ts';

class Ear implements Host {
  readonly name: string;
  readonly heard: { atUs: number; size: number; arrival: Arrival }[] = [];
  readonly flows: string[] = [];
  readonly #scheduler: Scheduler;

  constructor(name: string, scheduler: Scheduler) {
    this.name = name;
    this.#scheduler = scheduler;
  }

  receive(arrival: Arrival): void {
    this.heard.push({ atUs: this.#scheduler.nowUs, size: arrival.packet.bytes.length, arrival });
  }
  accepts(port: number): boolean {
    return port === 5060;
  }
  opened(flow: Flow): void {
    this.flows.push(`opened ${flow.id}`);
  }
  closed(flow: Flow): void {
    this.flows.push(`closed ${flow.id}`);
  }
}

function rig(spec: Partial<typeof GOOD_LINK> = {}) {
  const scheduler = new Scheduler();
  const flights: Flight[] = [];
  const link = { ...GOOD_LINK, ...spec };
  const network = new Network(scheduler, new Random(1, 'network'), link, (flight) => flights.push(flight));
  const a = new Ear('a', scheduler);
  const b = new Ear('b', scheduler);
  network.bind(1, 5060, a);
  network.bind(2, 5060, b);
  const send = (size: number) => network.send(a, 1, 5060, 2, 5060, new Packet(new Uint8Array(size)));
  const run = () => {
    while (scheduler.step());
  };
  return { scheduler, network, a, b, flights, send, run };
}

describe('the network', () => {
  it('takes its time', () => {
    const { b, send, run } = rig({ latencyUs: 500, jitterUs: 0 });
    send(10);
    run();
    expect(b.heard.map(({ atUs }) => atUs)).toEqual([500]);
    expect(b.heard[0]!.arrival).toMatchObject({ fromIp: 1, fromPort: 5060, flow: null });
  });

  it('loses, doubles and overtakes as often as it should', () => {
    const { b, flights, send, run } = rig({ lossPerMille: 300, duplicatePerMille: 100, jitterUs: 9_000 });
    for (let i = 0; i < 2_000; i++) send(i);
    run();
    const lost = flights.filter(({ fate }) => fate === 'lost').length;
    const copies = flights.filter(({ copy }) => copy).length;
    expect(lost).toBeGreaterThan(500);
    expect(lost).toBeLessThan(700);
    expect(copies).toBeGreaterThan(90);
    expect(copies).toBeLessThan(200);
    expect(b.heard).toHaveLength(2_000 - lost + copies);
    const sizes = b.heard.map(({ size }) => size);
    expect(sizes).not.toEqual(sizes.toSorted((x, y) => x - y));
  });

  it('says what became of each message', () => {
    const { network, a, flights, send, run } = rig({ mtu: 100 });
    send(101);
    network.send(a, 1, 5060, 9, 5060, new Packet(new Uint8Array(1)));
    network.setBlocked('a', 'b', true);
    send(1);
    network.setBlocked('a', 'b', false);
    send(1);
    run();
    expect(flights.map(({ fate }) => fate)).toEqual(['too large', 'nobody there', 'blocked', 'arrives']);
  });

  it('cuts one direction only', () => {
    const { network, a, b, send, run } = rig();
    network.setBlocked('a', 'b', true);
    send(1);
    network.send(b, 2, 5060, 1, 5060, new Packet(new Uint8Array(1)));
    run();
    expect(b.heard).toHaveLength(0);
    expect(a.heard).toHaveLength(1);
  });

  it('lets messages of a slow link wait for each other', () => {
    const { b, send, run } = rig({ latencyUs: 0, jitterUs: 0, bytesPerS: 1_000 });
    send(500);
    send(500);
    run();
    expect(b.heard.map(({ atUs }) => atUs)).toEqual([500_000, 1_000_000]);
  });

  it('keeps the order of a stream, and tells both sides of its end', () => {
    const { network, scheduler, a, b, run } = rig({ jitterUs: 100_000 });
    const flow = network.connect(a, 1, 40_000, 2, 5060, TRANSPORT_TCP);
    run();
    expect(a.flows).toEqual([`opened ${flow.id}`]);
    for (let i = 0; i < 200; i++) network.write(flow, a, new Packet(new Uint8Array(i)));
    run();
    expect(b.heard.map(({ size }) => size)).toEqual(Array.from({ length: 200 }, (_, i) => i));
    network.closeAll(b);
    run();
    expect(b.flows).toEqual([`closed ${flow.id}`]);
    expect(a.flows).toEqual([`opened ${flow.id}`, `closed ${flow.id}`]);
    expect(scheduler.nextUs()).toBeUndefined();
  });

  it('refuses a stream where nobody listens', () => {
    const { network, a, run } = rig();
    network.connect(a, 1, 40_000, 2, 9, TRANSPORT_TCP);
    run();
    expect(a.flows).toEqual(['closed 1']);
  });
});

describe('addresses', () => {
  it.each(['0.0.0.0', '10.1.0.255', '255.255.255.255'])('%s', (text) =>
    expect(ipText(ipOf(text))).toBe(text),
  );
});
