/** The core traps; another one takes its place within the thread. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { encodeText, Frame, FrameEncoder } from '../../../wasm-core/host/frames.ts';
import { Recording } from '../../../wasm-core/sim/recording/file.ts';
import { compileForReplay } from '../../../wasm-core/sim/recording/globals.ts';
import { replay } from '../../../wasm-core/sim/recording/replay.ts';
import type { ReplayedStep } from '../../../wasm-core/sim/recording/recorded-core.ts';
import { header, testBank } from '../../../wasm-core/test/support/driver.ts';
import { answer, request, routes } from '../../../wasm-core/test/support/phone.ts';
import { trappingCore } from '../../../wasm-core/test/support/trapping-core.ts';
import { LINK_REBUILT, LINK_RESUMED } from '../../realtime/link-frames.ts';
import { Realtime, type TrapReport } from '../../realtime/realtime.ts';
import { writeCrash } from '../../recording/crash.ts';
import { recordingKey } from '../../recording/folder.ts';
import { until } from '../support/wait.ts';

const POISON = 'TRAP now';
let wasm: Uint8Array<ArrayBuffer>;
const closers: (() => unknown)[] = [];

beforeAll(() => {
  wasm = trappingCore();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A phone on the wire, and what has come to it. */
class Phone {
  readonly socket: Socket;
  readonly inbox: string[] = [];
  readonly #switchPort: number;

  private constructor(socket: Socket, switchPort: number) {
    this.socket = socket;
    this.#switchPort = switchPort;
    socket.on('message', (bytes) => this.inbox.push(bytes.toString()));
    closers.push(() => socket.close());
  }

  static async open(switchPort: number): Promise<Phone> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new Phone(socket, switchPort);
  }

  get port(): number {
    return this.socket.address().port;
  }

  send(text: string): void {
    this.socket.send(text.replaceAll(/\r?\n/g, '\r\n'), this.#switchPort, '127.0.0.1');
  }

  async heard(startsWith: string): Promise<string> {
    await until(() => this.inbox.some((text) => text.startsWith(startsWith)));
    return this.inbox.find((text) => text.startsWith(startsWith))!;
  }
}

class Rig {
  readonly realtime: Realtime;
  readonly port: number;
  readonly traps: TrapReport[];
  readonly frames: Frame[] = [];
  failure: Error | null = null;

  private constructor(realtime: Realtime, port: number, traps: TrapReport[]) {
    this.realtime = realtime;
    this.port = port;
    this.traps = traps;
    realtime.onFrame = (bytes) => {
      this.frames.push(new Frame(bytes.slice()));
      if (bytes[abi.F_KIND] === LINK_REBUILT) this.tell(LINK_RESUMED);
    };
    closers.push(() => realtime.close());
  }

  static async start(udpEngine: 'batched' | 'dgram'): Promise<Rig> {
    const free = createSocket('udp4').bind(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address();
    await new Promise<void>((resolve) => free.close(() => resolve()));
    const bank = testBank();
    const shared = new SharedArrayBuffer(bank.length);
    new Uint8Array(shared).set(bank);
    const traps: TrapReport[] = [];
    const failures: Error[] = [];
    const realtime = await Realtime.start({
      wasm,
      init: {
        secret: new Uint8Array(16).fill(5),
        listeners: [
          { transport: abi.TRANSPORT_UDP, host: '127.0.0.1', port },
          { transport: abi.TRANSPORT_TCP, host: '127.0.0.1', port },
        ],
      },
      udp: [{ address: '127.0.0.1', port, listener: 0 }],
      bank: shared,
      udpEngine,
      onTrap: (report) => traps.push(report),
      onFailure: (error) => failures.push(error),
    });
    return Object.assign(new Rig(realtime, port, traps), { failures });
  }

  tell(kind: number, args: number[] = []): void {
    this.realtime.send(new FrameEncoder().encode({ kind, args }));
  }

  /** A message by a connection. */
  stream(text: string, flow: number): void {
    const frame = new FrameEncoder().encode(
      {
        kind: abi.EV_MESSAGE,
        transport: abi.TRANSPORT_TCP,
        flow,
        listener: 1,
        port: 6_000,
        address: new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 127, 0, 0, 1]),
      },
      encodeText(text.replaceAll(/\r?\n/g, '\r\n')),
    );
    this.realtime.send(frame);
  }

  counter(index: number): number {
    return this.realtime.read().counters[index]!;
  }

  async trapped(phone: Phone, text = POISON): Promise<TrapReport> {
    const before = this.traps.length;
    phone.send(text);
    await until(() => this.traps.length > before);
    return this.traps.at(-1)!;
  }
}

