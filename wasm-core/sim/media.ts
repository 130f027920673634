/**
 * A model of the media service that a node talks to: it answers offers and answers late, with an error or never, forgets all
 * when it dies, and notices calls whose parties have gone silent.
 */
import * as abi from '../assembly/abi.ts';
import { type Frame, FrameEncoder } from '../host/frames.ts';
import type { Random } from './random.ts';
import type { MediaSpec } from './scenario.ts';
import type { Scheduler, Timer } from './scheduler.ts';

/** A call without media is reported after this. */
const SILENCE_US = 30_000_000;
const LOOK_EVERY_US = 10_000_000;
const REFUSALS = [488, 503] as const;
const encoder = new TextEncoder();

/** What it needs of its node. */
export interface MediaClient {
  /** An event frame for the core. */
  event(frame: Uint8Array): void;
  /** Whether somebody with this address sends audio at present. */
  isHeard(ip: number): boolean;
}

interface MediaCall {
  slot: number;
  generation: number;
  /** Addresses of its legs that signalling vouches for. */
  ips: Set<number>;
  silentSinceUs: number | undefined;
}

export class MediaService {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #spec: MediaSpec;
  readonly #client: MediaClient;
  readonly #calls = new Map<string, MediaCall>();
  readonly #frames = new FrameEncoder();
  #up = true;
  #look: Timer | undefined;

  constructor(scheduler: Scheduler, random: Random, spec: MediaSpec, client: MediaClient) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#spec = spec;
    this.#client = client;
  }

  /** Calls that it relays, as `slot.generation`. */
  get calls(): readonly string[] {
    return [...this.#calls.keys()];
  }

  get isUp(): boolean {
    return this.#up;
  }

  /** It dies, or comes back without a memory of its calls. */
  setUp(up: boolean): void {
    this.#up = up;
    this.#calls.clear();
  }

  /** Its node has lost its calls. */
  forget(): void {
    this.#calls.clear();
  }

  /** EF_MEDIA. */
  take(frame: Frame): void {
    if (!this.#up) return;
    const name = `${frame.arg(1)}.${frame.arg(2)}`;
    if (frame.flags === abi.MEDIA_OP_CLOSE_CALL) this.#calls.delete(name);
    if (frame.flags !== abi.MEDIA_OP_SDP) return;
    const call = this.#calls.get(name) ?? {
      slot: frame.arg(1),
      generation: frame.arg(2),
      ips: new Set<number>(),
      silentSinceUs: undefined,
    };
    this.#calls.set(name, call);
    const { address } = frame;
    call.ips.add(((address[12]! << 24) | (address[13]! << 16) | (address[14]! << 8) | address[15]!) >>> 0);
    this.#look ??= this.#scheduler.after(LOOK_EVERY_US, () => this.#lookForSilence());
    this.#answer(frame);
  }

  #answer(frame: Frame): void {
    const { delayMs, jitterMs, refusePerMille, silentPerMille } = this.#spec;
    if (this.#random.chance(silentPerMille)) return;
    const status = this.#random.chance(refusePerMille) ? this.#random.pick(REFUSALS) : 200;
    const pending = frame.arg(0);
    const variants = frame.arg(3) >>> 24;
    // As long as what came, with the mark of its variant: the core must not read it.
    const body = (variant: string) => encoder.encode(frame.text.replace(/^s=.*$/m, `s=${variant}`));
    const plain = status === 200 && (variants & abi.VARIANT_PLAIN) !== 0 ? body('plain') : new Uint8Array(0);
    const webrtc =
      status === 200 && (variants & abi.VARIANT_WEBRTC) !== 0 ? body('webrtc') : new Uint8Array(0);
    const payload = new Uint8Array(plain.length + webrtc.length);
    payload.set(plain);
    payload.set(webrtc, plain.length);
    const delayUs = (delayMs + this.#random.below(jitterMs + 1)) * 1_000;
    this.#scheduler.after(delayUs, () => {
      if (!this.#up) return;
      const args = [pending, status, plain.length, webrtc.length];
      this.#client.event(this.#frames.encode({ kind: abi.EV_MEDIA_REPLY, args }, payload).slice());
    });
  }

  #lookForSilence(): void {
    this.#look = undefined;
    for (const call of this.#calls.values()) {
      if ([...call.ips].every((ip) => this.#client.isHeard(ip))) {
        call.silentSinceUs = undefined;
        continue;
      }
      call.silentSinceUs ??= this.#scheduler.nowUs;
      if (this.#scheduler.nowUs - call.silentSinceUs < SILENCE_US) continue;
      call.silentSinceUs = this.#scheduler.nowUs;
      const args = [0, call.slot, call.generation];
      this.#client.event(this.#frames.encode({ kind: abi.EV_MEDIA_TIMEOUT, args }).slice());
    }
    if (this.#calls.size > 0) this.#look = this.#scheduler.after(LOOK_EVERY_US, () => this.#lookForSilence());
  }
}
