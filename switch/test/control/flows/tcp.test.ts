import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as abi from '../../../../wasm-core/assembly/abi.ts';
import { formatAddress, parseAddress } from '../../../../wasm-core/host/address.ts';
import { encodeText } from '../../../../wasm-core/host/frames.ts';
import { startTestNode, type TestNode } from '../../support/node.ts';
import { until } from '../../support/wait.ts';

const OPTIONS = 'OPTIONS sip:a SIP/2.0\r\nl: 0\r\n\r\n';
const LOOPBACK = parseAddress('127.0.0.1')!;

let node: TestNode;
const open: { destroy(): void }[] = [];

async function start(limits = ''): Promise<void> {
  node = await startTestNode({ limits });
}

/** A client connection that keeps what it receives. */
function client(): { socket: Socket; received: () => string; closed: () => boolean } {
  const socket = connect(node.tcpPort, '127.0.0.1');
  let text = '';
  let closed = false;
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('close', () => {
    closed = true;
  });
  socket.on('error', () => undefined);
  open.push(socket);
  return { socket, received: () => text, closed: () => closed };
}

/** A server as a phone or trunk would have. */
async function peer(): Promise<{ port: number; sockets: Socket[]; received: () => string; server: Server }> {
  const sockets: Socket[] = [];
  let text = '';
  const server = createServer((socket) => {
    sockets.push(socket);
    open.push(socket);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({ destroy: () => server.close() });
  return { port: (server.address() as { port: number }).port, sockets, received: () => text, server };
}

const events = (kind: number) => node.realtime.sent.filter((frame) => frame.kind === kind);
const message = () => until(() => events(abi.EV_MESSAGE)[0]);

/** EF_SEND over TCP. */
function send(fields: { flow?: number; port?: number }, text: string): void {
  const all = { kind: abi.EF_SEND, transport: abi.TRANSPORT_TCP, listener: 1, address: LOOPBACK, ...fields };
  node.realtime.effect(all, encodeText(text));
}

beforeEach(() => start());
afterEach(async () => {
  for (const item of open.splice(0)) item.destroy();
  await node.node.close();
});

describe('SIP over TCP', () => {
  it('brings messages to the core with their flow and source', async () => {
    const { socket } = client();
    socket.write(OPTIONS);
    const frame = await message();
    expect(frame.text).toBe(OPTIONS);
    expect(frame).toMatchObject({ transport: abi.TRANSPORT_TCP, listener: 1, port: socket.localPort });
    expect(frame.flow).toBeGreaterThan(0);
    expect(formatAddress(frame.address)).toBe('127.0.0.1');
    expect(Math.abs(frame.timeUs / 1000 - Date.now())).toBeLessThan(5000);
  });

  it('answers over the flow', async () => {
    const { socket, received } = client();
    socket.write(OPTIONS);
    send({ flow: (await message()).flow }, 'SIP/2.0 200 OK\r\n\r\n');
    await until(() => received() === 'SIP/2.0 200 OK\r\n\r\n');
  });

  it('answers a double CRLF with one', async () => {
    const { socket, received } = client();
    socket.write('\r\n\r\n');
    await until(() => received() === '\r\n');
  });

  it('tells the core when a connection closes', async () => {
    const { socket } = client();
    socket.write(OPTIONS);
    const { flow } = await message();
    socket.end();
    expect((await until(() => events(abi.EV_FLOW_CLOSED)[0])).flow).toBe(flow);
  });

  it('closes a connection when the core says so, after what was sent before', async () => {
    const { socket, received, closed } = client();
    socket.write(OPTIONS);
    const { flow } = await message();
    send({ flow }, 'bye');
    node.realtime.effect({ kind: abi.EF_CLOSE_FLOW, flow });
    await until(closed);
    expect(received()).toBe('bye');
  });

  it('closes a connection that does not speak SIP', async () => {
    const { socket, closed } = client();
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await until(closed);
    expect(events(abi.EV_MESSAGE)).toHaveLength(0);
  });

  it('closes a connection after a message without Content-Length, but answers it first', async () => {
    const { socket, received, closed } = client();
    socket.write('OPTIONS sip:a SIP/2.0\r\n\r\nbody and more');
    const { flow, text } = await message();
    expect(text).toBe('OPTIONS sip:a SIP/2.0\r\n\r\n');
    send({ flow }, 'SIP/2.0 400 Bad Request\r\n\r\n');
    await until(closed);
    expect(received()).toContain('400');
    expect(events(abi.EV_MESSAGE)).toHaveLength(1);
  });

  it('opens a connection where there is none, and uses it again', async () => {
    const { port, sockets, received } = await peer();
    send({ port }, 'one');
    send({ port }, 'two');
    await until(() => received() === 'onetwo');
    expect(sockets).toHaveLength(1);
    sockets[0]!.write(OPTIONS);
    const { flow } = await message();
    send({ flow }, 'three');
    await until(() => received() === 'onetwothree');
  });

  it('uses a connection that the peer opened', async () => {
    const { socket, received } = client();
    socket.write(OPTIONS);
    await message();
    send({ port: socket.localPort }, 'hello');
    await until(() => received() === 'hello');
  });

  it('opens another when the flow is gone', async () => {
    const { port, received } = await peer();
    send({ flow: 4711, port }, 'late');
    await until(() => received() === 'late');
  });

  it('reports a connection that can not be made, under its own flow and the one that was meant', async () => {
    const { port, server } = await peer();
    await new Promise((resolve) => server.close(resolve));
    send({ flow: 4711, port }, 'lost');
    const closed = await until(() => events(abi.EV_FLOW_CLOSED).length === 2 && events(abi.EV_FLOW_CLOSED));
    expect(closed.map((frame) => frame.flow)).toContain(4711);
    expect(closed[0]).toMatchObject({ port, transport: abi.TRANSPORT_TCP });
  });

  it('stops reading while the ring to the core is full, and loses nothing', async () => {
    node.realtime.full = true;
    const { socket } = client();
    const many = 2000;
    for (let i = 0; i < many; i++) socket.write(OPTIONS);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(events(abi.EV_MESSAGE)).toHaveLength(0);
    node.realtime.full = false;
    await until(() => events(abi.EV_MESSAGE).length === many);
  });
});

describe('limits of TCP', () => {
  it('refuses connections beyond the number per source', async () => {
    await node.node.close();
    await start('connectionsPerSource: 2');
    const clients = [client(), client()];
    for (const { socket } of clients) socket.write(OPTIONS);
    await until(() => events(abi.EV_MESSAGE).length === 2);
    await until(client().closed);
    clients[0]!.socket.destroy();
    await until(() => events(abi.EV_FLOW_CLOSED).length === 1);
    client().socket.write(OPTIONS);
    await until(() => events(abi.EV_MESSAGE).length === 3);
  });

  it('closes a connection whose message does not come to its end', async () => {
    await node.node.close();
    await start('messageTimeoutS: 1');
    const { socket, closed } = client();
    socket.write('OPTIONS sip:a SIP/2.0\r\n');
    const drip = setInterval(() => socket.write('X: y\r\n'), 100);
    await until(closed, 5000);
    clearInterval(drip);
  });

  it('closes a connection whose peer does not read', async () => {
    await node.node.close();
    await start('sendBufferBytes: 65536');
    const { socket, closed } = client();
    socket.write(OPTIONS);
    const { flow } = await message();
    socket.pause();
    const big = 'x'.repeat(60_000);
    await until(() => {
      send({ flow }, big);
      return events(abi.EV_FLOW_CLOSED).length > 0;
    }, 10_000);
    socket.resume();
    await until(closed);
  });
});
