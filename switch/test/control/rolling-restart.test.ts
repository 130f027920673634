import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PeerView } from '../../control/pair-role.ts';
import { RollingRestart } from '../../control/rolling-restart.ts';
import { silentLogger } from '../support/log.ts';

const { log, lines } = silentLogger();

/** A pair whose standby has everything. */
function rig() {
  const done: string[] = [];
  const peer = { node: 'b', pid: 1 } as PeerView;
  const pair = {
    peer: peer as PeerView | null,
    canSwitchOver: true,
    switchOver: () => void done.push('switchover'),
  };
  const restart = new RollingRestart(pair, () => done.push('restart peer'), log);
  return { pair, restart, done, peer };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('the standby begins anew, and takes over when it has everything', () => {
  const { pair, restart, done, peer } = rig();
  expect(restart.begin()).toBe(true);
  expect(restart.begin()).toBe(false);
  vi.advanceTimersByTime(200); // still the old one
  Object.assign(pair, { peer: null, canSwitchOver: false });
  vi.advanceTimersByTime(200);
  Object.assign(pair, { peer: { ...peer, pid: 2 } });
  vi.advanceTimersByTime(200); // does not have everything
  expect(done).toEqual(['restart peer']);
  pair.canSwitchOver = true;
  vi.advanceTimersByTime(1_000);
  expect(done).toEqual(['restart peer', 'switchover']);
});

test('nothing begins without a standby that has everything', () => {
  const { pair, restart, done } = rig();
  pair.canSwitchOver = false;
  expect(restart.begin()).toBe(false);
  expect(done).toEqual([]);
});

test('a standby that does not come back takes over nothing, and one can try again', () => {
  const { pair, restart, done } = rig();
  restart.begin();
  Object.assign(pair, { peer: null, canSwitchOver: false });
  vi.advanceTimersByTime(120_000);
  expect(done).toEqual(['restart peer']);
  expect(lines.at(-1)).toContain('did not come back');
  pair.canSwitchOver = true;
  expect(restart.begin()).toBe(true);
  restart.stop();
});
