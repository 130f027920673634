import { describe, expect, test } from 'vitest';
import { Recorder } from '../../lab/recorder.ts';
import { builtIn } from '../../lab/scenarios.ts';
import { Session, UNTIL_HEALED_MS } from '../../lab/session.ts';
import { CORE } from './core.ts';

const S = 1_000_000;

/** A session with what was seen in its present run. */
function begin(id = 'two-phones', acts: Session['acts'] = []) {
  let recorder = new Recorder(() => 0);
  const session: Session = new Session(
    builtIn(id)!.make(),
    CORE,
    () => {
      recorder = new Recorder(() => session?.nowUs ?? 0);
      return [recorder];
    },
    acts,
  );
  return {
    session,
    get calls() {
      return recorder.calls;
    },
  };
}

/** What happened up to now. */
function state({ simulation, nowUs }: Session) {
  const { hash, messages, callsPlaced, callsAnswered } = simulation;
  return { nowUs, hash, messages, callsPlaced, callsAnswered };
}

/** Quiet before the scenario's own call, then acts of every kind. */
function play(session: Session): void {
  session.runUntil(2 * S);
  session.act({ kind: 'call', call: { from: 'p2', to: '1001', holdMs: 20_000 } });
  session.runUntil(3.5 * S);
  session.act({
    kind: 'fault',
    fault: { kind: 'cut', from: 'p1', to: 'A', ms: UNTIL_HEALED_MS, twoWay: true },
  });
  session.runUntil(6 * S);
  session.act({ kind: 'heal', nth: 0 });
  session.runUntil(9 * S);
  session.act({ kind: 'fault', fault: { kind: 'crash', node: 'A', ms: 500, keepsMemory: false } });
  session.runUntil(20 * S);
}

describe('a session', () => {
  test('comes to the same by running again', () => {
    const { session } = begin();
    play(session);
    const before = state(session);
    session.restart();
    expect(session.nowUs).toBe(0);
    session.runUntil(before.nowUs);
    expect(state(session)).toEqual(before);
    expect(before.callsPlaced).toBe(2);
  });

  test('comes to the same from its acts alone', () => {
    const { session } = begin();
    play(session);
    const other = begin('two-phones', session.acts).session;
    other.runUntil(session.nowUs);
    expect(state(other)).toEqual(state(session));
  });

  test('comes to the same when something is done between two events of one moment', () => {
    const scenario = builtIn('two-phones')!.make();
    const call = scenario.calls[0]!;
    const session = new Session({ ...scenario, calls: [call, { ...call, from: 'p2', to: '1001' }] }, CORE);
    while (session.simulation.callsPlaced === 0) session.step();
    session.act({ kind: 'call', call: { from: 'p1', to: '1002', holdMs: 1_000 } });
    session.runUntil(30 * S);
    const before = state(session);
    session.restart();
    session.runUntil(before.nowUs);
    expect(state(session)).toEqual(before);
    expect(before.callsPlaced).toBe(3);
  });

  test('comes to the same in slices and in steps', () => {
    const { session } = begin();
    play(session);
    const before = state(session);
    session.restart();
    for (let slices = 0; !session.runUntil(before.nowUs, () => true); slices++)
      expect(slices).toBeLessThan(1_000);
    expect(state(session)).toEqual(before);
    session.restart();
    while ((session.simulation.scheduler.nextUs() ?? Number.POSITIVE_INFINITY) <= before.nowUs)
      session.step();
    session.runUntil(before.nowUs);
    expect(state(session).hash).toBe(before.hash);
  });

  test('forgets what came later when something else is done after a rewind', () => {
    const { session } = begin();
    play(session);
    session.restart();
    session.runUntil(3 * S);
    session.act({ kind: 'call', call: { from: 'p1', to: '1002', holdMs: 1_000 } });
    expect(session.acts.map(({ kind, atUs }) => [kind, atUs])).toEqual([
      ['call', 2 * S],
      ['call', 3 * S],
    ]);
  });

  test('lets a person answer', () => {
    const seen = begin();
    const { session } = seen;
    session.act({ kind: 'take', phone: 'p2', isTaken: true });
    session.runUntil(12 * S);
    const [call] = seen.calls;
    expect(call).toMatchObject({ state: 'ringing', status: 0 });
    session.act({ kind: 'answer', phone: 'p2', callId: call!.callId });
    session.runUntil(13 * S);
    expect(call).toMatchObject({ state: 'up', status: 200 });
    session.act({ kind: 'hang-up', phone: 'p2', callId: call!.callId });
    session.runUntil(15 * S);
    expect(call!.state).toBe('ended');
    session.runUntil(session.simulation.endUs);
    expect(session.simulation.failure).toBeUndefined();
  });

  test('lets a person decline, and the caller give up', () => {
    const seen = begin();
    const { session } = seen;
    session.act({ kind: 'take', phone: 'p2', isTaken: true });
    session.runUntil(8 * S);
    session.act({ kind: 'hang-up', phone: 'p2', callId: seen.calls[0]!.callId });
    session.runUntil(9 * S);
    expect(seen.calls[0]).toMatchObject({ state: 'ended', status: 486 });
    session.act({ kind: 'call', call: { from: 'p1', to: '1002', holdMs: 1_000 } });
    session.runUntil(11 * S);
    session.act({ kind: 'hang-up', phone: 'p1', callId: seen.calls[1]!.callId });
    session.runUntil(13 * S);
    expect(seen.calls[1]).toMatchObject({ state: 'ended', status: 487 });
  });

  test('is left as it was by looking at it', async () => {
    const { viewOf } = await import('../../lab/view-model.ts');
    const { session } = begin('node-dies');
    session.runUntil(15 * S);
    // A clock that is put back stands still: at what it has shown last.
    session.act({ kind: 'fault', fault: { kind: 'clock-jump', node: 'A', byMs: -60_000 } });
    session.runUntil(60 * S);
    const before = state(session);
    const clockUs = session.simulation.nodes[0]!.clockReadingUs;
    session.restart();
    const recorder = new Recorder(() => session.nowUs);
    for (let us = 0; us <= before.nowUs; us += 10_000) {
      session.runUntil(us);
      viewOf(session.simulation, recorder);
    }
    expect(state(session)).toEqual(before);
    expect(session.simulation.nodes[0]!.clockReadingUs).toBe(clockUs);
  });
});
