import { describe, expect, test } from 'vitest';
import { connectPhones } from './harness/calls.ts';
import { callerDialog } from './harness/dialog.ts';
import { nodeOf, PAIR } from './harness/pair.ts';
import { phone, rtpPhone, ua, useSwitch } from './harness/rig.ts';
import type { Switch } from './harness/switch.ts';
import { eventually, sleep } from './harness/wait.ts';
import { bye } from './harness/wire-call.ts';

/** Kills the media process and waits for the next one. */
async function killMedia(at: Switch): Promise<void> {
  const before = await nodeOf(at, 'media');
  process.kill(before.pid, 'SIGKILL');
  await eventually(
    'another media process',
    async () => {
      const now = await nodeOf(at, 'media');
      return now.state === 'running' && now.pid !== before.pid;
    },
    10_000,
  );
}

/** Without a standby, and with one: then a spare process waits, and both nodes go on. */
describe.each([
  ['one node', {}, 0],
  ['two nodes', PAIR, 1],
])('the media process of %s killed during calls of phones', (_, options, spares) => {
  const strowger = useSwitch(options);

  /** As many spares have been ready as there should be when the media process has been killed `kills` times. */
  const ready = (kills: number) =>
    eventually(
      'a spare process',
      () => {
        const waiting = strowger().program.lines.filter((line) => line.includes('spare media process waits'));
        return waiting.length >= spares * (kills + 1);
      },
      10_000,
    );
  let kills = 0;

  test('audio comes back on the same ports, hold and resume work, and the call ends in order', async () => {
    const caller = await phone(strowger(), { user: '1001', toneHz: 440 });
    const callee = await phone(strowger(), { user: '1002', toneHz: 1_000 });
    await connectPhones(caller, callee);
    await Promise.all([caller.hears(1_000), callee.hears(440)]);
    for (let i = 0; i < 2; i++) {
      await ready(kills++);
      await killMedia(strowger());
      await Promise.all([caller.hears(1_000), callee.hears(440)]);
    }
    await caller.hold();
    await sleep(300);
    const heldS = await caller.receivedS();
    await sleep(1_000);
    expect((await caller.receivedS()) - heldS).toBeLessThan(0.1);
    await caller.resume();
    await eventually('the caller hears again', async () => (await caller.receivedS()) > heldS + 0.5);
    await callee.hangup();
    await caller.event('CALL_CLOSED');
    await strowger().reads('strowger_media_legs', (legs) => legs === 0);
  });

  test('the gap on the wire is measured, and audio is back on both sides', async () => {
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
    await ready(kills++);
    const from = performance.now();
    await sleep(500);
    await killMedia(strowger());
    await sleep(1_000);
    const gapsMs = [callerAudio.longestGapMs(1_000, from), calleeAudio.longestGapMs(440, from)];
    console.log(
      `gap on the wire after kill -9 of the media process, ${spares} spare: ${gapsMs.join(' and ')} ms`,
    );
    await Promise.all([callerAudio.hears(1_000), calleeAudio.hears(440)]);
    await bye(caller, dialog, callee);
  });

  test('a call that ends while there is no media process leaves nothing', async () => {
    const caller = await phone(strowger(), { user: '1001', toneHz: 440 });
    const callee = await phone(strowger(), { user: '1002', toneHz: 1_000 });
    await connectPhones(caller, callee);
    await Promise.all([caller.hears(1_000), callee.hears(440)]);
    await ready(kills++);
    const killed = killMedia(strowger());
    await caller.hangup();
    await callee.event('CALL_CLOSED');
    await killed;
    await strowger().reads('strowger_media_legs', (legs) => legs === 0);
  });
});
