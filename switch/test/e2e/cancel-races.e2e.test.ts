import { describe, expect, test } from 'vitest';
import { callerDialog } from './harness/dialog.ts';
import { ua, useSwitch } from './harness/rig.ts';
import { ANSWER } from './harness/ua.ts';
import { sleep } from './harness/wait.ts';
import { bye, establish, ring } from './harness/wire-call.ts';

describe('CANCEL', () => {
  const strowger = useSwitch({
    change: (config) => {
      config.media = { ...config.media, anchor: false };
      config.timers = { t1Ms: 100 };
    },
  });

  test('while it rings: the callee is cancelled, the caller gets 487', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const { invite, arrived } = await ring(caller, callee);
    callee.reply(arrived, 180, 'Ringing');
    await caller.answer(invite, (status) => status === 180);
    const cancel = caller.cancel(invite);
    expect((await caller.answer(cancel)).status).toBe(200);
    const cancelled = await callee.incoming('CANCEL');
    expect(cancelled.header('via').replace(/;rport.*/, '')).toBe(
      arrived.header('via').replace(/;rport.*/, ''),
    );
    callee.reply(cancelled, 200, 'OK');
    callee.reply(arrived, 487, 'Request Terminated');
    const terminated = await caller.answer(invite);
    expect(terminated.status).toBe(487);
    caller.acknowledge(invite, terminated);
    await callee.incoming('ACK');
  });

  test('before the callee has said anything: held back until it does (RFC 3261 9.1)', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const { invite, arrived } = await ring(caller, callee);
    const cancel = caller.cancel(invite);
    expect((await caller.answer(cancel)).status).toBe(200);
    await sleep(250);
    expect(callee.count((message) => message.isRequest && message.method === 'CANCEL')).toBe(0);
    callee.reply(arrived, 180, 'Ringing');
    const cancelled = await callee.incoming('CANCEL');
    callee.reply(cancelled, 200, 'OK');
    callee.reply(arrived, 487, 'Request Terminated');
    expect((await caller.answer(invite)).status).toBe(487);
  });

  test('that crosses the answer: the call stands, and the caller ends it', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const { invite, arrived } = await ring(caller, callee);
    callee.reply(arrived, 180, 'Ringing');
    await caller.answer(invite, (status) => status === 180);
    const cancel = caller.cancel(invite);
    callee.reply(arrived, 200, 'OK', { body: ANSWER });
    expect((await caller.answer(cancel)).status).toBe(200);
    const answer = await caller.answer(invite);
    expect(answer.status).toBe(200);
    const dialog = callerDialog(invite, answer);
    caller.send(caller.within(dialog, 'ACK'));
    await callee.incoming('ACK');
    await bye(caller, dialog, callee);
  });

  test('after the answer changes nothing', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const call = await establish(caller, callee);
    const cancel = caller.cancel(call.invite);
    expect([200, 481]).toContain((await caller.answer(cancel)).status);
    await sleep(200);
    expect(callee.count((message) => message.isRequest && message.method === 'CANCEL')).toBe(0);
    await bye(callee, call.calleeSide, caller);
  });
});
