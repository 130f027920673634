import { describe, expect, onTestFinished, test } from 'vitest';
import { sipp, ua } from './harness/rig.ts';
import { Switch, type SwitchOptions } from './harness/switch.ts';

/** A switch for one test, without media. */
async function startSwitch(options: SwitchOptions): Promise<Switch> {
  const instance = await Switch.start(options);
  onTestFinished(async () => {
    await instance.stop();
  });
  return instance;
}

/** RFC timers keep what answers retransmissions for 32 s; some more for a busy machine. */
const DRAIN_MS = 45_000;

/** Another address of this machine. */
const TRUNK_ADDRESS = '127.0.0.2';

describe('SIPp', () => {
  test('registers 5,000 users with digest, none fails', async () => {
    const strowger = await startSwitch({ base: 'bench-digest.yaml' });
    const fields = Array.from({ length: 5_000 }, (_, i) => {
      const user = 1_000_000 + i;
      return `${user};[authentication username=${user} password=bench-${user}];7070`;
    });
    const run = await sipp({ scenario: 'register', remote: strowger.sip, calls: 5_000, rate: 1_000, fields });
    const stats = await run.finished(60_000);
    expect(stats, run.report()).toMatchObject({ successful: 5_000, failed: 0, unexpected: 0 });
    await strowger.reads('strowger_bindings', (bindings) => bindings === 5_000);
  });

  test('makes 10,000 calls at 500 a second over UDP, none fails, and nothing is left', async () => {
    const strowger = await startSwitch({ base: 'bench.yaml' });
    const callee = await sipp({ scenario: 'answer' });
    const registrar = await ua(strowger, { user: 'bob' });
    expect((await registrar.register({ contacts: [`<sip:bob@127.0.0.1:${callee.port}>`] })).status).toBe(200);
    const caller = await sipp({
      scenario: 'call',
      remote: strowger.sip,
      calls: 10_000,
      rate: 500,
      service: 'bob',
    });
    const stats = await caller.finished(60_000);
    expect(stats, caller.report()).toMatchObject({ successful: 10_000, failed: 0, unexpected: 0 });
    await strowger.empties(1, DRAIN_MS);
    expect((await registrar.register({ contacts: ['*'], expires: 0 })).status).toBe(200);
    await strowger.empties(0);
  });

  test('makes 1,000 calls over TCP to a TCP trunk, none fails, and nothing is left', async () => {
    const strowger = await startSwitch({
      base: 'bench.yaml',
      change: (config) => {
        // A peer over TCP is known by its address whatever its port, so it must not share the caller's.
        const [trunk] = config.trunks as { gateways: { transport: string; address: string }[] }[];
        const [gateway] = trunk!.gateways;
        gateway!.transport = 'tcp';
        gateway!.address = gateway!.address.replace('127.0.0.1', TRUNK_ADDRESS);
        config.timers = { t1Ms: 100 }; // nothing is repeated over TCP; the tables are empty sooner
      },
    });
    const callee = await sipp({
      scenario: 'answer',
      transport: 'tcp',
      address: TRUNK_ADDRESS,
      port: strowger.trunkPort,
    });
    const caller = await sipp({
      scenario: 'call',
      transport: 'tcp',
      remote: strowger.sip,
      calls: 1_000,
      rate: 200,
      service: '95551234',
    });
    const stats = await caller.finished(30_000);
    expect(stats, `${caller.report()}\n${callee.report()}`).toMatchObject({
      successful: 1_000,
      failed: 0,
      unexpected: 0,
    });
    await strowger.empties(0, DRAIN_MS);
  });
});
