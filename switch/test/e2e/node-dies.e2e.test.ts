/** Two nodes: one works, the other follows it. Whatever becomes of the first, calls go on. */
import { describe, expect, test } from 'vitest';
import { connectPhones } from './harness/calls.ts';
import { callerDialog } from './harness/dialog.ts';
import { nodeOf, PAIR, synced, takenOver } from './harness/pair.ts';
import { phone, ua, useSwitch } from './harness/rig.ts';
import { sleep } from './harness/wait.ts';
import { bye, establish, ring } from './harness/wire-call.ts';
import { ANSWER } from './harness/ua.ts';

interface Cdr {
  from: string;
  durationMs: number;
  cause: number;
}

/** Longest silence that is no gap: the phones, too, have to wait for a busy machine. */
const GAP_MS_MAX = 500;

describe('the active node is killed', () => {
  const strowger = useSwitch(PAIR);

  test('a call goes on: its audio without a gap, hold and resume, and its end', async () => {
    const caller = await phone(strowger(), { user: '1001', toneHz: 440 });
    const callee = await phone(strowger(), { user: '1002', toneHz: 1_000 });
    await connectPhones(caller, callee);
    await Promise.all([caller.hears(1_000), callee.hears(440)]);
    const before = await synced(strowger());
    const watching = Promise.all([caller.longestSilenceMs(2_500), callee.longestSilenceMs(2_500)]);
    await sleep(500);
    process.kill(before.pid, 'SIGKILL');
    const gapsMs = await watching;
    console.log(`longest silence at kill -9 of the node: ${gapsMs.map((ms) => ms.toFixed()).join(', ')} ms`);
    expect(Math.max(...gapsMs)).toBeLessThan(GAP_MS_MAX);
    const after = await takenOver(strowger(), before.pid);
    expect(after.epoch).toBeGreaterThan(before.epoch);

    await caller.hold();
    await sleep(500);
    await caller.resume();
    await sleep(300);
    const resumedS = await caller.receivedS();
    await sleep(1_000);
    expect((await caller.receivedS()) - resumedS).toBeGreaterThan(0.9);
    await callee.hangup();
    await caller.event('CALL_CLOSED');
    await strowger().empties(2);
    const { cdrs } = await strowger().api<{ cdrs: Cdr[] }>('/cdrs');
    expect(cdrs[0]).toMatchObject({ cause: 200 });
    expect(cdrs[0]!.durationMs).toBeGreaterThan(2_500); // it began on the other node
  });

  test('phones need not register again', async () => {
    const caller = await phone(strowger(), { user: '1003', toneHz: 440 });
    const callee = await phone(strowger(), { user: '1004', toneHz: 1_000 });
    const before = await synced(strowger());
    process.kill(before.pid, 'SIGKILL');
    await takenOver(strowger(), before.pid);
    await connectPhones(caller, callee);
    await Promise.all([caller.hears(1_000), callee.hears(440)]);
    await caller.hangup();
    await callee.event('CALL_CLOSED');
  });

  test('a call that rings is answered, and ended from both ends', async () => {
    const caller = await ua(strowger(), { user: '1005' });
    const callee = await ua(strowger(), { user: '1006' });
    await callee.register();
    for (const ender of ['caller', 'callee']) {
      const before = await synced(strowger());
      const { invite, arrived } = await ring(caller, callee);
      callee.reply(arrived, 180, 'Ringing');
      await sleep(100); // the standby has it within some milliseconds
      process.kill(before.pid, 'SIGKILL');
      await takenOver(strowger(), before.pid);
      callee.reply(arrived, 200, 'OK', { body: ANSWER });
      const answer = await caller.answer(invite);
      expect(answer.status).toBe(200);
      const dialog = callerDialog(invite, answer);
      caller.send(caller.within(dialog, 'ACK'));
      await callee.incoming('ACK');
      if (ender === 'caller') await bye(caller, dialog, callee);
      else {
        const calls = await strowger().calls();
        await strowger().api(`/calls/${calls[0]!.id}`, 'DELETE');
        for (const one of [caller, callee]) one.reply(await one.incoming('BYE'), 200, 'OK');
      }
    }
    await strowger().empties(1);
  });
});

describe('the active node hangs', () => {
  const strowger = useSwitch(PAIR);

  test('the other one takes over; when it wakes up, it sends nothing and begins anew', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const call = await establish(caller, callee);
    const before = await synced(strowger());
    process.kill(before.pid, 'SIGSTOP');
    const options = caller.within(call.callerSide, 'OPTIONS');
    const again = setInterval(() => caller.send(options), 100);
    const stoppedMs = performance.now();
    await callee.incoming('OPTIONS');
    console.log(`hang to service: ${(performance.now() - stoppedMs).toFixed()} ms`);
    clearInterval(again);
    await sleep(200);
    while (callee.inbox.poll() !== undefined); // further OPTIONS
    process.kill(before.pid, 'SIGCONT');
    await strowger().program.line(/this node is no longer active/, 5_000);
    await sleep(500);
    // All that was sent to the hung one's socket has gone elsewhere or nowhere.
    const after = await synced(strowger(), before.pid);
    expect(after.epoch).toBeGreaterThan(before.epoch);
    await bye(caller, call.callerSide, callee);
  });
});

describe('an operator lets the standby take over', () => {
  const strowger = useSwitch(PAIR);

  test('calls and registrations go on, and what was active begins anew as standby', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const call = await establish(caller, callee);
    const before = await synced(strowger());
    process.kill(strowger().program.pid, 'SIGUSR2');
    const after = await takenOver(strowger(), before.pid);
    expect(after.id).not.toBe(before.id);
    await bye(caller, call.callerSide, callee);
    await synced(strowger(), before.pid);
    expect((await nodeOf(strowger(), 'standby')).id).toBe(before.id);
    const next = await establish(caller, callee);
    await bye(caller, next.callerSide, callee);
  });
});
