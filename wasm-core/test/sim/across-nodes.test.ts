import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TRANSPORT_UDP } from '../../assembly/abi.ts';
import { GOOD_LINK } from '../../sim/network.ts';
import { type Scenario, SCENARIO_VERSION } from '../../sim/scenario.ts';
import { Simulation } from '../../sim/simulation.ts';

const CORE = new WebAssembly.Module(readFileSync(join(import.meta.dirname, '../../../build/core.wasm')));

const node = (name: string, ip: string, other: string, prefix: string) => ({
  name,
  ip,
  callsMax: 10,
  transactionsMax: 20,
  bindingsMax: 10,
  anchor: false,
  callDurationMaxS: 600,
  overloadTargetUs: 5_000,
  sourcePerS: 0,
  routes: [{ prefix, node: other, strip: 2, prepend: '' }],
  media: { delayMs: 1, jitterMs: 0, refusePerMille: 0, silentPerMille: 0 },
});

const phone = (name: string, user: string, ip: string, at: string) => ({
  name,
  user,
  ip,
  port: 5070,
  transport: TRANSPORT_UDP,
  node: at,
  expiresS: 600,
  registerAtMs: 0,
  answer: { ringMs: 100, answerMs: 1_000, status: 200 },
  hostilePerMille: 0,
});

const SCENARIO: Scenario = {
  version: SCENARIO_VERSION,
  title: '',
  seed: 1,
  durationMs: 60_000,
  link: GOOD_LINK,
  links: [],
  nodes: [node('A', '10.0.0.1', 'B', '81'), node('B', '10.0.0.2', 'A', '80')],
  phones: [phone('p1', '1001', '10.1.0.1', 'A'), phone('p2', '1002', '10.1.0.2', 'B')],
  calls: [
    { atMs: 5_000, from: 'p1', to: '811002', holdMs: 5_000, reinviteMs: 1_000 },
    { atMs: 20_000, from: 'p1', to: '811002', holdMs: 9_000, calleeByeMs: 2_000 },
  ],
  faults: [],
};

it('a call through two nodes that share a secret is no loop', () => {
  const statuses: number[] = [];
  const simulation = new Simulation(SCENARIO, CORE, [
    {
      flight({ packet }) {
        const status = packet.sip?.status ?? 0;
        if (status >= 300 && status !== 401 && status !== 407) statuses.push(status);
      },
    },
  ]);
  simulation.run();
  expect(simulation.failure).toBeUndefined();
  expect(simulation.callsAnswered).toBe(4); // each at both nodes
  expect(statuses).toEqual([]);
});
