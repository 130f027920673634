import { describe, expect, test } from 'vitest';
import { ua, useSwitch } from './harness/rig.ts';
import { eventually, sleep } from './harness/wait.ts';
import { bye, establish } from './harness/wire-call.ts';

describe('SIP over TCP', () => {
  const strowger = useSwitch({
    change: (config) => {
      config.media = { ...config.media, anchor: false };
      config.limits = { messageTimeoutS: 1 };
    },
  });

  test('a keepalive of two CRLFs is answered with one (RFC 5626 4.4.1)', async () => {
    const agent = await ua(strowger(), { user: '1001', transport: 'tcp' });
    agent.sendRaw('\r\n\r\n');
    await eventually('a CRLF', () => agent.pongs === 1);
    const { response } = await agent.transact(agent.request('OPTIONS', 'sip:strowger.test'));
    expect(response.status).toBe(200);
  });

  test('messages in pieces and several at once are taken apart by bytes', async () => {
    const agent = await ua(strowger(), { user: '1001', transport: 'tcp' });
    const first = agent.request('OPTIONS', 'sip:strowger.test', {
      body: 'größer',
      contentType: 'text/plain',
    });
    const second = agent.request('OPTIONS', 'sip:strowger.test');
    const bytes = Buffer.concat([first.toBuffer(), second.toBuffer()]);
    for (const at of [0, 1, 2, 3]) {
      const part = Math.ceil(bytes.length / 4);
      agent.sendRaw(bytes.subarray(at * part, (at + 1) * part));
      await sleep(20);
    }
    expect((await agent.answer(first)).status).toBe(200);
    expect((await agent.answer(second)).status).toBe(200);
    const third = agent.request('OPTIONS', 'sip:strowger.test');
    const fourth = agent.request('OPTIONS', 'sip:strowger.test');
    agent.sendRaw(Buffer.concat([third.toBuffer(), fourth.toBuffer()]));
    await agent.answer(third);
    await agent.answer(fourth);
  });

  test('a call reaches a phone over the connection it registered on', async () => {
    const caller = await ua(strowger(), { user: '1001', transport: 'udp' });
    const callee = await ua(strowger(), { user: '1002', transport: 'tcp' });
    await callee.register();
    const call = await establish(caller, callee);
    expect(call.arrived.header('via')).toMatch(/^SIP\/2\.0\/TCP /);
    await bye(callee, call.calleeSide, caller);
  });

  test('a phone whose connection is gone is not found any more', async () => {
    const caller = await ua(strowger(), { user: '1001' });
    const callee = await ua(strowger(), { user: '1003', transport: 'tcp' });
    await callee.register();
    callee.close();
    await eventually('480', async () => {
      const invite = await caller.invite('sip:1003@strowger.test');
      const answer = await caller.answer(invite);
      caller.acknowledge(invite, answer);
      return answer.status === 480;
    });
  });

  test('a message without Content-Length ends the connection (RFC 3261 18.3), others live on', async () => {
    const bad = await ua(strowger(), { user: '1001', transport: 'tcp' });
    const good = await ua(strowger(), { user: '1002', transport: 'tcp' });
    const text = bad
      .request('OPTIONS', 'sip:strowger.test')
      .toBuffer()
      .toString()
      .replace(/Content-Length.*\r\n/, '');
    bad.sendRaw(text);
    await bad.closedByPeer(3_000);
    expect((await good.transact(good.request('OPTIONS', 'sip:strowger.test'))).response.status).toBe(200);
  });

  test('a message that never ends closes the connection', async () => {
    const agent = await ua(strowger(), { user: '1001', transport: 'tcp' });
    agent.sendRaw('OPTIONS sip:strowger.test SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1');
    await agent.closedByPeer(4_000);
  });
});
