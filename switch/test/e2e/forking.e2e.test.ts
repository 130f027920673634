import { describe, expect, test } from 'vitest';
import { callerDialog } from './harness/dialog.ts';
import { rtpPhone, ua, useSwitch } from './harness/rig.ts';
import type { Switch } from './harness/switch.ts';
import { ANSWER, type Ua } from './harness/ua.ts';
import { sleep } from './harness/wait.ts';
import { bye } from './harness/wire-call.ts';

/** Two registered user agents of 1002, the first with the higher q when `serial`. */
async function twoContacts(at: Switch, serial = false): Promise<[Ua, Ua]> {
  const first = await ua(at, { user: '1002' });
  const second = await ua(at, { user: '1002' });
  await first.register({ contacts: [`<${first.contactUri}>;q=0.9`] });
  await second.register({ contacts: [`<${second.contactUri}>;q=${serial ? '0.3' : '0.9'}`] });
  return [first, second];
}

describe('an INVITE to a user with two contacts', () => {
  const strowger = useSwitch({
    change: (config) => {
      config.media = { ...config.media, anchor: false };
      config.timers = { t1Ms: 100 };
    },
  });

  test('rings both; the first to answer wins, the other is cancelled', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const [first, second] = await twoContacts(strowger());
    const invite = await caller.invite(first.aor);
    const atFirst = await first.incoming('INVITE');
    const atSecond = await second.incoming('INVITE');
    first.reply(atFirst, 180, 'Ringing');
    second.reply(atSecond, 180, 'Ringing');
    second.reply(atSecond, 200, 'OK', { body: ANSWER });
    const answer = await caller.answer(invite);
    const dialog = callerDialog(invite, answer);
    caller.send(caller.within(dialog, 'ACK'));
    const cancelled = await first.incoming('CANCEL');
    first.reply(cancelled, 200, 'OK');
    first.reply(atFirst, 487, 'Request Terminated');
    await first.incoming('ACK');
    await second.incoming('ACK');
    await bye(caller, dialog, second);
  });

  test('both answer at once: the caller gets one, the other gets ACK and BYE from the switch', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const [first, second] = await twoContacts(strowger());
    const invite = await caller.invite(first.aor);
    const atFirst = await first.incoming('INVITE');
    const atSecond = await second.incoming('INVITE');
    first.reply(atFirst, 200, 'OK', { body: ANSWER });
    second.reply(atSecond, 200, 'OK', { body: ANSWER });
    const answer = await caller.answer(invite);
    const dialog = callerDialog(invite, answer);
    caller.send(caller.within(dialog, 'ACK'));
    const [winner, loser] = answer.header('contact').includes(String(first.port))
      ? [first, second]
      : [second, first];
    await winner.incoming('ACK');
    await loser.incoming('ACK');
    loser.reply(await loser.incoming('BYE'), 200, 'OK');
    await sleep(200);
    expect(winner.count((message) => message.isRequest && message.method === 'BYE')).toBe(0);
    expect(caller.count((message) => message.status === 200 && message.method === 'INVITE')).toBe(1);
    await bye(caller, dialog, winner);
  });

  test('both refuse: the best refusal reaches the caller', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const [first, second] = await twoContacts(strowger());
    const invite = await caller.invite(first.aor);
    const atFirst = await first.incoming('INVITE');
    const atSecond = await second.incoming('INVITE');
    first.reply(atFirst, 500, 'Server Internal Error');
    await first.incoming('ACK');
    expect(caller.count((message) => message.status >= 300 && message.cseq === invite.cseq)).toBe(0);
    second.reply(atSecond, 486, 'Busy Here');
    const answer = await caller.answer(invite);
    expect(answer.status).toBe(486);
    caller.acknowledge(invite, answer);
  });

  test('a 6xx ends the search: the other is cancelled', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const [first, second] = await twoContacts(strowger());
    const invite = await caller.invite(first.aor);
    const atFirst = await first.incoming('INVITE');
    const atSecond = await second.incoming('INVITE');
    second.reply(atSecond, 180, 'Ringing');
    first.reply(atFirst, 603, 'Decline');
    second.reply(await second.incoming('CANCEL'), 200, 'OK');
    second.reply(atSecond, 487, 'Request Terminated');
    const answer = await caller.answer(invite);
    expect(answer.status).toBe(603);
    caller.acknowledge(invite, answer);
  });

  test('different q: one after the other', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const [first, second] = await twoContacts(strowger(), true);
    const invite = await caller.invite(first.aor);
    const atFirst = await first.incoming('INVITE');
    await sleep(300);
    expect(second.count((message) => message.method === 'INVITE')).toBe(0);
    first.reply(atFirst, 480, 'Temporarily Unavailable');
    await first.incoming('ACK');
    const atSecond = await second.incoming('INVITE');
    second.reply(atSecond, 200, 'OK', { body: ANSWER });
    const answer = await caller.answer(invite);
    expect(answer.status).toBe(200);
    const dialog = callerDialog(invite, answer);
    caller.send(caller.within(dialog, 'ACK'));
    await second.incoming('ACK');
    await bye(caller, dialog, second);
  });
});

describe('an INVITE to two contacts, with media through the switch', () => {
  const strowger = useSwitch();

  test('the one that answers is heard; ports of the other are given back', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const [first, second] = await twoContacts(strowger());
    const callerAudio = await rtpPhone();
    const calleeAudio = await rtpPhone();
    const invite = await caller.invite(first.aor, { body: callerAudio.sdp() });
    const atFirst = await first.incoming('INVITE');
    const atSecond = await second.incoming('INVITE');
    first.reply(atFirst, 180, 'Ringing');
    second.reply(atSecond, 200, 'OK', { body: calleeAudio.sdp() });
    const answer = await caller.answer(invite);
    const dialog = callerDialog(invite, answer);
    caller.send(caller.within(dialog, 'ACK'));
    first.reply(await first.incoming('CANCEL'), 200, 'OK');
    first.reply(atFirst, 487, 'Request Terminated');
    callerAudio.speak(440, answer.body);
    calleeAudio.speak(1_000, atSecond.body);
    await Promise.all([callerAudio.hears(1_000), calleeAudio.hears(440)]);
    await strowger().reads('strowger_media_legs', (legs) => legs === 2);
    await bye(caller, dialog, second);
    await strowger().empties(2);
  });
});
