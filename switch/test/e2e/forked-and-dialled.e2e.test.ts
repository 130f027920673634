import { describe, expect, test } from 'vitest';
import { connectPhones } from './harness/calls.ts';
import { phone, useSwitch } from './harness/rig.ts';

describe('phones', () => {
  const strowger = useSwitch();

  test('two phones of one user ring, one answers, the other stops', async () => {
    const caller = await phone(strowger(), { user: '1001', toneHz: 440 });
    const desk = await phone(strowger(), { user: '1002', toneHz: 1_000 });
    const home = await phone(strowger(), { user: '1002', toneHz: 1_600 });
    await caller.dial(desk.aor);
    await Promise.all([desk.event('CALL_INCOMING'), home.event('CALL_INCOMING')]);
    await home.command('accept');
    await Promise.all([caller.event('CALL_ESTABLISHED'), desk.event('CALL_CLOSED')]);
    await Promise.all([caller.hears(1_600), home.hears(440)]);
    await strowger().reads('strowger_media_legs', (legs) => legs === 2);
    await caller.hangup();
    await home.event('CALL_CLOSED');
    await strowger().empties(3);
  });

  test('digits dialled in a call arrive as RFC 4733 events, in order', async () => {
    const caller = await phone(strowger(), { user: '1001', toneHz: 440 });
    const callee = await phone(strowger(), { user: '1002', toneHz: 1_000 });
    await connectPhones(caller, callee);
    await callee.hears(440);
    await caller.sendDigits('15*#');
    let digits = '';
    while (digits.length < 4) {
      digits += (await callee.event('CALL_DTMF_START')).param ?? '';
      await callee.event('CALL_DTMF_END');
    }
    expect(digits).toBe('15*#');
    await callee.hears(440); // the voice goes on after them
  });
});
