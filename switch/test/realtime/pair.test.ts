import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { Frame, FrameEncoder } from '../../../wasm-core/host/frames.ts';
import { testBank } from '../../../wasm-core/test/support/driver.ts';
import { answer, request } from '../../../wasm-core/test/support/phone.ts';
import {
  LINK_BEAT,
  LINK_CLOSED,
  LINK_END_CLOSED,
  LINK_END_GARBAGE,
  LINK_OPEN,
  LINK_PROMOTE,
  LINK_PROMOTED,
} from '../../realtime/link-frames.ts';
import { Realtime } from '../../realtime/realtime.ts';
import { openSyscalls } from '../../realtime/syscalls.ts';
import { until } from '../support/wait.ts';

const WASM = readFileSync(resolve(import.meta.dirname, '../../../build/core.wasm'));
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function descriptor(socket: Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}

/** Both ends of a TCP connection, as descriptors that are ours. */
async function stream(): Promise<[number, number]> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  if (near.connecting) await once(near, 'connect');
  near.pause();
  const ends = [near, far].map((socket) => {
    const fd = openSyscalls().duplicate(descriptor(socket));
    socket.destroy();
    return fd;
  });
  server.close();
  return ends as [number, number];
}

class Node {
  readonly realtime: Realtime;
  readonly frames: Frame[] = [];

  constructor(realtime: Realtime) {
    this.realtime = realtime;
    realtime.onFrame = (bytes) => this.frames.push(new Frame(bytes.slice()));
    closers.push(() => realtime.close());
  }

  static async start(port: number, role: number): Promise<Node> {
    const bytes = testBank();
    const bank = new SharedArrayBuffer(bytes.length);
    new Uint8Array(bank).set(bytes);
    const listeners = [{ transport: abi.TRANSPORT_UDP, host: '127.0.0.1', port }];
    const realtime = await Realtime.start({
      wasm: WASM,
      init: { secret: new Uint8Array(16).fill(3), listeners, role },
      udp: [{ address: '127.0.0.1', port, listener: 0 }],
      bank,
      pair: true,
      onFailure: (error) => {
        throw error;
      },
    });
    return new Node(realtime);
  }

  tell(kind: number, args: number[]): void {
    this.realtime.send(new FrameEncoder().encode({ kind, args }));
  }

  counter(index: number): number {
    return this.realtime.read().counters[index]!;
  }

  async heard(kind: number): Promise<Frame> {
    await until(() => this.frames.some((frame) => frame.kind === kind));
    return this.frames.find((frame) => frame.kind === kind)!;
  }
}

/** A phone on a socket of its own. */
class Phone {
  readonly socket: UdpSocket = createSocket('udp4');
  readonly received: string[] = [];
  readonly to: number;

  constructor(to: number) {
    this.to = to;
    this.socket.on('message', (message) => this.received.push(message.toString()));
    closers.push(() => this.socket.close());
  }

  async open(): Promise<number> {
    this.socket.bind(0, '127.0.0.1');
    await once(this.socket, 'listening');
    return this.socket.address().port;
  }

  send(text: string): void {
    this.socket.send(text, this.to, '127.0.0.1');
  }

  async next(start: string): Promise<string> {
    const find = () => this.received.findIndex((text) => text.startsWith(start));
    await until(() => find() >= 0);
    return this.received.splice(find(), 1)[0]!;
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

async function pairOf(port: number): Promise<[Node, Node]> {
  const active = await Node.start(port, abi.ROLE_ACTIVE);
  const standby = await Node.start(port, abi.ROLE_STANDBY);
  const [near, far] = await stream();
  standby.tell(LINK_OPEN, [near]);
  active.tell(LINK_OPEN, [far]);
  return [active, standby];
}

describe.runIf(process.platform === 'linux')('two realtime threads that are a pair', () => {
  it('mirror a call, and the standby goes on with it while the other still has its socket', async () => {
    const port = await freePort();
    const [active, standby] = await pairOf(port);
    const caller = new Phone(port);
    const callee = new Phone(port);
    const [callerPort, calleePort] = [await caller.open(), await callee.open()];
    callee.send(
      request({
        method: 'REGISTER',
        uri: 'sip:strowger.test',
        from: '<sip:1002@strowger.test>;tag=r',
        to: '<sip:1002@strowger.test>',
        port: calleePort,
        headers: [`Contact: <sip:1002@127.0.0.1:${calleePort}>`],
      }),
    );
    await callee.next('SIP/2.0 200');
    caller.send(request({ callId: 'one', port: callerPort }));
    const invite = await callee.next('INVITE');
    callee.send(answer(invite, '200 OK', 'callee', [`Contact: <sip:1002@127.0.0.1:${calleePort}>`]));
    const ok = await caller.next('SIP/2.0 200');
    await until(() => standby.counter(abi.C_CALLS_ANSWERED) === 1);
    expect(active.counter(abi.C_UNMIRRORED)).toBe(0);
    const route = /^Record-Route: (.*)\r$/m.exec(ok)![1]!;
    const to = /^To: (.*)\r$/m.exec(ok)![1]!;
    standby.tell(LINK_PROMOTE, [0, 7]);
    expect((await standby.heard(LINK_PROMOTED)).arg(0)).toBe(1);
    for (let i = 0; i < 20; i++) {
      const fields = { callId: 'one', port: callerPort, to, cseq: 2 + i, headers: [`Route: ${route}`] };
      caller.send(request({ method: 'OPTIONS', uri: `sip:1002@127.0.0.1:${calleePort}`, ...fields }));
      await callee.next('OPTIONS');
    }
    await until(() => standby.counter(abi.C_REQUESTS_IN + abi.METHOD_OPTIONS * 8) === 20);
    expect(standby.counter(abi.C_EPOCH)).toBe(7);
  });

  it('carry beats, and say when the link ends', async () => {
    const [active, standby] = await pairOf(await freePort());
    active.tell(LINK_BEAT, [2, 5]);
    const beat = await standby.heard(LINK_BEAT);
    expect([beat.arg(0), beat.arg(1)]).toEqual([2, 5]);
    await standby.realtime.close();
    expect((await active.heard(LINK_CLOSED)).arg(0)).toBe(LINK_END_CLOSED);
  });

  it('close a link on which garbage comes, and go on', async () => {
    const active = await Node.start(await freePort(), abi.ROLE_ACTIVE);
    const [near, far] = await stream();
    active.tell(LINK_OPEN, [near]);
    openSyscalls().streamSend(far, new Uint8Array(200).fill(0x47));
    expect((await active.heard(LINK_CLOSED)).arg(0)).toBe(LINK_END_GARBAGE);
    openSyscalls().close(far);
  });

  it('report a socket that cannot be had', async () => {
    const port = await freePort();
    const taken = createSocket('udp4').bind(port, '127.0.0.1');
    await once(taken, 'listening');
    closers.push(() => taken.close());
    const standby = await Node.start(port, abi.ROLE_STANDBY);
    standby.tell(LINK_PROMOTE, [0, 2]);
    const frame = await standby.heard(LINK_PROMOTED);
    expect([frame.arg(0), frame.text]).toEqual([0, expect.stringContaining("can't be bound")]);
    expect(standby.counter(abi.C_ROLE)).toBe(abi.ROLE_STANDBY);
  });
});
