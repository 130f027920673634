import { describe, expect, it } from 'vitest';
import { GOOD_LINK } from '../../sim/network.ts';
import type { Scenario } from '../../sim/scenario.ts';
import { shrink } from '../../sim/shrink.ts';
import { drawScenario } from '../../sim/swarm.ts';

/** A seed with much in it. */
function large(): Scenario {
  for (let seed = 1; ; seed++) {
    const scenario = drawScenario(seed);
    if (scenario.phones.length > 8 && scenario.calls.length > 100 && scenario.faults.length > 10)
      return scenario;
  }
}

describe('shrinking', () => {
  it('leaves what the failure needs, and little else', () => {
    const scenario = large();
    const call = scenario.calls[50]!;
    const fault = scenario.faults[5]!;
    const failure = { checker: 'planted', atUs: 1e9, text: '' };
    const play = (candidate: Scenario) =>
      candidate.calls.some(({ atMs, from }) => atMs === call.atMs && from === call.from) &&
      candidate.faults.some(({ atMs, kind }) => atMs === fault.atMs && kind === fault.kind) &&
      candidate.phones.some(({ name }) => name === call.from)
        ? failure
        : undefined;
    const { scenario: small, runs } = shrink(scenario, failure, play);
    expect(small.calls).toHaveLength(1);
    expect(small.faults).toHaveLength(1);
    expect(small.phones.map(({ name }) => name)).toEqual([call.from]);
    expect(small.links).toEqual([]);
    expect(small.link).toEqual(GOOD_LINK);
    expect(runs).toBeLessThan(400);
  });

  it('does not take another failure for the same', () => {
    const scenario = large();
    const failure = { checker: 'one', atUs: 1e9, text: '' };
    const play = (candidate: Scenario) =>
      candidate.calls.length === scenario.calls.length ? failure : { ...failure, checker: 'another' };
    expect(shrink(scenario, failure, play).scenario.calls).toHaveLength(scenario.calls.length);
  });

  it('stops after the runs that it was given', () => {
    const scenario = large();
    const failure = { checker: 'one', atUs: 1e9, text: '' };
    let runs = 0;
    const play = () => {
      runs++;
      return failure;
    };
    shrink(scenario, failure, play, { runsMax: 7 });
    expect(runs).toBe(7);
  });
});
