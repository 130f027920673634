import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { formatAddress, parseAddress } from '../../../wasm-core/host/address.ts';
import { BatchReceiver, BatchSender, EpollEvents, openSyscalls } from '../../realtime/udp.ts';

const SLOTS = 8;
const PAYLOAD_BYTES = 512;
const STRIDE = abi.FRAME_HEADER_BYTES + PAYLOAD_BYTES;
const RECEIVE_VECTORS = 0;
const SEND_VECTORS = 4096;
const SLOT_PTR = 8192;
const OUT_PTR = 32768;

describe.runIf(process.platform === 'linux')('batched UDP', () => {
  const sys = openSyscalls();
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const bytes = new Uint8Array(memory.buffer);
  const view = new DataView(memory.buffer);
  const receiver = new BatchReceiver(sys, memory, {
    vectorPtr: RECEIVE_VECTORS,
    vectorBytes: 4096,
    slotPtr: SLOT_PTR,
    slotStride: STRIDE,
    headerBytes: abi.FRAME_HEADER_BYTES,
    payloadBytes: PAYLOAD_BYTES,
    slots: SLOTS,
  });
  const sender = new BatchSender(sys, memory, { vectorPtr: SEND_VECTORS, vectorBytes: 4096 });
  const fds: number[] = [];
  const open = (address: string) => {
    const fd = sys.openUdp(address, 0);
    fds.push(fd);
    return fd;
  };
  afterEach(() => {
    for (const fd of fds.splice(0)) sys.close(fd);
  });

  /** Adds `text` for `address`:`port`; entry `i` of the outgoing area. */
  const add = (i: number, text: string, address: string, port: number) => {
    const at = OUT_PTR + i * 256;
    bytes.set(parseAddress(address)!, at);
    const length = Buffer.from(memory.buffer).write(text, at + 16);
    return sender.add(at + 16, length, at, port);
  };
  const received = (slot: number) => {
    const at = SLOT_PTR + slot * STRIDE;
    const length = view.getUint32(at + abi.F_LENGTH, true);
    return {
      text: Buffer.from(memory.buffer, at + abi.FRAME_HEADER_BYTES, length).toString(),
      address: formatAddress(bytes.subarray(at + abi.F_ADDRESS, at + abi.F_ADDRESS + 16)),
      port: view.getUint16(at + abi.F_PORT, true),
    };
  };

  for (const address of ['127.0.0.1', '::1']) {
    it(`passes a batch on ${address}, with sources, into the slots asked for`, () => {
      const [from, to] = [open(address), open(address)];
      for (let i = 0; i < 5; i++) expect(add(i, `datagram ${i}`, address, sys.localPort(to))).toBe(true);
      expect(sender.pending).toBe(5);
      expect(sender.flush(from)).toBe(0);
      expect(receiver.receive(to, 2, 4)).toBe(4);
      expect(receiver.receive(to, 6, 2)).toBe(1);
      for (let i = 0; i < 5; i++) {
        expect(received(2 + i)).toEqual({ text: `datagram ${i}`, address, port: sys.localPort(from) });
      }
      expect(receiver.receive(to, 0, SLOTS)).toBe(0);
    });
  }

  it('reads a source of the other family after one of the first', () => {
    const four = [open('127.0.0.1'), open('127.0.0.1')] as const;
    const six = [open('::1'), open('::1')] as const;
    for (const [pair, address] of [
      [six, '::1'],
      [four, '127.0.0.1'],
      [six, '::1'],
    ] as const) {
      add(0, 'x', address, sys.localPort(pair[1]));
      sender.flush(pair[0]);
      expect(receiver.receive(pair[1], 0, 1)).toBe(1);
      expect(received(0).address).toBe(address);
    }
  });

  it('counts a datagram larger than a slot, and leaves it empty', () => {
    const [from, to] = [open('127.0.0.1'), open('127.0.0.1')];
    bytes.set(parseAddress('127.0.0.1')!, OUT_PTR);
    sender.add(OUT_PTR + 16, PAYLOAD_BYTES + 1, OUT_PTR, sys.localPort(to));
    sender.add(OUT_PTR + 16, PAYLOAD_BYTES, OUT_PTR, sys.localPort(to));
    sender.flush(from);
    expect(receiver.receive(to, 0, SLOTS)).toBe(2);
    expect(received(0).text).toBe('');
    expect(received(1).text).toHaveLength(PAYLOAD_BYTES);
    expect(receiver.takeDropped()).toBe(1);
    expect(receiver.takeDropped()).toBe(0);
  });

  it('leaves out what the system refuses, and sends the rest', () => {
    const [from, to] = [open('127.0.0.1'), open('127.0.0.1')];
    const port = sys.localPort(to);
    add(0, 'first', '127.0.0.1', port);
    add(1, 'to another family', '::1', port);
    add(2, 'to port 0', '127.0.0.1', 0);
    add(3, 'last', '127.0.0.1', port);
    expect(sender.flush(from)).toBe(2);
    expect(receiver.receive(to, 0, SLOTS)).toBe(2);
    expect([received(0).text, received(1).text]).toEqual(['first', 'last']);
  });

  it('refuses more than the batch holds', () => {
    const [from, to] = [open('127.0.0.1'), open('127.0.0.1')];
    const most = Math.floor(4096 / 112);
    for (let i = 0; i < most; i++) expect(add(i % 64, 'x', '127.0.0.1', sys.localPort(to))).toBe(true);
    expect(add(0, 'x', '127.0.0.1', sys.localPort(to))).toBe(false);
    expect(sender.flush(from)).toBe(0);
  });

  it('goes on after the ICMP error of a port nobody listens on', async () => {
    const [from, to] = [open('127.0.0.1'), open('127.0.0.1')];
    const deaf = sys.openUdp('127.0.0.1', 0);
    const deafPort = sys.localPort(deaf);
    sys.close(deaf);
    for (let i = 0; i < 3; i++) {
      add(0, 'nobody', '127.0.0.1', deafPort);
      add(1, 'somebody', '127.0.0.1', sys.localPort(to));
      expect(sender.flush(from)).toBe(0);
    }
    expect(receiver.receive(to, 0, SLOTS)).toBe(3);
  });

  it('exchanges datagrams with an ordinary socket', async () => {
    const fd = open('127.0.0.1');
    const peer = createSocket('udp4');
    peer.bind(0, '127.0.0.1');
    await once(peer, 'listening');
    const answer = once(peer, 'message');
    add(0, 'question', '127.0.0.1', peer.address().port);
    sender.flush(fd);
    const [message, from] = await answer;
    expect(message.toString()).toBe('question');
    expect(from.port).toBe(sys.localPort(fd));
    peer.close();
  });

  it('says which address is taken', () => {
    const port = sys.localPort(open('127.0.0.1'));
    expect(() => sys.openUdp('127.0.0.1', port)).toThrow(`127.0.0.1:${port}`);
    expect(() => sys.openUdp('localhost', 0)).toThrow("'localhost' is not an IP address");
  });
});

