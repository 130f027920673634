import { createSocket } from 'node:dgram';
import { describe, expect, onTestFinished, test } from 'vitest';
import { calleeDialog, callerDialog } from './harness/dialog.ts';
import { rtpPhone, ua, useSwitch } from './harness/rig.ts';
import { mediaOf, type RtpPhone } from './harness/rtp.ts';
import type { Switch } from './harness/switch.ts';
import type { Ua } from './harness/ua.ts';
import { sleep } from './harness/wait.ts';
import { bye } from './harness/wire-call.ts';

const CALLER_HZ = 440;
const CALLEE_HZ = 1_000;
const STRANGER_HZ = 1_600;

interface Parties {
  caller: Ua;
  callee: Ua;
  callerAudio: RtpPhone;
  calleeAudio: RtpPhone;
}

async function parties(at: Switch): Promise<Parties> {
  const caller = await ua(at, { user: '1001' });
  const callee = await ua(at, { user: '1002' });
  await callee.register();
  return { caller, callee, callerAudio: await rtpPhone(), calleeAudio: await rtpPhone() };
}

describe('media of a call', () => {
  const strowger = useSwitch();

  test('goes through the switch: each side sees only its address, each hears the other', async () => {
    const { caller, callee, callerAudio, calleeAudio } = await parties(strowger());
    const invite = await caller.invite(callee.aor, { body: callerAudio.sdp() });
    const arrived = await callee.incoming('INVITE');
    expect(mediaOf(arrived.body).port).not.toBe(callerAudio.port);
    callee.reply(arrived, 200, 'OK', { body: calleeAudio.sdp() });
    const answer = await caller.answer(invite);
    expect(mediaOf(answer.body).port).not.toBe(calleeAudio.port);
    expect(answer.body).toMatch(/^m=audio \d+ RTP\/AVP 0 101\r$/m);
    const dialog = callerDialog(invite, answer);
    caller.send(caller.within(dialog, 'ACK'));
    callerAudio.speak(CALLER_HZ, answer.body);
    calleeAudio.speak(CALLEE_HZ, arrived.body);
    await Promise.all([callerAudio.hears(CALLEE_HZ), calleeAudio.hears(CALLER_HZ)]);
    const from = performance.now();
    await sleep(1_000);
    // Some packets: on a busy machine this process itself speaks late.
    expect(calleeAudio.longestGapMs(CALLER_HZ, from)).toBeLessThanOrEqual(120);
    // One stream each way: one SSRC, no packet twice, sequence numbers in order.
    const heard = calleeAudio.packets.filter(({ at }) => at >= from);
    expect(new Set(heard.map(({ ssrc }) => ssrc)).size).toBe(1);
    expect(new Set(heard.map(({ sequence }) => sequence)).size).toBe(heard.length);
    await bye(caller, dialog, callee);
    await sleep(200);
    const after = calleeAudio.packets.length;
    await sleep(300);
    expect(calleeAudio.packets.length, 'packets after the end of the call').toBe(after);
    await strowger().empties(1);
  });

  test('is latched to where it comes from, and strangers are not heard', async () => {
    const { caller, callee, callerAudio, calleeAudio } = await parties(strowger());
    const elsewhere = await rtpPhone(); // what the caller behind a NAT believes its port to be
    const invite = await caller.invite(callee.aor, { body: elsewhere.sdp() });
    const arrived = await callee.incoming('INVITE');
    callee.reply(arrived, 200, 'OK', { body: calleeAudio.sdp() });
    const answer = await caller.answer(invite);
    const dialog = callerDialog(invite, answer);
    caller.send(caller.within(dialog, 'ACK'));
    callerAudio.speak(CALLER_HZ, answer.body);
    calleeAudio.speak(CALLEE_HZ, arrived.body);
    await Promise.all([callerAudio.hears(CALLEE_HZ), calleeAudio.hears(CALLER_HZ)]);

    const stranger = createSocket('udp4');
    onTestFinished(() => void stranger.close());
    await new Promise<void>((resolve) => stranger.bind(0, '127.9.9.9', resolve));
    const packet = Buffer.alloc(172, 0x10);
    packet.writeUInt32BE(0x8000_0001, 0);
    const { address, port } = mediaOf(answer.body);
    const from = performance.now();
    for (let i = 0; i < 50; i++) {
      packet.writeUInt16BE(i, 2);
      stranger.send(packet, port, address);
      await sleep(20);
    }
    expect(
      calleeAudio.packets.filter(({ at, payload }) => at > from && payload.every((byte) => byte === 0x10)),
    ).toEqual([]);
    expect(calleeAudio.longestGapMs(CALLER_HZ, from)).toBeLessThanOrEqual(60);
    expect(await calleeAudio.heardDuring(200, STRANGER_HZ)).toBe(0);
    await bye(caller, dialog, callee);
  });

  test('flows before the answer (183), and after it', async () => {
    const { caller, callee, callerAudio, calleeAudio } = await parties(strowger());
    const invite = await caller.invite(callee.aor, { body: callerAudio.sdp() });
    const arrived = await callee.incoming('INVITE');
    callee.reply(arrived, 183, 'Session Progress', { body: calleeAudio.sdp() });
    const progress = await caller.answer(invite, (status) => status === 183);
    calleeAudio.speak(CALLEE_HZ, arrived.body);
    callerAudio.speak(CALLER_HZ, progress.body);
    await callerAudio.hears(CALLEE_HZ);
    callee.reply(arrived, 200, 'OK', { body: calleeAudio.sdp() });
    const answer = await caller.answer(invite);
    const dialog = callerDialog(invite, answer);
    caller.send(caller.within(dialog, 'ACK'));
    await Promise.all([callerAudio.hears(CALLEE_HZ), calleeAudio.hears(CALLER_HZ)]);
    await bye(caller, dialog, callee);
  });

  test('is negotiated in 200 and ACK when the INVITE has no offer', async () => {
    const { caller, callee, callerAudio, calleeAudio } = await parties(strowger());
    const invite = await caller.invite(callee.aor, { body: '' });
    const arrived = await callee.incoming('INVITE');
    expect(arrived.body).toBe('');
    const ok = callee.reply(arrived, 200, 'OK', { body: calleeAudio.sdp() });
    const answer = await caller.answer(invite);
    const dialog = callerDialog(invite, answer);
    caller.send(caller.within(dialog, 'ACK', { body: callerAudio.sdp() }));
    const ack = await callee.incoming('ACK');
    callerAudio.speak(CALLER_HZ, answer.body);
    calleeAudio.speak(CALLEE_HZ, ack.body);
    await Promise.all([callerAudio.hears(CALLEE_HZ), calleeAudio.hears(CALLER_HZ)]);
    await bye(callee, calleeDialog(arrived, ok), caller);
    await strowger().empties(1);
  });

  test('with no codec that the switch relays is refused with 488', async () => {
    const { caller, callee, callerAudio } = await parties(strowger());
    const strange = callerAudio
      .sdp()
      .replace(/RTP\/AVP 0 101[\s\S]*/, 'RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n');
    const { request, response } = await caller.transact(
      caller.request('INVITE', callee.aor, { body: strange }),
    );
    expect(response.status).toBe(488);
    caller.acknowledge(request, response);
    expect(callee.count((message) => message.method === 'INVITE')).toBe(0);
  });

  test('that moves to another port by re-INVITE is heard from there', async () => {
    const { caller, callee, callerAudio, calleeAudio } = await parties(strowger());
    const moved = await rtpPhone();
    const invite = await caller.invite(callee.aor, { body: callerAudio.sdp() });
    const arrived = await callee.incoming('INVITE');
    callee.reply(arrived, 200, 'OK', { body: calleeAudio.sdp() });
    const answer = await caller.answer(invite);
    const dialog = callerDialog(invite, answer);
    caller.send(caller.within(dialog, 'ACK'));
    callerAudio.speak(CALLER_HZ, answer.body);
    calleeAudio.speak(CALLEE_HZ, arrived.body);
    await Promise.all([callerAudio.hears(CALLEE_HZ), calleeAudio.hears(CALLER_HZ)]);

    const again = caller.within(dialog, 'INVITE', { body: moved.sdp('sendrecv', 2) });
    caller.send(again);
    callee.reply(await callee.incoming('INVITE'), 200, 'OK', { body: calleeAudio.sdp() });
    const second = await caller.answer(again);
    caller.send(caller.within(dialog, 'ACK', { cseq: again.cseq }));
    callerAudio.close();
    moved.speak(CALLER_HZ, second.body);
    await Promise.all([moved.hears(CALLEE_HZ), calleeAudio.hears(CALLER_HZ)]);
    await bye(caller, dialog, callee);
  });
});

describe('a call without media', () => {
  const strowger = useSwitch({
    change: (config) => {
      config.media = { ...config.media, timeoutS: 2 };
    },
  });

  test('is ended by the switch after the configured time', async () => {
    const { caller, callee, callerAudio, calleeAudio } = await parties(strowger());
    const invite = await caller.invite(callee.aor, { body: callerAudio.sdp() });
    const arrived = await callee.incoming('INVITE');
    callee.reply(arrived, 200, 'OK', { body: calleeAudio.sdp() });
    const answer = await caller.answer(invite);
    caller.send(caller.within(callerDialog(invite, answer), 'ACK'));
    const [atCaller, atCallee] = await Promise.all([
      caller.incoming('BYE', 8_000),
      callee.incoming('BYE', 8_000),
    ]);
    caller.reply(atCaller, 200, 'OK');
    callee.reply(atCallee, 200, 'OK');
    await strowger().empties(1);
  });
});
