import { describe, expect, it } from 'vitest';
import { readScenario, ScenarioError, writeScenario } from '../../sim/scenario-file.ts';
import { drawScenario } from '../../sim/swarm.ts';

const SEEDS = Array.from({ length: 300 }, (_, i) => i);

describe('scenario files', () => {
  it('hold whatever a seed draws', () => {
    for (const seed of SEEDS) {
      const scenario = drawScenario(seed);
      expect(readScenario(writeScenario(scenario))).toEqual(scenario);
    }
  });

  const damage = (change: (scenario: Record<string, unknown>) => void): string => {
    const scenario = JSON.parse(writeScenario(drawScenario(1))) as Record<string, unknown>;
    change(scenario);
    return JSON.stringify(scenario);
  };

  it.each([
    ['{', 'is not JSON'],
    ['[]', 'scenario: must be an object'],
    [damage((scenario) => (scenario['version'] = 2)), 'version: must be 1'],
    [damage((scenario) => delete scenario['calls']), 'calls: must be a list'],
    [damage((scenario) => (scenario['seed'] = '1')), 'scenario.seed: must be a number'],
    [
      damage((scenario) => (scenario['faults'] = [{ kind: 'flood', atMs: 1 }])),
      'faults[0].kind: must be one of crash',
    ],
    [
      damage((scenario) => (scenario['faults'] = [{ kind: 'crash', atMs: 1, node: 'A' }])),
      'faults[0].ms: must be a number',
    ],
    [
      damage((scenario) => ((scenario['nodes'] as { ip: string }[])[0]!.ip = 'here')),
      'nodes[0].ip: must be an IPv4 address',
    ],
  ])('with a mistake are refused: %#', (text, message) => {
    expect(() => readScenario(text)).toThrow(ScenarioError);
    expect(() => readScenario(text)).toThrow(message);
  });
});

describe('a swarm', () => {
  it('draws the same scenario for the same seed, and all kinds of things over many', () => {
    expect(drawScenario(5)).toEqual(drawScenario(5));
    const scenarios = SEEDS.map((seed) => drawScenario(seed));
    const kinds = new Set(scenarios.flatMap(({ faults }) => faults.map(({ kind }) => kind)));
    expect(kinds.size).toBe(12);
    const has = (what: (scenario: (typeof scenarios)[number]) => boolean) => {
      const share = scenarios.filter(what).length / scenarios.length;
      return share > 0.05 && share < 0.95;
    };
    expect(has(({ nodes }) => nodes.length > 1)).toBe(true);
    expect(has(({ phones }) => phones.some(({ hostilePerMille }) => hostilePerMille > 0))).toBe(true);
    expect(has(({ phones }) => new Set(phones.map(({ user }) => user)).size < phones.length)).toBe(true);
    expect(has(({ calls }) => calls.some(({ cancelMs }) => cancelMs !== undefined))).toBe(true);
    expect(has(({ faults }) => faults.length > 0)).toBe(true);
  });
});
