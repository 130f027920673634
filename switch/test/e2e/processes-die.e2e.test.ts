import { describe, expect, test } from 'vitest';
import { connectPhones } from './harness/calls.ts';
import { phone, useSwitch } from './harness/rig.ts';
import { eventually } from './harness/wait.ts';

interface Node {
  role: string;
  pid: number;
  state: string;
}

describe('a process of the switch killed', () => {
  const strowger = useSwitch();

  async function pidOf(role: string): Promise<number> {
    const { nodes } = await strowger().api<{ nodes: Node[] }>('/nodes');
    return nodes.find((node) => node.role === role && node.state === 'running')?.pid ?? 0;
  }

  for (const role of ['media', 'active']) {
    test(`(${role}) is replaced, and calls have audio again`, async () => {
      const pid = await eventually('its pid', () => pidOf(role));
      process.kill(pid, 'SIGKILL');
      const from = performance.now();
      await eventually(`another ${role} process`, async () => ![0, pid].includes(await pidOf(role)), 15_000);
      console.log(`${role} process: replaced after ${(performance.now() - from).toFixed()} ms`);
      const caller = await phone(strowger(), { user: '1001', toneHz: 440 });
      const callee = await phone(strowger(), { user: '1002', toneHz: 1_000 });
      await connectPhones(caller, callee);
      await Promise.all([caller.hears(1_000), callee.hears(440)]);
      await caller.hangup();
      await callee.event('CALL_CLOSED');
      expect(strowger().program.running).toBe(true);
    });
  }
});
