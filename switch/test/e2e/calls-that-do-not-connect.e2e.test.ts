import { describe, expect, test } from 'vitest';
import { phone, useSwitch } from './harness/rig.ts';
import { sleep } from './harness/wait.ts';

describe('calls and registrations that come to nothing', () => {
  const strowger = useSwitch();

  test('a busy callee: the caller is told 486', async () => {
    const caller = await phone(strowger(), { user: '1001' });
    const callee = await phone(strowger(), { user: '1002' });
    await caller.dial(callee.aor);
    await callee.event('CALL_INCOMING');
    await callee.hangup(); // baresip refuses with 486 before it has answered
    expect((await caller.event('CALL_CLOSED')).param).toContain('486');
    await strowger().empties(2);
  });

  test('no answer: the caller gives up and the callee stops ringing', async () => {
    const caller = await phone(strowger(), { user: '1001' });
    const callee = await phone(strowger(), { user: '1002' });
    await caller.dial(callee.aor);
    await callee.event('CALL_INCOMING');
    await caller.event('CALL_RINGING');
    await sleep(500);
    await caller.hangup();
    await callee.event('CALL_CLOSED');
    await strowger().empties(2);
  });

  test('a wrong password: not registered', async () => {
    const intruder = await phone(strowger(), { user: '1004', password: 'wrong', register: 'try' });
    await intruder.program.line(/40[13]/, 5_000);
    await strowger().empties(0);
  });

  test('an unknown user: 404', async () => {
    const caller = await phone(strowger(), { user: '1001' });
    await caller.dial('sip:1999@strowger.test');
    expect((await caller.event('CALL_CLOSED')).param).toContain('404');
  });

  test('a user who is not registered: 480', async () => {
    const caller = await phone(strowger(), { user: '1001' });
    await caller.dial('sip:1010@strowger.test');
    expect((await caller.event('CALL_CLOSED')).param).toContain('480');
    await strowger().empties(1);
  });
});
