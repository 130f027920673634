import { describe, expect, test } from 'vitest';
import { connectPhones } from './harness/calls.ts';
import { phone, useSwitch } from './harness/rig.ts';
import { eventually, sleep } from './harness/wait.ts';

/** Longest silence a listener may notice and still call the line good: DESIGN names none, this is a stumble. */
const GAP_MS_MAX = 1_500;

describe('a mediasoup worker killed during a call', () => {
  const strowger = useSwitch();

  test('audio is back on the same ports without a new INVITE', async () => {
    const caller = await phone(strowger(), { user: '1001', toneHz: 440 });
    const callee = await phone(strowger(), { user: '1002', toneHz: 1_000 });
    await connectPhones(caller, callee);
    await Promise.all([caller.hears(1_000), callee.hears(440)]);
    const invitesBefore = (await strowger().metrics()).sum('strowger_requests_total', { method: 'INVITE' });
    const [workerPid] = strowger().workerPids();
    expect(workerPid).toBeDefined();

    const watching = Promise.all([caller.longestSilenceMs(4_000), callee.longestSilenceMs(4_000)]);
    await sleep(500);
    process.kill(workerPid!, 'SIGKILL');
    const [callerGapMs, calleeGapMs] = await watching;
    console.log(
      `gap after kill -9 of the worker: caller ${callerGapMs.toFixed()} ms, callee ${calleeGapMs.toFixed()} ms`,
    );

    await Promise.all([caller.hears(1_000), callee.hears(440)]);
    expect(callerGapMs).toBeLessThan(GAP_MS_MAX);
    expect(calleeGapMs).toBeLessThan(GAP_MS_MAX);
    // The kill was felt, so the measurement measures it.
    expect(Math.max(callerGapMs, calleeGapMs)).toBeGreaterThan(0);
    expect((await strowger().metrics()).sum('strowger_requests_total', { method: 'INVITE' })).toBe(
      invitesBefore,
    );
    const [newPid] = await eventually('a new worker', () => {
      const pids = strowger().workerPids();
      return pids.length > 0 && !pids.includes(workerPid!) ? pids : undefined;
    });
    expect(newPid).not.toBe(workerPid);
    await caller.hangup();
    await callee.event('CALL_CLOSED');
    await strowger().empties(2);
  });

  test('and calls made afterwards have audio', async () => {
    const caller = await phone(strowger(), { user: '1001', toneHz: 440 });
    const callee = await phone(strowger(), { user: '1002', toneHz: 1_000 });
    await connectPhones(caller, callee);
    await Promise.all([caller.hears(1_000), callee.hears(440)]);
  });
});
