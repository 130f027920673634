/**
 * A core under test: messages in as text, effects out as objects, on a clock of the test's own.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as abi from '../../assembly/abi.ts';
import { parseAddress } from '../../host/address.ts';
import { type BankConfig, buildBank } from '../../host/bank.ts';
import { Core, type CoreInit } from '../../host/core.ts';

const WASM = resolve(import.meta.dirname, '../../../build/core.wasm');
export const START_US = 1_800_000_000_000_000;

/** An effect of the core. */
export interface Effect {
  kind: number;
  transport: number;
  flags: number;
  flow: number;
  port: number;
  args: number[];
  bytes: Uint8Array;
  /** The payload as text. */
  text: string;
}

/** Where a message comes from. */
export interface Source {
  address?: string;
  port?: number;
  transport?: number;
  flow?: number;
  /** How long the message has waited, µs; without it, it carries no time of arrival. */
  waitedUs?: number;
}

function ha1(algorithm: string, user: string): Uint8Array {
  return createHash(algorithm).update(`${user}:strowger.test:pw-${user}`).digest();
}

/** Users 1001 to 1010 with passwords pw-1001 and so on; a trunk on 127.0.0.9:5090 for numbers with a 9 in front. */
export function testBank(changes: Partial<BankConfig> = {}): Uint8Array {
  const users = Array.from({ length: 10 }, (_, i) => String(1001 + i)).map((user) => ({
    user,
    ha1Md5: ha1('md5', user),
    ha1Sha256: ha1('sha256', user),
  }));
  return buildBank({
    realm: 'strowger.test',
    digest: ['sha-256', 'md5'],
    domains: ['strowger.test'],
    users,
    trusted: ['127.0.0.0/8'],
    trunks: [
      {
        name: 'outside',
        gateways: [
          { transport: abi.TRANSPORT_UDP, address: '10.0.0.9', port: 5090, priority: 0 },
          { transport: abi.TRANSPORT_UDP, address: '10.0.0.8', port: 5090, priority: 1 },
        ],
      },
    ],
    routes: [{ prefix: '9', trunk: 'outside', strip: 1, prepend: '00' }],
    ...changes,
  });
}

/** What is in the header of an event and behind it; all 0 and empty unless told. */
export interface EventFields {
  flags?: number;
  args?: number[];
  payload?: Uint8Array;
  source?: Source;
}

export class Driver {
  readonly core: Core;
  nowUs = START_US;

  /** `wasm`: a build other than the one that is shipped. `watch` is given the core before its first step. */
  static async start(
    init: Partial<CoreInit> = {},
    bank: Uint8Array = testBank(),
    wasm: Uint8Array<ArrayBuffer> = readFileSync(WASM),
    watch?: (core: Core) => void,
    startUs = START_US,
  ): Promise<Driver> {
    const core = await Core.create(
      wasm,
      {
        secret: new Uint8Array(16).fill(7),
        listeners: [
          { transport: abi.TRANSPORT_UDP, host: '127.0.0.1', port: 5060 },
          { transport: abi.TRANSPORT_TCP, host: '127.0.0.1', port: 5060 },
          { transport: abi.TRANSPORT_WS, host: '127.0.0.1', port: 8080 },
        ],
        ...init,
      },
      startUs,
    );
    watch?.(core);
    const driver = new Driver(core);
    driver.nowUs = startUs;
    if (driver.loadBank(bank) !== true) throw new Error('the core refused the bank');
    return driver;
  }

  private constructor(core: Core) {
    this.core = core;
  }

  loadBank(bank: Uint8Array): boolean {
    if (!this.core.stageBank(bank)) return false;
    const [effect] = this.event(abi.EV_BANK_READY, { args: [bank.length] });
    return effect?.args[0] === 1;
  }

  /** One event, its effects. */
  event(kind: number, fields: EventFields = {}): Effect[] {
    this.put(kind, fields);
    return this.#step(1);
  }

