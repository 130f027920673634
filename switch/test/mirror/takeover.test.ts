/** Single faults, on virtual time: who serves after them, and how soon. */
import { beforeEach, describe, expect, test } from 'vitest';
import { Random } from '../../../wasm-core/sim/random.ts';
import { Scheduler } from '../../../wasm-core/sim/scheduler.ts';
import { Cluster, type SimNode } from './cluster.ts';
import { Network } from './network.ts';

const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);
const US_PER_MS = 1_000;

let scheduler: Scheduler;
let network: Network;
let cluster: Cluster;
let active: SimNode;

const other = (node: SimNode) => cluster.nodes.find((one) => one !== node)!;
const indexOf = (node: SimNode) => cluster.nodes.indexOf(node);

/** Goes on for a time; `each` looks after each event. */
function run(ms: number, each: () => void = () => undefined): void {
  const untilUs = scheduler.nowUs + ms * US_PER_MS;
  scheduler.at(untilUs, () => undefined);
  while (scheduler.nowUs < untilUs && scheduler.step()) each();
  expect(cluster.violation).toBe('');
}

/** Until a node serves, in ms of the grantor's clock, whose rate decides; at most some 5,000. */
function untilServes(node: SimNode): number {
  const { process } = cluster.grantor!;
  const fromMs = process.nowMs;
  while (!node.entitled && process.nowMs < fromMs + 5_000 && scheduler.step());
  return process.nowMs - fromMs;
}

/** It serves all the time, in its epoch. */
function goesOn(ms: number): void {
  const { epoch } = active.machine;
  let gaps = 0;
  run(ms, () => {
    if (!active.entitled || active.machine.epoch !== epoch) gaps++;
  });
  expect(gaps).toBe(0);
  expect(cluster.entitled).toEqual([active]);
}

function start(seed: number): void {
  scheduler = new Scheduler();
  network = new Network(scheduler, new Random(seed, 'network'));
  cluster = new Cluster(scheduler, new Random(seed, 'cluster'), network);
  cluster.startGrantor();
  cluster.startNode(0);
  cluster.startNode(1);
  run(1_000);
  expect(cluster.entitled).toHaveLength(1);
  active = cluster.entitled[0]!;
  expect(other(active).machine.role).toBe('standby');
}

describe.each(SEEDS)('seed %i', (seed) => {
  beforeEach(() => start(seed));

  test('the active dies: the standby serves as soon as the closed connections are seen', () => {
    const standby = other(active);
    const old = active.machine.epoch;
    cluster.killNode(indexOf(active));
    // A few messages of up to 2 ms each.
    expect(untilServes(standby)).toBeLessThan(20);
    expect(standby.machine.epoch).toBe(old + 1);
  });

  test('the active hangs: the standby serves within 500 ms, and the active wakes up fenced', () => {
    const standby = other(active);
    active.process.pause();
    expect(untilServes(standby)).toBeLessThan(500);
    run(1_000);
    active.process.resume();
    expect(active.machine.role).toBe('fenced');
    run(500);
    expect([standby.machine.role, active.machine.role]).toEqual(['active', 'standby']);
  });

  test('the standby dies, or hangs: nothing happens', () => {
    const standby = other(active);
    standby.process.pause();
    goesOn(1_000);
    cluster.killNode(indexOf(standby));
    goesOn(1_000);
    cluster.startNode(cluster.nodes.indexOf(null));
    goesOn(1_000);
    expect(other(active).machine.role).toBe('standby');
  });

  test('the grantor dies and comes back much later: nothing happens', () => {
    cluster.killGrantor();
    goesOn(5_000);
    cluster.startGrantor();
    goesOn(2_000);
    expect(cluster.grantor!.machine.admits(active.machine.epoch)).toBe(true);
  });

  test('the grantor closes a connection by itself: nothing happens', () => {
    cluster.grantor!.drop();
    goesOn(1_000);
  });

  test('the link between the nodes is cut: nothing happens', () => {
    network.cut('a', 'b');
    network.cut('b', 'a');
    goesOn(2_000);
    network.heal();
    goesOn(500);
    expect(other(active).machine.role).toBe('standby');
  });

  test('the active can not reach the grantor: it is fenced, and the standby serves', () => {
    const standby = other(active);
    network.cut(active.process.name, 'grantor');
    expect(untilServes(standby)).toBeLessThan(500);
    network.heal();
    run(1_000);
    expect(active.machine.role).toBe('standby');
  });

  test('grantor and active die: the standby serves when the grantor is back and a lease has run out', () => {
    const standby = other(active);
    cluster.killGrantor();
    cluster.killNode(indexOf(active));
    run(1_000);
    expect(cluster.entitled).toEqual([]);
    cluster.startGrantor();
    expect(untilServes(standby)).toBeLessThan(600);
  });

  test('a switchover: the standby serves at once, and the other one is standby then', () => {
    const standby = other(active);
    cluster.neverDrains = 0;
    active.switchover();
    expect(untilServes(standby)).toBeLessThan(50);
    run(1_000);
    expect([standby.machine.role, active.machine.role]).toEqual(['active', 'standby']);
  });

  test('a switchover that is not drained: the active goes on', () => {
    cluster.neverDrains = 1_000;
    active.switchover();
    goesOn(1_000);
    expect(active.machine.canSwitchOver).toBe(true);
  });
});
