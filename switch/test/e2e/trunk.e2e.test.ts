import { describe, expect, test } from 'vitest';
import { phone, sipp, useSwitch } from './harness/rig.ts';
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
});