describe.runIf(process.platform === 'linux')('waiting', () => {
  const sys = openSyscalls();

  it('ends at the signal of an eventfd, once', () => {
    const event = sys.eventfdCreate();
    sys.eventfdSignal(event);
    const start = performance.now();
    sys.waitReadable([], event, 5e6);
    expect(performance.now() - start).toBeLessThan(1_000);
    sys.waitReadable([], event, 20_000);
    expect(performance.now() - start).toBeGreaterThanOrEqual(19);
    sys.close(event);
  });

  it('finds readable sockets among many by their tokens', () => {
    const epoll = sys.epollCreate();
    const fds = Array.from({ length: 100 }, () => sys.openUdp('127.0.0.1', 0));
    fds.forEach((fd, i) => {
      sys.epollAdd(epoll, fd, 0xf0000000 + i);
    });
    const event = sys.eventfdCreate();
    sys.epollAdd(epoll, event, 7);
    const events = new EpollEvents(16);
    expect(sys.epollWait(epoll, events, 0)).toBe(0);

    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    const sender = new BatchSender(sys, memory, { vectorPtr: 0, vectorBytes: 4096 });
    new Uint8Array(memory.buffer).set(parseAddress('127.0.0.1')!, 8192);
    for (const i of [3, 99]) sender.add(8192, 4, 8192, sys.localPort(fds[i]!));
    sender.flush(fds[0]!);
    sys.eventfdSignal(event);

    const found = sys.epollWait(epoll, events, 1_000);
    const tokens = Array.from({ length: found }, (_, i) => events.token(i)).sort((a, b) => a - b);
    expect(tokens).toEqual([7, 0xf0000003, 0xf0000063]);
    sys.eventfdDrain(event);
    sys.epollRemove(epoll, fds[3]!);
    expect(sys.epollWait(epoll, events, 0)).toBe(1);
    expect(() => sys.epollAdd(epoll, fds[99]!, 1)).toThrow('errno 17');
    for (const fd of [...fds, event, epoll]) sys.close(fd);
  });
});
