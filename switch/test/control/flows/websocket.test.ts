import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as abi from '../../../../wasm-core/assembly/abi.ts';
import { formatAddress } from '../../../../wasm-core/host/address.ts';
import { encodeText } from '../../../../wasm-core/host/frames.ts';
import { startTestNode, type TestNode } from '../../support/node.ts';
import { until } from '../../support/wait.ts';

const OPTIONS = 'OPTIONS sip:a SIP/2.0\r\n\r\n';
let node: TestNode;
let open: WebSocket[] = [];

interface Client {
  socket: WebSocket;
  received: string[];
  /** Close code, 0 while open. */
  code: () => number;
}

async function client(protocol: string | string[] = 'sip'): Promise<Client> {
  const socket = new WebSocket(node.info.webSocket, protocol);
  open.push(socket);
  const received: string[] = [];
  let code = 0;
  socket.onmessage = (event) => received.push(String(event.data));
  socket.onclose = (event) => {
    code = event.code;
  };
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error('refused'));
  });
  return { socket, received, code: () => code };
}

/** Status of a handshake with these headers. */
function handshake(headers: Record<string, string>): Promise<number> {
  const url = new URL(node.info.webSocket);
  return new Promise((resolve, reject) => {
    const all = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-protocol': 'sip',
      ...headers,
    };
    const outgoing = request({ host: url.hostname, port: url.port, path: url.pathname, headers: all });
    outgoing.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    outgoing.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode ?? 0);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

const events = (kind: number) => node.realtime.sent.filter((frame) => frame.kind === kind);

beforeEach(async () => {
  node = await startTestNode({
    http: 'origins: [https://phone.example]',
    limits: 'connectionsPerSource: 3, messageBytes: 2000, httpConnections: 5',
  });
});
afterEach(async () => {
  for (const socket of open) socket.close();
  open = [];
  await node.node.close();
});

describe('SIP over WebSocket', () => {
  it('brings messages to the core and answers back, in text frames', async () => {
    const { socket, received } = await client();
    expect(socket.protocol).toBe('sip');
    socket.send(OPTIONS);
    const frame = await until(() => events(abi.EV_MESSAGE)[0]);
    expect(frame.text).toBe(OPTIONS);
    expect(frame).toMatchObject({ transport: abi.TRANSPORT_WS, listener: 2 });
    expect(formatAddress(frame.address)).toBe('127.0.0.1');
    node.realtime.effect(
      { kind: abi.EF_SEND, transport: abi.TRANSPORT_WS, flow: frame.flow },
      encodeText('SIP/2.0 200 Größe'),
    );
    await until(() => received[0] === 'SIP/2.0 200 Größe');
  });

  it('sends what is not UTF-8 in binary frames, which do not end the connection', async () => {
    const { socket, code } = await client();
    socket.binaryType = 'arraybuffer';
    const binary: unknown[] = [];
    socket.addEventListener('message', (event) => binary.push(event.data));
    socket.send(OPTIONS);
    const { flow } = await until(() => events(abi.EV_MESSAGE)[0]);
    node.realtime.effect({ kind: abi.EF_SEND, transport: abi.TRANSPORT_WS, flow }, Uint8Array.of(0x4d, 0xff));
    const data = await until(() => binary[0]);
    expect([...new Uint8Array(data as ArrayBuffer)]).toEqual([0x4d, 0xff]);
    expect(code()).toBe(0);
  });

  it('takes binary frames as well', async () => {
    const { socket } = await client();
    socket.send(encodeText(OPTIONS));
    expect((await until(() => events(abi.EV_MESSAGE)[0])).text).toBe(OPTIONS);
  });

  it('answers keep-alives itself', async () => {
    const { socket, received } = await client();
    socket.send('\r\n\r\n');
    await until(() => received[0] === '\r\n');
    expect(events(abi.EV_MESSAGE)).toHaveLength(0);
  });

  it('tells the core when a connection closes, and forgets it', async () => {
    const { socket } = await client();
    socket.send(OPTIONS);
    const { flow } = await until(() => events(abi.EV_MESSAGE)[0]);
    socket.close();
    expect((await until(() => events(abi.EV_FLOW_CLOSED)[0])).flow).toBe(flow);
    node.realtime.effect({ kind: abi.EF_SEND, transport: abi.TRANSPORT_WS, flow }, encodeText('late'));
  });

  it('closes when the core says so', async () => {
    const { socket, code } = await client();
    socket.send(OPTIONS);
    const { flow } = await until(() => events(abi.EV_MESSAGE)[0]);
    node.realtime.effect({ kind: abi.EF_CLOSE_FLOW, flow });
    expect(await until(code)).toBe(1000);
  });

  it('closes on a message that is too large', async () => {
    const { socket, code } = await client();
    socket.send('x'.repeat(3000));
    await until(code);
    expect(events(abi.EV_MESSAGE)).toHaveLength(0);
  });
});

describe('WebSocket handshakes', () => {
  it('need the subprotocol sip', async () => {
    await expect(client('chat')).rejects.toThrow('refused');
    await expect(client([])).rejects.toThrow('refused');
    expect(await handshake({ 'sec-websocket-protocol': 'chat, SIP' })).toBe(101);
  });

  it('are let in by their Origin', async () => {
    const own = node.web;
    expect(await handshake({ origin: own })).toBe(101);
    expect(await handshake({ origin: own.replace('127.0.0.1', 'localhost') })).toBe(101);
    expect(await handshake({ origin: 'https://phone.example' })).toBe(101);
    expect(await handshake({ origin: 'https://evil.example' })).toBe(403);
    expect(await handshake({ origin: 'null' })).toBe(403);
    // DNS rebinding: a foreign name that resolves to this machine.
    const { port } = new URL(own);
    expect(await handshake({ origin: `http://evil.example:${port}`, host: `evil.example:${port}` })).toBe(
      403,
    );
    expect(await handshake({})).toBe(101);
  });

  it('are not counted as HTTP connections once they have become WebSockets', async () => {
    for (let i = 0; i < 20; i++) {
      const { socket, code } = await client();
      socket.close();
      await until(code);
    }
    expect((await fetch(`${node.web}/healthz`)).status).toBe(200);
  });

  it('are refused beyond the number of connections per source', async () => {
    for (let i = 0; i < 3; i++) await client();
    expect(await handshake({})).toBe(503);
  });
});
