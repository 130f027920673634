import { describe, expect, test } from 'vitest';
import { readScenario, writeScenario } from '../../../wasm-core/sim/scenario-file.ts';
import { Simulation } from '../../../wasm-core/sim/simulation.ts';
import { layout } from '../../lab/layout.ts';
import { counterpart, ladderOf } from '../../lab/ladder.ts';
import { Recorder } from '../../lab/recorder.ts';
import { BUILT_IN, builtIn } from '../../lab/scenarios.ts';
import { CORE } from './core.ts';

function played(id: string) {
  const recorder: Recorder = new Recorder(() => simulation.nowUs);
  const simulation: Simulation = new Simulation(builtIn(id)!.make(), CORE, [recorder]);
  simulation.run();
  return { simulation, recorder };
}

describe('scenarios of the page', () => {
  test.each(BUILT_IN.map(({ id }) => id))('%s keeps all rules', (id) => {
    const { simulation } = played(id);
    expect(simulation.failure).toBeUndefined();
    expect(simulation.callsAnswered).toBeGreaterThan(0);
  });

  test.each(BUILT_IN.map(({ id }) => id))('%s is a scenario file', (id) => {
    const scenario = builtIn(id)!.make();
    expect(readScenario(writeScenario(scenario))).toEqual(scenario);
  });

  test('callers hang up in order after their switch has lost its memory', () => {
    const { recorder } = played('node-dies');
    expect(recorder.calls).toHaveLength(3);
    for (const call of recorder.calls) {
      const labels = ladderOf(call, ['A']).rungs.map(({ label, from, to }) => `${label} ${from}>${to}`);
      // Caller 0, switch 1, callee 2: the BYE goes through, and so does its answer.
      expect(labels.slice(-4)).toEqual(['BYE 0>1', 'BYE 1>2', '200 OK 2>1', '200 OK 1>0']);
    }
  });

  test('of three devices one answers and the others are cancelled', () => {
    const [call] = played('forking').recorder.calls;
    const ladder = ladderOf(call!, ['A']);
    expect(ladder.hosts).toEqual(['p1', 'A', 'p2', 'p3', 'p4']);
    expect(ladder.rungs.filter(({ label, to }) => label === 'CANCEL' && to >= 2)).toHaveLength(2);
  });
});

describe('a ladder', () => {
  test('marks what was sent again and what was lost', () => {
    const { recorder } = played('two-switches');
    const rungs = recorder.calls.flatMap((call) => ladderOf(call, ['A', 'B']).rungs);
    const lost = rungs.filter(({ arrives }) => !arrives);
    const again = rungs.filter(({ isAgain }) => isAgain);
    expect(lost.length).toBeGreaterThan(0);
    expect(again.length).toBeGreaterThan(0);
    const isOfBadLine = ({ flight }: (typeof rungs)[number]) => [flight.from, flight.to].includes('p2');
    expect(lost.every(isOfBadLine)).toBe(true);
  });

  test('finds what goes in for what comes out of a core, and what comes out for what goes in', () => {
    const [call] = played('two-phones').recorder.calls;
    const { rungs } = ladderOf(call!, ['A']);
    const [invite, trying, forwarded] = rungs.filter(
      ({ label }) => label === 'INVITE' || label === '100 Trying',
    );
    expect(counterpart(call!.flights, forwarded!.flight, ['A'])).toBe(invite!.flight);
    expect(counterpart(call!.flights, invite!.flight, ['A'])).toBe(forwarded!.flight);
    expect(counterpart(call!.flights, trying!.flight, ['A'])).toBe(invite!.flight);
    const answer = rungs.find(({ label, from }) => label === '200 OK' && from === 2)!;
    const relayed = rungs.find(({ label, from }) => label === '200 OK' && from === 1)!;
    expect(counterpart(call!.flights, answer.flight, ['A'])).toBe(relayed.flight);
  });
});

describe('the drawing', () => {
  test.each([
    [1440, 700],
    [390, 480],
  ])('%i by %i has room for a hundred phones, none on another', (width, height) => {
    const { places, phoneRadius } = layout(builtIn('hundred-phones')!.make(), width, height);
    const all = [...places.values()];
    expect(all).toHaveLength(101);
    for (const { x, y } of all) {
      expect(x).toBeGreaterThan(phoneRadius);
      expect(x).toBeLessThan(width - phoneRadius);
      expect(y).toBeGreaterThan(phoneRadius);
      expect(y).toBeLessThan(height - phoneRadius);
    }
    const apart = Math.min(
      ...all.flatMap((a, i) => all.slice(i + 1).map((b) => Math.hypot(a.x - b.x, a.y - b.y))),
    );
    expect(apart).toBeGreaterThan(1.9 * phoneRadius);
  });
});
