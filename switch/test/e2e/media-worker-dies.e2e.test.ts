import { describe, expect, test } from 'vitest';
import { connectPhones } from './harness/calls.ts';
import { callerDialog } from './harness/dialog.ts';
import { phone, rtpPhone, ua, useSwitch } from './harness/rig.ts';
import { eventually, sleep } from './harness/wait.ts';
import { bye } from './harness/wire-call.ts';

/** Longest silence a listener may notice and still call the line good: DESIGN names none, this is a stumble. */
const GAP_MS_MAX = 1_500;

describe('a mediasoup worker killed during a call that it carries', () => {
  const strowger = useSwitch({
    change: (config) => {
      config.media = { ...config.media, plainToPlain: 'mediasoup' };
    },
  });

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

  test('the gap, measured on the wire', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const callerAudio = await rtpPhone();
    const calleeAudio = await rtpPhone();
    const invite = await caller.invite(callee.aor, { body: callerAudio.sdp() });
    const arrived = await callee.incoming('INVITE');
    callee.reply(arrived, 200, 'OK', { body: calleeAudio.sdp() });
    const answer = await caller.answer(invite);
    const dialog = callerDialog(invite, answer);
    caller.send(caller.within(dialog, 'ACK'));
    callerAudio.speak(440, answer.body);
    calleeAudio.speak(1_000, arrived.body);
    await Promise.all([callerAudio.hears(1_000), calleeAudio.hears(440)]);
    const [workerPid] = strowger().workerPids();
    const from = performance.now();
    await sleep(500);
    process.kill(workerPid!, 'SIGKILL');
    await sleep(3_000);
    const gapsMs = [callerAudio.longestGapMs(1_000, from), calleeAudio.longestGapMs(440, from)];
    console.log(`gap on the wire after kill -9 of the worker: ${gapsMs.join(' and ')} ms`);
    expect(Math.max(...gapsMs)).toBeLessThan(GAP_MS_MAX);
    await Promise.all([callerAudio.hears(1_000), calleeAudio.hears(440)]);
    await bye(caller, dialog, callee);
  });

  test('and calls made afterwards have audio', async () => {
    const caller = await phone(strowger(), { user: '1001', toneHz: 440 });
    const callee = await phone(strowger(), { user: '1002', toneHz: 1_000 });
    await connectPhones(caller, callee);
    await Promise.all([caller.hears(1_000), callee.hears(440)]);
  });
});
