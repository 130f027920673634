import { describe, expect, test } from 'vitest';
import { ua, useSwitch } from './harness/rig.ts';
import { OFFER } from './harness/ua.ts';
import { bye, establish } from './harness/wire-call.ts';

const CALLS_MAX = 3;
const BINDINGS_MAX = 4;

describe('a switch whose tables are small', () => {
  const strowger = useSwitch({
    change: (config) => {
      config.limits = { calls: CALLS_MAX, bindings: BINDINGS_MAX };
      config.media = { ...config.media, anchor: false };
      config.timers = { t1Ms: 20, t2Ms: 100, t4Ms: 100 };
    },
  });

  test('refuses the call too many with 503 and Retry-After, and takes calls again when one has ended', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1002' });
    await callee.register();
    const calls = [];
    for (let i = 0; i < CALLS_MAX; i++) calls.push(await establish(caller, callee));
    const { request, response } = await caller.transact(
      caller.request('INVITE', callee.aor, { body: OFFER }),
    );
    expect(response.status).toBe(503);
    expect(Number(response.header('retry-after'))).toBeGreaterThan(0);
    caller.acknowledge(request, response);
    for (const call of calls) await bye(caller, call.callerSide, callee);
    await strowger().empties(1);
    const again = await establish(caller, callee);
    await bye(callee, again.calleeSide, caller);
  });

  test('refuses the registration too many with 503 and Retry-After, and takes it when there is room', async () => {
    const agents = [];
    for (let i = 0; i < BINDINGS_MAX; i++) {
      const agent = await ua(strowger(), { user: `100${i + 1}` });
      expect((await agent.register()).status).toBe(200);
      agents.push(agent);
    }
    const late = await ua(strowger(), { user: '1009' });
    const refused = await late.register();
    expect(refused.status).toBe(503);
    expect(Number(refused.header('retry-after'))).toBeGreaterThan(0);
    await agents[0]!.register({ expires: 0 });
    expect((await late.register()).status).toBe(200);
  });
});
