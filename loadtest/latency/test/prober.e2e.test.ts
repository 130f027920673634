/** The prober with a switch, and with a relay that is slow by design. */
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
async function relay(dropNth = 0): Promise<{ port: number; close: () => void }> {
  const front = createSocket('udp4').bind(0, '127.0.0.1');
  await once(front, 'listening');
  const [address = '', port = ''] = strowger.sip.split(':');
  const backs = new Map<number, Socket>();
  let count = 0;
  const back = (from: RemoteInfo): Socket => {
    const known = backs.get(from.port);
    if (known) return known;
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    socket.on('message', (bytes) => setTimeout(() => front.send(bytes, from.port, from.address), DELAY_MS));
    backs.set(from.port, socket);
    return socket;
  };
  front.on('message', (bytes, from) => {
    if (dropNth > 0 && ++count % dropNth === 0) return;
    const socket = back(from);
    setTimeout(() => socket.send(bytes, Number(port), address), DELAY_MS);
  });
  return {
    port: front.address().port,
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
    expect(result.direct.count).toBeGreaterThan(1_000);
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
    await expect(probe({ ...LOAD, proxy: '127.0.0.1:1' })).rejects.toThrow('does not answer');
  });
});
