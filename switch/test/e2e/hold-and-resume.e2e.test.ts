import { describe, expect, test } from 'vitest';
import { connectPhones } from './harness/calls.ts';
import { calleeDialog } from './harness/dialog.ts';
import { phone, rtpPhone, ua, useSwitch } from './harness/rig.ts';
import { sleep } from './harness/wait.ts';

describe('a call put on hold', () => {
  const strowger = useSwitch();

  for (const who of ['caller', 'callee'] as const) {
    test(`by the ${who}: what it hears stops, and comes back when it resumes`, async () => {
      const caller = await phone(strowger(), { user: '1001', toneHz: 440 });
      const callee = await phone(strowger(), { user: '1002', toneHz: 1_000 });
      await connectPhones(caller, callee);
      await Promise.all([caller.hears(1_000), callee.hears(440)]);
      const holder = who === 'caller' ? caller : callee;

      await holder.hold();
      await sleep(300);
      const heldS = await holder.receivedS();
      await sleep(1_000);
      expect((await holder.receivedS()) - heldS).toBeLessThan(0.1);

      await holder.resume();
      await sleep(300);
      const resumedS = await holder.receivedS();
      await sleep(1_000);
      expect((await holder.receivedS()) - resumedS).toBeGreaterThan(0.9);
      await caller.hangup();
      await callee.event('CALL_CLOSED');
      await strowger().empties(2);
    });
  }

  test('the held tone stops on the wire and comes back with the same content', async () => {
    const caller = await phone(strowger(), { user: '1001', toneHz: 440 });
    const callee = await ua(strowger(), { user: '1002' });
    const audio = await rtpPhone();
    await callee.register();
    await caller.dial(callee.aor);
    const invite = await callee.incoming('INVITE');
    const ok = callee.reply(invite, 200, 'OK', { body: audio.sdp() });
    await callee.incoming('ACK');
    audio.speak(1_000, invite.body);
    await Promise.all([audio.hears(440), caller.hears(1_000)]);

    const dialog = calleeDialog(invite, ok);
    const heldAt = performance.now();
    const hold = callee.within(dialog, 'INVITE', { body: audio.sdp('sendonly', 2) });
    callee.send(hold);
    const held = await callee.answer(hold);
    expect(held.status).toBe(200);
    expect(held.body).toMatch(/a=(recvonly|inactive)/);
    callee.send(callee.within(dialog, 'ACK', { cseq: hold.cseq }));
    await sleep(200);
    expect(await audio.heardDuring(1_000, 440)).toBe(0);

    const resume = callee.within(dialog, 'INVITE', { body: audio.sdp('sendrecv', 3) });
    callee.send(resume);
    expect((await callee.answer(resume)).status).toBe(200);
    callee.send(callee.within(dialog, 'ACK', { cseq: resume.cseq }));
    await audio.hears(440);
    const gapMs = audio.longestGapMs(440, heldAt - 500);
    expect(gapMs).toBeGreaterThan(1_000);
    expect(gapMs).toBeLessThan(2_000);
    callee.send(callee.within(dialog, 'BYE'));
    await caller.event('CALL_CLOSED');
  });
});
