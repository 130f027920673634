/** The prober with a switch, and with a relay that is slow, loses messages or refuses, by design. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Switch } from '../../../switch/test/e2e/harness/switch.ts';
import { KINDS, probe } from '../prober.ts';

const DELAY_MS = 20;
const LOAD = { callsPerSecond: 100, seconds: 2, warmupSeconds: 1 };

let strowger: Switch;

beforeAll(async () => {
  strowger = await Switch.start({ base: 'bench.yaml' });
});
afterAll(async () => {
  await strowger.stop();
});

/** Passes datagrams on to the switch, and back, `DELAY_MS` later; every `dropNth` of those to the switch never. */
async function relay(dropNth = 0): Promise<{ port: number; invites: Set<string>; close: () => void }> {
  const front = createSocket('udp4').bind(0, '127.0.0.1');
  await once(front, 'listening');
  const [address = '', port = ''] = strowger.sip.split(':');
  const backs = new Map<number, Socket>();
  let count = 0;
  const invites = new Set<string>();
  const back = (from: RemoteInfo): Socket => {
    const known = backs.get(from.port);
    if (known) return known;
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    socket.on('message', (bytes) => setTimeout(() => front.send(bytes, from.port, from.address), DELAY_MS));
    backs.set(from.port, socket);
    return socket;
  };
  front.on('message', (bytes, from) => {
    const callId = /^INVITE [\s\S]*^Call-ID: (.*)\r$/m.exec(bytes.toString('latin1'))?.[1];
    if (callId !== undefined) invites.add(callId);
    if (dropNth > 0 && ++count % dropNth === 0) return;
    const socket = back(from);
    setTimeout(() => socket.send(bytes, Number(port), address), DELAY_MS);
  });
  return {
    port: front.address().port,
    invites,
    close() {
      front.close();
      for (const socket of backs.values()) socket.close();
    },
  };
}

describe('the prober', () => {
  it('measures every message of every call', async () => {
    const result = await probe({ ...LOAD, proxy: strowger.sip, pid: strowger.program.pid });
    expect(result).toMatchObject({ calls: 200, completed: 200, failed: 0, lost: 0, retransmissions: 0 });
    for (const kind of KINDS) expect(result.through[kind].count).toBe(200);
    expect(result.added.all.count).toBe(1_200);
    expect(result.direct.count).toBe(6 * 500);
    expect(result.cpuUsPerCall).toBeGreaterThan(0);
  });

  it('sees a delay of the path, message by message', async () => {
    const slow = await relay();
    const result = await probe({ ...LOAD, proxy: `127.0.0.1:${slow.port}` });
    slow.close();
    expect(result.completed).toBe(200);
    // The INVITE goes through the relay; the switch sends it to the called side by itself.
    expect(result.added.INVITE.p50).toBeGreaterThan(DELAY_MS * 900);
  });

  it('is not disturbed by what a former probe left at the proxy', async () => {
    const { port, invites, close } = await relay();
    for (let run = 0; run < 2; run++) {
      const result = await probe({ ...LOAD, proxy: `127.0.0.1:${port}` });
      expect(result).toMatchObject({ completed: 200, retransmissions: 0 });
    }
    close();
    expect(invites.size, 'Call-IDs').toBe(2 * 300);
    expect((await strowger.metrics()).sum('strowger_bindings')).toBe(1);
  });

  it('acknowledges refusals, and counts them', async () => {
    const refusals = new Map<string, number>();
    const proxy = createSocket('udp4').bind(0, '127.0.0.1');
    await once(proxy, 'listening');
    proxy.on('message', (bytes, from) => {
      const text = bytes.toString('latin1');
      const branch = /branch=(\S+)/.exec(text)![1]!;
      if (text.startsWith('ACK')) {
        expect(text).toContain('>;tag=refused\r\n');
        refusals.set(branch, refusals.get(branch)! + 1);
        return;
      }
      const refused = text.startsWith('INVITE');
      if (refused) refusals.set(branch, 0);
      const answer = text
        .slice(0, text.indexOf('\r\n\r\n') + 4)
        .replace(/^.*/, refused ? 'SIP/2.0 503 Service Unavailable' : 'SIP/2.0 200 OK')
        .replace(/^To: .*(?=\r)/m, '$&;tag=refused');
      proxy.send(answer, from.port, from.address);
    });
    const result = await probe({ ...LOAD, proxy: `127.0.0.1:${proxy.address().port}` });
    proxy.close();
    expect(result).toMatchObject({ calls: 200, completed: 0, failed: 200, refused: 200, lost: 0 });
    expect([...refusals.values()]).toEqual(Array.from({ length: 300 }, () => 1));
  });

  it('places calls without a proxy', async () => {
    const result = await probe({ ...LOAD, proxy: 'none' });
    expect(result).toMatchObject({ completed: 200, lost: 0, dropped: 0 });
  });

  it('counts calls whose messages are lost as failed, and goes on', async () => {
    const lossy = await relay(10);
    const result = await probe({ ...LOAD, proxy: `127.0.0.1:${lossy.port}` });
    lossy.close();
    expect(result.failed).toBeGreaterThan(10);
    expect(result.lost).toBeGreaterThan(10);
    expect(result.completed + result.failed).toBe(200);
    expect(result.completed).toBeGreaterThan(50);
  });

  it('says what is wrong with its options and with the proxy', async () => {
    await expect(probe({ ...LOAD, proxy: 'localhost' })).rejects.toThrow('ADDRESS:PORT');
    await expect(probe({ ...LOAD, proxy: '127.0.0.1:1', callsPerSecond: 0 })).rejects.toThrow(
      'callsPerSecond',
    );
    await expect(probe({ ...LOAD, proxy: 'none', pid: 99_999_999 })).rejects.toThrow('no process');
    await expect(probe({ ...LOAD, proxy: '127.0.0.1:1' })).rejects.toThrow('does not answer');
  });
});
