/** Grantor and roles under faults drawn at random: two nodes never serve at once, and in the end one does. */
import { describe, expect, test } from 'vitest';
import { Random } from '../../../wasm-core/sim/random.ts';
import { Scheduler } from '../../../wasm-core/sim/scheduler.ts';
import { Cluster } from './cluster.ts';
import { Faults } from './faults.ts';
import { Network } from './network.ts';

const RUNS = 3_000;
const FAULTS_MS = 6_000;
/** From the repair of everything until one node serves, at the latest: a lease that runs out, and patience. */
const HEALED_MS = 2_000;
const STEADY_MS = 1_000;
const US_PER_MS = 1_000;

interface Outcome {
  cluster: Cluster;
  /** What should not be, '' when all was well. */
  wrong: string;
}

function play(seed: number): Outcome {
  const scheduler = new Scheduler();
  const random = new Random(seed, 'cluster');
  const network = new Network(scheduler, new Random(seed, 'network'));
  const cluster = new Cluster(scheduler, random, network);
  scheduler.after(random.below(100) * US_PER_MS, () => cluster.startGrantor());
  for (const node of [0, 1]) scheduler.after(random.below(100) * US_PER_MS, () => cluster.startNode(node));
  new Faults(cluster, new Random(seed, 'faults'), FAULTS_MS);
  const until = (ms: number, look: () => void = () => undefined): void => {
    while (scheduler.nowUs < ms * US_PER_MS && scheduler.step()) look();
  };
  until(FAULTS_MS + HEALED_MS);
  const [serving, ...others] = cluster.entitled;
  if (cluster.violation) return { cluster, wrong: cluster.violation };
  if (!serving || others.length > 0) return { cluster, wrong: `${cluster.entitled.length} nodes serve` };
  let wrong = '';
  until(FAULTS_MS + HEALED_MS + STEADY_MS, () => {
    if (cluster.entitled.length !== 1 || cluster.entitled[0] !== serving) wrong ||= 'another node serves';
    if (!cluster.grantor?.machine.admits(serving.machine.epoch)) wrong ||= 'its commands are refused';
  });
  const roles = cluster.nodes.map((node) => node?.machine.role).sort();
  if (roles.join() !== 'active,standby') wrong ||= `roles are ${roles.join()}`;
  return { cluster, wrong: cluster.violation || wrong };
}

describe('a pair of nodes under faults', () => {
  test('never serves twice, nor twice in one epoch, and is whole again soon after the last fault', () => {
    const seen: Record<string, number> = {};
    for (let seed = 1; seed <= RUNS; seed++) {
      const { cluster, wrong } = play(seed);
      expect(wrong && `seed ${seed}: ${wrong}`).toBe('');
      for (const [what, n] of Object.entries(cluster.counts)) seen[what] = (seen[what] ?? 0) + n;
    }
    // The runs came to everything that they are to judge.
    for (const what of ['promote', 'the lease has ended', 'switchover', 'grantor crash'])
      expect(seen[what], what).toBeGreaterThan(RUNS / 10);
  }, 120_000);
});
