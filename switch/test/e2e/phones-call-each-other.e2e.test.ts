import { describe, expect, test } from 'vitest';
import { connectPhones } from './harness/calls.ts';
import { phone, useSwitch } from './harness/rig.ts';
import { eventually } from './harness/wait.ts';

const CALLER_HZ = 440;
const CALLEE_HZ = 1_000;

describe('two phones with digest, through the switch', () => {
  const strowger = useSwitch();

  for (const [who, transport] of [
    ['caller', 'udp'],
    ['callee', 'udp'],
    ['caller', 'tcp'],
  ] as const) {
    test(`hear each other over ${transport}, the ${who} hangs up, and nothing is left`, async () => {
      const caller = await phone(strowger(), { user: '1001', toneHz: CALLER_HZ, transport });
      const callee = await phone(strowger(), { user: '1002', toneHz: CALLEE_HZ, transport });
      await connectPhones(caller, callee);
      await Promise.all([caller.hears(CALLEE_HZ), callee.hears(CALLER_HZ)]);
      // Neither hears itself, and nothing is lost on the way.
      expect(await caller.heardDuring(1_000, CALLER_HZ)).toBe(0);
      expect(await callee.heardDuring(1_000, CALLER_HZ)).toBeGreaterThanOrEqual(900);
      const [call] = await strowger().calls();
      expect(call?.from).toContain('1001@strowger.test');
      expect(call?.to).toContain('1002@strowger.test');
      await strowger().reads('strowger_calls_active', (calls) => calls === 1);
      await strowger().reads('strowger_media_legs', (legs) => legs === 2);

      const [first, second] = who === 'caller' ? [caller, callee] : [callee, caller];
      await first.hangup();
      await second.event('CALL_CLOSED');
      await strowger().empties(2);
      await Promise.all([caller.stop(), callee.stop()]);
      await strowger().empties(0);
    });
  }

  test('the API shows the call while it runs, and ends it', async () => {
    const caller = await phone(strowger(), { user: '1001', toneHz: CALLER_HZ });
    const callee = await phone(strowger(), { user: '1002', toneHz: CALLEE_HZ });
    await connectPhones(caller, callee);
    await callee.hears(CALLER_HZ);
    const call = await eventually('one call in the API', async () => (await strowger().calls())[0]);
    const detail = await strowger().api<{ legs: { codec: string; lossPct: number }[] }>(`/calls/${call.id}`);
    expect(detail.legs.map((leg) => leg.codec)).toEqual(['PCMU/8000', 'PCMU/8000']);
    await strowger().api(`/calls/${call.id}`, 'DELETE');
    await Promise.all([caller.event('CALL_CLOSED'), callee.event('CALL_CLOSED')]);
    await strowger().empties(2);
  });

  test('registrations are listed with their contacts', async () => {
    const one = await phone(strowger(), { user: '1003' });
    const list = await strowger().api<{
      total: number;
      registrations: { aor: string; contact: string; transport: string; expiresInS: number }[];
    }>('/registrations');
    const [found] = list.registrations.filter(({ aor }) => aor.includes('1003'));
    expect(found?.contact).toContain(`127.0.0.1:${one.sipPort}`);
    expect(found?.transport.toLowerCase()).toBe('udp');
    expect(found?.expiresInS).toBeGreaterThan(60);
  });
});
