import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { PeerChannel, type PeerIdentity } from '../../mirror/peer-channel.ts';
import { openSyscalls } from '../../realtime/syscalls.ts';
import { silentLogger } from '../support/log.ts';
import { until } from '../support/wait.ts';

const SECRET = Buffer.alloc(16, 1);
const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface Linked {
  fd: number;
  peer: PeerIdentity;
  ahead: Uint8Array;
}

function channel(node: string, calls: boolean, secret = SECRET) {
  const links: Linked[] = [];
  const { log, lines } = silentLogger();
  const linked = (fd: number, peer: PeerIdentity, ahead: Uint8Array): void => {
    links.push({ fd, peer, ahead });
    closers.push(() => openSyscalls().close(fd));
  };
  const one = new PeerChannel({ node, secret, calls, linked }, log);
  closers.push(() => one.close());
  return { one, links, lines };
}

describe.runIf(process.platform === 'linux')('the channel between the nodes of a pair', () => {
  it('gives both ends a descriptor, and each the name of the other', async () => {
    const a = channel('a', true);
    const b = channel('b', false);
    a.one.setPeer({ host: '127.0.0.1', port: await b.one.listen('127.0.0.1') });
    a.one.connect();
    await until(() => a.links.length === 1 && b.links.length === 1);
    expect([a.links[0]!.peer.node, b.links[0]!.peer.node]).toEqual(['b', 'a']);
    const bytes = new Uint8Array(8);
    openSyscalls().streamSend(a.links[0]!.fd, Uint8Array.of(1, 2, 3));
    await until(() => openSyscalls().streamReceive(b.links[0]!.fd, bytes) === 3);
    openSyscalls().streamSend(b.links[0]!.fd, Uint8Array.of(4, 5));
    await until(() => openSyscalls().streamReceive(a.links[0]!.fd, bytes) === 2);
    expect([...bytes.subarray(0, 2)]).toEqual([4, 5]);
  });

  it('refuses who has another secret, and says so once', async () => {
    const a = channel('a', true, Buffer.alloc(16, 2));
    const b = channel('b', false);
    a.one.setPeer({ host: '127.0.0.1', port: await b.one.listen('127.0.0.1') });
    for (let i = 0; i < 3; i++) {
      a.one.connect();
      await until(() => a.lines.length === 1);
    }
    expect(a.lines[0]).toContain('does not know the secret');
    expect([a.links, b.links]).toEqual([[], []]);
  });

  it('refuses garbage, and says so once', async () => {
    const b = channel('b', false);
    const port = await b.one.listen('127.0.0.1');
    for (const garbage of ['GET / HTTP/1.1\r\n\r\n', 'x'.repeat(5_000), '{"v":7}\n', '{}\n']) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(garbage);
      await once(socket, 'close');
    }
    expect(b.lines).toHaveLength(1);
    expect(b.links).toEqual([]);
  });

  it('calls nobody while it is not the one that calls, or the address is not known', async () => {
    const a = channel('a', false);
    const b = channel('b', true);
    a.one.setPeer({ host: '127.0.0.1', port: await b.one.listen('127.0.0.1') });
    a.one.connect();
    b.one.connect();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([a.links, b.links]).toEqual([[], []]);
  });
});
