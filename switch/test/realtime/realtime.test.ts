import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { testBank } from '../../../wasm-core/test/support/driver.ts';
import { Realtime } from '../../realtime/realtime.ts';

const WASM = readFileSync(resolve(import.meta.dirname, '../../../build/core.wasm'));
const started: Realtime[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.close()));
});

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

function sharedBank(bytes: Uint8Array): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(bytes.length);
  new Uint8Array(shared).set(bytes);
  return shared;
}

async function start(udpEngine: 'batched' | 'dgram'): Promise<{ realtime: Realtime; port: number }> {
  const port = await freePort();
  const realtime = await Realtime.start({
    wasm: WASM,
    init: {
      secret: new Uint8Array(16),
      listeners: [{ transport: abi.TRANSPORT_UDP, host: '127.0.0.1', port }],
    },
    udp: [{ address: '127.0.0.1', port, listener: 0 }],
    bank: sharedBank(testBank()),
    udpEngine,
    onFailure: (error) => {
      throw error;
    },
  });
  started.push(realtime);
  return { realtime, port };
}

function options(n: number): string {
  return [
    'OPTIONS sip:strowger.test SIP/2.0',
    `Via: SIP/2.0/UDP 127.0.0.1:1;rport;branch=z9hG4bK${n}`,
    'From: <sip:1001@strowger.test>;tag=1',
    'To: <sip:strowger.test>',
    `Call-ID: ${n}`,
    'CSeq: 1 OPTIONS',
    'Max-Forwards: 70',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

describe.each(['batched', 'dgram'] as const)('the realtime thread with %s UDP', (engine) => {
  it('answers datagrams, each to where it came from', async () => {
    const { realtime, port } = await start(engine);
    const phone = createSocket('udp4').bind(0, '127.0.0.1');
    await once(phone, 'listening');
    const replies = new Set<string>();
    const all = new Promise<void>((done) => {
      phone.on('message', (bytes) => {
        replies.add(/Call-ID: (\d+)/.exec(bytes.toString())![1]!);
        if (replies.size === 100) done();
      });
    });
    for (let n = 0; n < 100; n++) phone.send(options(n), port, '127.0.0.1');
    await all;
    phone.close();
    await expect
      .poll(() => realtime.read().counters[abi.C_REQUESTS_IN + abi.METHOD_OPTIONS * 8 + abi.TRANSPORT_UDP])
      .toBe(100);
  });

  it('passes frames both ways while it sleeps', async () => {
    const { realtime } = await start(engine);
    const reply = new Promise<Uint8Array>((done) => {
      realtime.onFrame = (frame) => done(frame.slice());
    });
    const frame = new Uint8Array(abi.FRAME_HEADER_BYTES);
    frame[abi.F_KIND] = abi.EV_QUERY;
    frame[abi.F_VERSION] = abi.ABI_VERSION;
    new DataView(frame.buffer).setUint32(abi.F_ARG0, 42, true);
    new DataView(frame.buffer).setUint32(abi.F_ARG1, abi.QUERY_CALLS, true);
    expect(realtime.send(frame)).toBe(true);
    const answer = await reply;
    expect(answer[abi.F_KIND]).toBe(abi.EF_QUERY_REPLY);
    expect(new DataView(answer.buffer).getUint32(abi.F_ARG0, true)).toBe(42);
  });

  it('takes a new configuration, and keeps the old one when the new one is not sound', async () => {
    const { realtime } = await start(engine);
    await realtime.setBank(sharedBank(testBank({ routes: [] })));
    const broken = testBank();
    broken[8]! += 1;
    await expect(realtime.setBank(sharedBank(broken))).rejects.toThrow('refused');
  });
});

describe('the realtime thread', () => {
  it('says which address is taken', async () => {
    const { port } = await start('batched');
    const again = Realtime.start({
      wasm: WASM,
      init: { secret: new Uint8Array(16), listeners: [] },
      udp: [{ address: '127.0.0.1', port, listener: 0 }],
      onFailure: () => undefined,
    });
    await expect(again).rejects.toThrow(`127.0.0.1:${port}`);
  });
});
