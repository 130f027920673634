import { describe, expect, test } from 'vitest';
import { authorization, challengesOf } from './harness/digest.ts';
import { ua, useSwitch } from './harness/rig.ts';
import type { SipMessage } from './harness/message.ts';
import type { Switch } from './harness/switch.ts';
import { token, type Ua } from './harness/ua.ts';
import { sleep } from './harness/wait.ts';

/** A REGISTER that has been challenged, and the challenge. */
async function challenged(at: Switch): Promise<{ agent: Ua; register: SipMessage; response: SipMessage }> {
  const agent = await ua(at, { user: '1001' });
  const register = agent.request('REGISTER', 'sip:strowger.test', { to: `<${agent.aor}>` });
  agent.send(register);
  return { agent, register, response: await agent.answer(register) };
}

/** The next REGISTER with those credentials. */
function next(register: SipMessage, credentials: string): SipMessage {
  const again = register.clone();
  again.set('Via', register.header('via').replace(/branch=[^;]+/, `branch=z9hG4bK${token()}`));
  again.set('CSeq', `${register.cseq + 1} REGISTER`);
  return again.set('Authorization', credentials);
}

describe('digest authentication with both algorithms', () => {
  const strowger = useSwitch({
    change: (config) => {
      config.registration = { digest: ['sha-256', 'md5'], nonceTtlS: 10 };
    },
  });

  test('offers SHA-256 first, then MD5, and accepts either', async () => {
    const { agent, register, response } = await challenged(strowger());
    const challenges = challengesOf(response);
    expect(challenges.map(({ algorithm }) => algorithm.toUpperCase())).toEqual(['SHA-256', 'MD5']);
    expect(challenges.every(({ realm, qop }) => realm === 'strowger.test' && qop === 'auth')).toBe(true);
    for (const algorithm of ['SHA-256', 'MD5']) {
      const again = agent.authorize(register, response, algorithm);
      again.set('CSeq', `${algorithm === 'MD5' ? 10 : 5} REGISTER`);
      agent.send(again);
      expect((await agent.answer(again)).status, algorithm).toBe(200);
    }
  });

  test('a nonce is good for several requests with a counting nc, but not for the same nc twice', async () => {
    const { agent, register, response } = await challenged(strowger());
    const [challenge] = challengesOf(response);
    const who = { user: '1001', password: 'demo-1001' };
    let request = register;
    for (const nonceCount of [1, 2, 3]) {
      request = next(request, authorization(challenge!, who, 'REGISTER', register.uri, nonceCount));
      agent.send(request);
      expect((await agent.answer(request)).status, `nc ${nonceCount}`).toBe(200);
    }
    const replayed = next(request, request.header('authorization'));
    agent.send(replayed);
    expect((await agent.answer(replayed)).status).toBe(401);
  });

  test('an unknown user, a wrong password and a made-up nonce look the same from outside', async () => {
    const { agent, register, response } = await challenged(strowger());
    const [challenge] = challengesOf(response);
    const shapes: string[] = [];
    for (const who of [
      { user: '1001', password: 'wrong' },
      { user: 'nobody', password: 'wrong' },
    ]) {
      const request = next(register, authorization(challenge!, who, 'REGISTER', register.uri));
      agent.send(request);
      const refused = await agent.answer(request);
      shapes.push(`${refused.status} ${refused.lines.map(([name]) => name).join(' ')}`);
    }
    expect(shapes[0]).toMatch(/^401/);
    expect(shapes[1]).toBe(shapes[0]);
    const forged = {
      ...challenge!,
      nonce: challenge!.nonce.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')),
    };
    const request = next(
      register,
      authorization(forged, { user: '1001', password: 'demo-1001' }, 'REGISTER', register.uri),
    );
    agent.send(request);
    expect((await agent.answer(request)).status).toBe(401);
  });

  test('an old nonce is stale: the phone may try again without asking its user', {
    timeout: 30_000,
  }, async () => {
    const { agent, register, response } = await challenged(strowger());
    const [challenge] = challengesOf(response);
    await sleep(12_000);
    const late = next(
      register,
      authorization(challenge!, { user: '1001', password: 'demo-1001' }, 'REGISTER', register.uri),
    );
    agent.send(late);
    const refused = await agent.answer(late);
    expect(refused.status).toBe(401);
    expect(challengesOf(refused)[0]?.stale).toBe(true);
  });

  test('a user cannot register another', async () => {
    const intruder = await ua(strowger(), { user: '1003' });
    const register = intruder.request('REGISTER', 'sip:strowger.test', { to: '<sip:1001@strowger.test>' });
    const { response } = await intruder.transact(register);
    expect(response.status).toBe(403);
  });
});
