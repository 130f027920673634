/** One build of the core under the bench: batches of messages in, effects out, on a clock of its own. */
import { createHash } from 'node:crypto';
import * as abi from '../assembly/abi.ts';
import { buildBank } from '../host/bank.ts';
import { Core, type CoreInit } from '../host/core.ts';
import { parseAddress } from '../host/address.ts';
import { type Algorithm, hashName } from './messages.ts';

const START_US = 1_800_000_000_000_000;
const LOOPBACK = parseAddress('127.0.0.1')!;

/** What stages.ts exports beside the core. */
export interface StageExports {
  benchParse(slots: number, times: number): number;
  benchRoute(times: number): number;
  benchRewrite(times: number): number;
  benchCalibrate(times: number): bigint;
}

/** A message that the core wants sent. */
export interface Sent {
  port: number;
  text: string;
}

/** Users 100000 and on. */
export const USERS = 2048;

export function userName(i: number): string {
  return String(100_000 + (i % USERS));
}

/** HA1 of a user (RFC 7616 3.4.2). */
export function ha1(algorithm: Algorithm, user: string): Buffer {
  return createHash(hashName(algorithm)).update(`${user}:strowger.test:bench`).digest();
}

/** `trusted`: loopback needs no digest. */
function bank(trusted: boolean): Uint8Array {
  const names = Array.from({ length: USERS }, (_, i) => userName(i));
  return buildBank({
    realm: 'strowger.test',
    digest: ['sha-256', 'md5'],
    domains: ['strowger.test', '127.0.0.1', 'localhost'],
    users: [...names, '1001', '1002'].map((user) => ({
      user,
      ha1Md5: ha1('MD5', user),
      ha1Sha256: ha1('SHA-256', user),
    })),
    trusted: trusted ? ['127.0.0.0/8'] : [],
    trunks: [],
    routes: [],
  });
}

export class Rig {
  readonly core: Core;
  readonly stages: StageExports;
  readonly #buffer: Buffer;
  nowUs = START_US;
  /** ms that the last `step` took. */
  spentMs = 0;

  static async start(wasm: Uint8Array<ArrayBuffer>, init: Partial<CoreInit> = {}): Promise<Rig> {
    const listeners = [{ transport: abi.TRANSPORT_UDP, host: '127.0.0.1', port: 5060 }];
    const core = await Core.create(
      wasm,
      { secret: new Uint8Array(16).fill(7), listeners, ...init },
      START_US,
    );
    return new Rig(core);
  }

  private constructor(core: Core) {
    this.core = core;
    this.#buffer = Buffer.from(core.memory.buffer);
    this.stages = core.exports as unknown as StageExports;
  }

  /** Takes the bench's users into use; `trusted`: they need no digest. */
  loadBank(trusted: boolean): void {
    const bytes = bank(trusted);
    if (!this.core.stageBank(bytes)) throw new Error('the bank is larger than the core allows');
    this.#frame(0, abi.EV_BANK_READY, 0, 0);
    this.core.u32[(this.core.slot(0) + abi.F_ARG0) >> 2] = bytes.length;
    this.step(1);
  }

  /** Puts messages from a port on loopback into the receive slots, 64 at the most. */
  put(messages: readonly string[], port: number): void {
    for (const [i, text] of messages.entries()) {
      this.#frame(i, abi.EV_MESSAGE, text.length, port);
      this.#buffer.write(text, this.core.slot(i) + abi.FRAME_HEADER_BYTES, 'latin1');
    }
  }

  #frame(slot: number, kind: number, length: number, port: number): void {
    const at = this.core.slot(slot);
    const { bytes, u32 } = this.core;
    bytes.fill(0, at, at + abi.FRAME_HEADER_BYTES);
    bytes[at + abi.F_KIND] = kind;
    bytes[at + abi.F_VERSION] = abi.ABI_VERSION;
    bytes[at + abi.F_PORT] = port & 255;
    bytes[at + abi.F_PORT + 1] = port >> 8;
    bytes.set(LOOPBACK, at + abi.F_ADDRESS);
    u32[(at + abi.F_LENGTH) >> 2] = length;
  }

  /** One step with the first `n` slots, its time in `spentMs`. */
  step(n: number): void {
    const start = performance.now();
    const taken = this.core.step(this.nowUs, 0, n);
    this.spentMs = performance.now() - start;
    if (taken !== n) throw new Error(`the core took ${taken} of ${n} events`);
  }

  /** The messages that the last step wants sent. */
  sent(): Sent[] {
    const { bytes, u32, effectsPtr } = this.core;
    const sent: Sent[] = [];
    const end = effectsPtr + this.core.effectsLength();
    for (let at = effectsPtr; at < end; ) {
      const length = u32[(at + abi.F_LENGTH) >> 2]!;
      const from = at + abi.FRAME_HEADER_BYTES;
      if (bytes[at + abi.F_KIND] === abi.EF_SEND) {
        const port = bytes[at + abi.F_PORT]! | (bytes[at + abi.F_PORT + 1]! << 8);
        sent.push({ port, text: this.#buffer.toString('latin1', from, from + length) });
      }
      at = from + ((length + 7) & ~7);
    }
    return sent;
  }
}