function registration(user: string, port: number): string {
  return request({
    method: 'REGISTER',
    uri: 'sip:strowger.test',
    from: `<sip:${user}@strowger.test>;tag=r`,
    to: `<sip:${user}@strowger.test>`,
    callId: `registration-${user}`,
    port,
    headers: [`Contact: <sip:${user}@127.0.0.1:${port}>`],
  });
}

async function talk(rig: Rig, caller: Phone, callee: Phone): Promise<string> {
  callee.send(registration('1002', callee.port));
  await callee.heard('SIP/2.0 200');
  caller.send(request({ callId: 'one', port: caller.port }));
  const invite = await callee.heard('INVITE');
  callee.send(answer(invite, '200 OK', 'callee', [`Contact: <sip:1002@127.0.0.1:${callee.port}>`]));
  await until(() => rig.counter(abi.C_CALLS_ACTIVE) === 1);
  return caller.heard('SIP/2.0 200');
}

describe.each(['batched', 'dgram'] as const)('the core traps (%s UDP)', (engine) => {
  it('calls, bindings and connections go on, and a repetition of the message does no harm', async () => {
    const rig = await Rig.start(engine);
    const [caller, callee] = [await Phone.open(rig.port), await Phone.open(rig.port)];
    const ok = await talk(rig, caller, callee);
    rig.stream(registration('1003', 6_000), 77);
    await until(() => rig.counter(abi.C_BINDINGS) === 2);

    const report = await rig.trapped(caller);
    expect(report.event?.[abi.F_KIND]).toBe(abi.EV_MESSAGE);
    expect(report.records).toBeGreaterThanOrEqual(3);
    await until(() => rig.counter(abi.C_CALLS_ACTIVE) === 1);
    expect(rig.counter(abi.C_BINDINGS)).toBe(2);

    for (let i = 0; i < 5; i++) caller.send(POISON);
    caller.send(
      request({
        method: 'BYE',
        uri: `sip:1002@127.0.0.1:${callee.port}`,
        callId: 'one',
        port: caller.port,
        to: header(ok, 'To')[0]!,
        cseq: 2,
        headers: routes(ok, true),
      }),
    );
    await callee.heard('BYE');
    caller.send(request({ callId: 'two', uri: 'sip:1003@strowger.test', port: caller.port }));
    await until(() =>
      rig.frames.some(
        (frame) => frame.kind === abi.EF_SEND && frame.flow === 77 && frame.text.startsWith('INVITE'),
      ),
    );
    expect(rig.traps).toHaveLength(1);
    console.log(`another core worked ${(report.tookUs / 1000).toFixed(1)} ms after the trap (${engine})`);
  });

  it('what came with the message is handled all the same', async () => {
    const rig = await Rig.start(engine);
    const phone = await Phone.open(rig.port);
    for (let i = 0; i < 20; i++) {
      phone.send(request({ method: 'OPTIONS', uri: 'sip:strowger.test', callId: `o${i}`, port: phone.port }));
      if (i === 10) phone.send(POISON);
    }
    await until(() => phone.inbox.length === 20);
    expect(rig.traps).toHaveLength(1);
  });
});

describe('what is left of the core', () => {
  it('is a recording, which traps again at the message', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'strowger-crash-'));
    closers.push(() => rmSync(folder, { recursive: true }));
    const rig = await Rig.start('batched');
    const [caller, callee] = [await Phone.open(rig.port), await Phone.open(rig.port)];
    await talk(rig, caller, callee);
    const report = await rig.trapped(caller);
    const keyFile = join(folder, 'key');
    const options = { folder: join(folder, 'crash'), keyFile, filesMax: 1, node: 'a', wasm };
    const file = await writeCrash(options, report);
    const recording = await Recording.open(await readFile(file), await recordingKey(keyFile));
    expect(recording.front.ended).toBe('trap');
    let last: ReplayedStep | null = null;
    for await (const step of replay(await compileForReplay(wasm), recording)) {
      expect(step.difference).toBeNull();
      last = step;
    }
    expect(last!.trap).toBeInstanceOf(WebAssembly.RuntimeError);
    expect(Buffer.from(last!.trapEvent!.subarray(abi.FRAME_HEADER_BYTES)).toString()).toMatch(/^TRAP now/);
    await expect(writeCrash(options, report)).rejects.toThrow('1 files; look at them');
  });
});

describe('a core that traps all the time', () => {
  it('is given up: another node has to take over', async () => {
    const rig = (await Rig.start('batched')) as Rig & { failures: Error[] };
    const phone = await Phone.open(rig.port);
    for (let i = 0; rig.failures.length === 0; i++) {
      phone.send(`TRAP ${i}`);
      await until(() => rig.traps.length > i || rig.failures.length > 0);
    }
    expect(rig.traps).toHaveLength(20);
    expect(rig.failures[0]).toMatchObject({ name: 'RuntimeError' });
  });
});
