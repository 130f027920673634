import { describe, expect, test } from 'vitest';
import { ua, useSwitch } from './harness/rig.ts';
import { ANSWER } from './harness/ua.ts';
import { sleep } from './harness/wait.ts';
import { bye, establish, ring } from './harness/wire-call.ts';
import { callerDialog } from './harness/dialog.ts';

const T1_MS = 20;

describe('INVITE transactions, with T1 of 20 ms', () => {
  const strowger = useSwitch({
    change: (config) => {
      config.media = { ...config.media, anchor: false };
      config.timers = { t1Ms: T1_MS, t2Ms: 160, t4Ms: 200, timerCS: 1 };
    },
  });

  test('100 Trying comes at once', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const { invite, arrived } = await ring(caller, callee);
    await caller.answer(invite, (status) => status === 100);
    callee.reply(arrived, 486, 'Busy Here');
    caller.acknowledge(invite, await caller.answer(invite));
  });

  test('a repeated INVITE is answered with the last response and not forwarded again', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const { invite, arrived } = await ring(caller, callee);
    callee.reply(arrived, 180, 'Ringing');
    const ringing = await caller.answer(invite, (status) => status === 180);
    const arrivals = callee.count((message) => message.method === 'INVITE');
    caller.send(invite);
    const repeated = await caller.answer(invite, (status) => status >= 180);
    expect(repeated.toBuffer().toString()).toBe(ringing.toBuffer().toString());
    callee.reply(arrived, 486, 'Busy Here');
    const busy = await caller.answer(invite);
    caller.send(invite);
    const again = await caller.answer(invite);
    expect(again.toBuffer().toString()).toBe(busy.toBuffer().toString());
    caller.acknowledge(invite, busy);
    expect(callee.count((message) => message.method === 'INVITE')).toBe(arrivals);
  });

  test('a refusal is repeated until it is acknowledged (timer G), and no longer', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const { invite, arrived } = await ring(caller, callee);
    callee.reply(arrived, 486, 'Busy Here');
    const busy = await caller.answer(invite);
    await caller.answer(invite);
    await caller.answer(invite);
    caller.acknowledge(invite, busy);
    await sleep(30);
    const count = caller.count((message) => message.status === 486);
    await sleep(400);
    expect(caller.count((message) => message.status === 486)).toBe(count);
  });

  test('a callee that says nothing gets the INVITE again and again (timer A), the caller 408 (timer B)', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const { invite, arrived } = await ring(caller, callee);
    const from = performance.now();
    const answer = await caller.answer(invite, undefined, 5_000);
    expect(answer.status).toBe(408);
    caller.acknowledge(invite, answer);
    expect(performance.now() - from).toBeGreaterThan(32 * T1_MS);
    expect(performance.now() - from).toBeLessThan(100 * T1_MS);
    const copies = callee.inbox.all.filter(({ message }) => message.method === 'INVITE');
    expect(copies.length).toBeGreaterThanOrEqual(5);
    for (const { message } of copies) expect(message.toBuffer()).toEqual(arrived.toBuffer());
  });

  test('a callee that rings forever is cancelled (timer C), the caller told', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const { invite, arrived } = await ring(caller, callee);
    callee.reply(arrived, 180, 'Ringing');
    callee.reply(await callee.incoming('CANCEL', 3_000), 200, 'OK');
    callee.reply(arrived, 487, 'Request Terminated');
    const answer = await caller.answer(invite);
    expect([408, 487]).toContain(answer.status);
    caller.acknowledge(invite, answer);
  });

  test('a repeated 200 is passed on, and a repeated INVITE then is not answered by the switch (RFC 6026)', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const { invite, arrived } = await ring(caller, callee);
    const ok = callee.reply(arrived, 200, 'OK', { body: ANSWER });
    const answer = await caller.answer(invite);
    callee.send(ok);
    const repeated = await caller.answer(invite);
    expect(repeated.toBuffer().toString()).toBe(answer.toBuffer().toString());
    caller.send(invite);
    await sleep(100);
    expect(callee.count((message) => message.method === 'INVITE')).toBe(1);
    const dialog = callerDialog(invite, answer);
    caller.send(caller.within(dialog, 'ACK'));
    await callee.incoming('ACK');
    await bye(caller, dialog, callee);
  });

  test('nothing is left after all timers', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const call = await establish(caller, callee);
    await bye(callee, call.calleeSide, caller);
    const bindings = (await strowger().metrics()).sum('strowger_bindings');
    await strowger().empties(bindings);
  });
});
