import { describe, expect, test } from 'vitest';
import { phone, sipp, ua, useSwitch } from './harness/rig.ts';
import { OFFER } from './harness/ua.ts';
import { eventually } from './harness/wait.ts';

describe('a call to a trunk by prefix', () => {
  const strowger = useSwitch({
    change: (config) => {
      config.routes = [
        { prefix: '9', trunk: 'outside', strip: 1, prepend: '+49' },
        { prefix: '911', trunk: 'outside', strip: 0 },
      ];
    },
  });

  for (const [dialled, expected] of [
    ['95551234', '+495551234'],
    ['911', '911'],
  ] as const) {
    test(`${dialled} arrives as ${expected}`, async () => {
      const peer = await sipp({ scenario: 'answer', port: strowger().trunkPort, calls: 1, trace: true });
      const caller = await phone(strowger(), { user: '1001' });
      await caller.dial(`sip:${dialled}@strowger.test`);
      await caller.event('CALL_ESTABLISHED');
      const uri = await eventually(
        'INVITE at the trunk',
        () => /^INVITE (\S+) SIP/m.exec(peer.messages())?.[1],
      );
      expect(uri).toMatch(
        new RegExp(`^sip:${expected.replace('+', '\\+')}@127\\.0\\.0\\.1:${strowger().trunkPort}\\b`),
      );
      await caller.hangup();
      const stats = await peer.finished(5_000);
      expect(stats).toMatchObject({ successful: 1, failed: 0 });
      await strowger().empties(1);
    });
  }

  test('a stranger cannot use the trunk', async () => {
    const peer = await ua(strowger(), { user: 'peer', port: strowger().trunkPort });
    const stranger = await ua(strowger(), { user: '1001', password: 'guess' });
    const { response } = await stranger.transact(
      stranger.request('INVITE', 'sip:95551234@strowger.test', { body: OFFER }),
    );
    expect([401, 403, 407]).toContain(response.status);
    expect(peer.inbox.all).toEqual([]);
  });

  test('the trunk reaches users without digest, but not itself', async () => {
    const peer = await ua(strowger(), {
      user: '+4930123',
      domain: 'carrier.test',
      port: strowger().trunkPort,
    });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const invite = peer.request('INVITE', 'sip:1002@strowger.test', { body: OFFER });
    peer.send(invite);
    const arrived = await callee.incoming('INVITE');
    expect(arrived.header('from')).toContain('+4930123');
    callee.reply(arrived, 486, 'Busy Here');
    const busy = await peer.answer(invite);
    expect(busy.status).toBe(486);
    peer.acknowledge(invite, busy);
    const relay = peer.request('INVITE', 'sip:95551234@strowger.test', { body: OFFER });
    peer.send(relay);
    const refused = await peer.answer(relay);
    expect(refused.status).toBeGreaterThanOrEqual(403);
    expect(refused.status).toBeLessThan(500);
    expect(peer.count((message) => message.isRequest && message.method === 'INVITE')).toBe(0);
  });
});