  /** Puts an event into the first receive slot, for `core.step`. */
  put(kind: number, fields: EventFields = {}): void {
    const payload = fields.payload ?? new Uint8Array(0);
    const frame = new Uint8Array(abi.FRAME_HEADER_BYTES + payload.length);
    const view = new DataView(frame.buffer);
    const source = {
      address: '127.0.0.1',
      port: 5070,
      transport: abi.TRANSPORT_UDP,
      flow: 0,
      ...fields.source,
    };
    frame[abi.F_KIND] = kind;
    frame[abi.F_VERSION] = abi.ABI_VERSION;
    frame[abi.F_FLAGS] = fields.flags ?? 0;
    frame[abi.F_TRANSPORT] = source.transport;
    view.setUint32(abi.F_LENGTH, payload.length, true);
    view.setUint32(abi.F_FLOW, source.flow, true);
    view.setUint16(abi.F_PORT, source.port, true);
    view.setUint16(abi.F_LISTENER, source.transport === 0 ? 0 : source.transport === 1 ? 1 : 2, true);
    frame.set(parseAddress(source.address) ?? [], abi.F_ADDRESS);
    if (source.waitedUs !== undefined) view.setFloat64(abi.F_TIME, this.nowUs - source.waitedUs, true);
    for (const [i, arg] of (fields.args ?? []).entries()) view.setUint32(abi.F_ARG0 + i * 4, arg, true);
    frame.set(payload, abi.FRAME_HEADER_BYTES);
    this.core.writeSlot(0, frame);
  }

  /** A SIP message; lines may end in a bare newline. */
  message(text: string, source: Source = {}): Effect[] {
    return this.bytes(new TextEncoder().encode(text.replaceAll(/\r?\n/g, '\r\n')), source);
  }

  bytes(payload: Uint8Array, source: Source = {}): Effect[] {
    return this.event(abi.EV_MESSAGE, { payload, source });
  }

  /** What the core does while `ms` go by, deadline by deadline. */
  wait(ms: number): Effect[] {
    const until = this.nowUs + ms * 1000;
    const effects: Effect[] = [];
    for (;;) {
      const deadlineUs = this.core.nextDeadlineMs() * 1000;
      if (deadlineUs === 0 || deadlineUs > until) break;
      this.nowUs = Math.max(this.nowUs, deadlineUs);
      effects.push(...this.#step(0));
    }
    this.nowUs = until;
    return [...effects, ...this.#step(0)];
  }

  counter(index: number): number {
    return this.core.counters[index]!;
  }

  /** Tables that have to be empty when nothing goes on. */
  get leftovers(): Record<string, number> {
    return {
      calls: this.counter(abi.C_CALLS_ACTIVE),
      transactions: this.counter(abi.C_TRANSACTIONS),
      branches: this.counter(abi.C_BRANCHES),
      pending: this.counter(abi.C_PENDING),
    };
  }

  #step(n: number): Effect[] {
    if (this.core.step(this.nowUs, 0, n) !== n) throw new Error('the core did not take the event');
    return this.effects();
  }

  /** The effects of the last step. */
  effects(): Effect[] {
    const { bytes, effectsPtr } = this.core;
    const view = new DataView(bytes.buffer);
    const effects: Effect[] = [];
    const end = effectsPtr + this.core.effectsLength();
    for (let at = effectsPtr; at < end; ) {
      const length = view.getUint32(at + abi.F_LENGTH, true);
      const payload = bytes.slice(at + abi.FRAME_HEADER_BYTES, at + abi.FRAME_HEADER_BYTES + length);
      effects.push({
        kind: bytes[at + abi.F_KIND]!,
        transport: bytes[at + abi.F_TRANSPORT]!,
        flags: bytes[at + abi.F_FLAGS]!,
        flow: view.getUint32(at + abi.F_FLOW, true),
        port: view.getUint16(at + abi.F_PORT, true),
        args: [0, 1, 2, 3, 4, 5].map((i) => view.getUint32(at + abi.F_ARG0 + i * 4, true)),
        bytes: payload,
        text: new TextDecoder().decode(payload),
      });
      at += (abi.FRAME_HEADER_BYTES + length + 7) & ~7;
    }
    return effects;
  }
}

/** The messages among effects. */
export function sent(effects: readonly Effect[]): Effect[] {
  return effects.filter((effect) => effect.kind === abi.EF_SEND);
}

/** First lines of the messages sent, with the port that each goes to. */
export function lines(effects: readonly Effect[]): string[] {
  return sent(effects).map(({ text, port }) => `${text.slice(0, text.indexOf('\r\n'))} > ${port}`);
}

/** Values of a header, one for each line. */
export function header(message: string, name: string): string[] {
  const head = message.slice(0, message.indexOf('\r\n\r\n'));
  return head
    .split('\r\n')
    .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    .map((line) => line.slice(name.length + 1).trim());
}
