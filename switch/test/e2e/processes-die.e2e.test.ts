/** What dies is started again, and the switch serves on: the media process, and the node under it. */
import { describe, expect, test } from 'vitest';
import { connectPhones } from './harness/calls.ts';
import { phone, useSwitch } from './harness/rig.ts';
import { eventually } from './harness/wait.ts';

interface ApiNode {
  id: string;
  role: string;
  pid: number;
  epoch: number;
  state: string;
}

describe('processes that are killed', () => {
  const strowger = useSwitch();

  const nodeOf = async (role: string): Promise<ApiNode> => {
    const { nodes } = await strowger().api<{ nodes: ApiNode[] }>('/nodes');
    return nodes.find((one) => one.role === role)!;
  };

  /** The process of this role is another one than `before`, and running. */
  const replaced = (role: string, before: number): Promise<ApiNode> =>
    eventually(
      `another ${role} process`,
      async () => {
        const now = await nodeOf(role);
        return now.state === 'running' && now.pid !== before ? now : null;
      },
      15_000,
    );

  /** Two phones register and talk. */
  const talk = async (): Promise<void> => {
    const caller = await phone(strowger(), { user: '1001' });
    const callee = await phone(strowger(), { user: '1002', toneHz: 1_000 });
    await connectPhones(caller, callee);
    await caller.hears(1_000);
    await callee.hears(440);
    await caller.hangup();
  };

  test('the media process is started again, and calls are made', async () => {
    const before = await nodeOf('media');
    process.kill(before.pid, 'SIGKILL');
    const after = await replaced('media', before.pid);
    expect(after.pid).toBeGreaterThan(0);
    await talk();
  });

  test('the node is started again with a newer epoch, and calls are made', async () => {
    const before = await nodeOf('active');
    process.kill(before.pid, 'SIGKILL');
    const after = await replaced('active', before.pid);
    expect(after.epoch).toBeGreaterThan(before.epoch);
    await talk();
  });
});
