/**
 * Between the core and the media process: EF_MEDIA becomes requests, their answers become EV_MEDIA_REPLY. SDP passes
 * through unread. Every request of the core gets exactly one answer, 503 when the media process can't give one in time.
 */
import * as abi from '../../wasm-core/assembly/abi.ts';
import { formatAddress } from '../../wasm-core/host/address.ts';
import { encodeText, type Frame } from '../../wasm-core/host/frames.ts';
import { METHOD_NAMES, nameOf } from '../../wasm-core/host/names.ts';
import type { MediaEvent, OfferedRequest, SdpReply, SdpRequest, SdpVariant } from '../../media/protocol.ts';
import { callNames } from './call-names.ts';
import type { CoreLink } from './core-link.ts';
import { LatencyHistogram } from './histogram.ts';
import type { Logger } from './log.ts';
import type { MediaPort } from './media-port.ts';

/** Bounds and budget. */
export interface MediaBridgeOptions {
  setupTimeoutMs: number;
  budgetUs: number;
}

type SdpCommand = Omit<SdpRequest, 'op' | 'id' | 'epoch'>;
type OfferedCommand = Omit<OfferedRequest, 'op' | 'id' | 'epoch'>;

/** Reads EF_MEDIA/MEDIA_OP_SDP. */
export function sdpCommand(frame: Frame): SdpCommand {
  const legs = frame.arg(3);
  const method = frame.arg(4);
  const mask = legs >>> 24;
  const targetVariants: SdpVariant[] = [];
  if (mask & abi.VARIANT_PLAIN) targetVariants.push('plain');
  if (mask & abi.VARIANT_WEBRTC) targetVariants.push('webrtc');
  return {
    call: callKey(frame),
    leg: legs & 0xff,
    legVariant: ((legs >>> 16) & 0xff) === abi.VARIANT_WEBRTC ? 'webrtc' : 'plain',
    targetLeg: (legs >>> 8) & 0xff,
    targetVariants,
    method: nameOf(METHOD_NAMES, method & 0xffff),
    status: method >>> 16,
    cseq: frame.arg(5),
    sdp: frame.text,
    source: formatAddress(frame.address),
  };
}

/** Reads EF_MEDIA/MEDIA_OP_OFFERED. */
function offered(frame: Frame): OfferedCommand {
  return {
    call: callKey(frame),
    leg: frame.arg(3),
    offer: frame.arg(0),
    status: frame.arg(4),
    sdp: frame.text,
  };
}

/** `slot.generation`, the name of a call. */
function callKey(frame: Frame): string {
  return `${frame.arg(1)}.${frame.arg(2)}`;
}

/** Calls that the media process still has but the core has ended are closed by this many retries after a reconnect. */
const CLOSES_KEPT_MAX = 4096;

/** One bridge between one core and one media process. */
export class MediaBridge {
  readonly histogram: LatencyHistogram;
  readonly #link: CoreLink;
  readonly #media: MediaPort;
  readonly #options: MediaBridgeOptions;
  readonly #log: Logger;
  /** Calls whose end could not be told, because the media process was away. */
  readonly #unclosed = new Set<string>();
  /** Which core the answers are for. */
  #core = 0;
  /** Requests that are waiting. */
  pending = 0;

  constructor(options: MediaBridgeOptions, link: CoreLink, media: MediaPort, log: Logger) {
    this.#options = options;
    this.#link = link;
    this.#media = media;
    this.#log = log;
    this.histogram = new LatencyHistogram(options.budgetUs);
    link.on(abi.EF_MEDIA, (frame) => this.#command(frame));
    media.onEvent = (event) => this.#event(event);
    media.onRestored = () => void this.#keepRestored();
  }

  /** Another core has taken the place of the one that asked: it doesn't wait for those answers. */
  coreReplaced(): void {
    this.#core++;
  }

  #command(frame: Frame): void {
    const call = callKey(frame);
    if (frame.flags === abi.MEDIA_OP_SDP) void this.#sdp(frame.arg(0), sdpCommand(frame));
    else if (frame.flags === abi.MEDIA_OP_OFFERED) void this.#quietly(this.#media.offered(offered(frame)));
    else if (frame.flags === abi.MEDIA_OP_CLOSE_LEG)
      void this.#quietly(this.#media.closeLeg(call, frame.arg(3)));
    else if (frame.flags === abi.MEDIA_OP_CLOSE_CALL) void this.#closeCall(call);
  }

  async #sdp(id: number, command: SdpCommand): Promise<void> {
    const startedMs = performance.now();
    const core = this.#core;
    this.pending++;
    const reply = await this.#ask(command);
    this.pending--;
    if (core !== this.#core) return;
    this.histogram.observe((performance.now() - startedMs) * 1000);
    if (reply.status !== 200)
      this.#log.warn(
        { call: command.call, leg: command.leg, status: reply.status, reason: reply.reason },
        'media refused',
      );
    const plain = encodeText(reply.bodies?.plain ?? '');
    const webrtc = encodeText(reply.bodies?.webrtc ?? '');
    const payload = new Uint8Array(plain.length + webrtc.length);
    payload.set(plain);
    payload.set(webrtc, plain.length);
    const args = [id, reply.status, plain.length, webrtc.length];
    if (payload.length <= abi.MESSAGE_BYTES_MAX) this.#link.post({ kind: abi.EV_MEDIA_REPLY, args }, payload);
    else this.#link.post({ kind: abi.EV_MEDIA_REPLY, args: [id, 500, 0, 0] });
  }

  /** The answer, or 503 when there is none in time. */
  #ask(command: SdpCommand): Promise<SdpReply> {
    const failed = (reason: string): SdpReply => ({ id: 0, status: 503, reason });
    if (!this.#media.connected) return Promise.resolve(failed('the media process is not connected'));
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(failed('no answer in time')), this.#options.setupTimeoutMs);
      this.#media
        .sdp(command)
        .catch((error: Error) => failed(error.message))
        .then((reply) => {
          clearTimeout(timer);
          resolve(reply);
        });
    });
  }

  /** The media process has the calls of the one before it: those that have ended meanwhile must go. */
  async #keepRestored(): Promise<void> {
    try {
      const calls = await callNames(this.#link);
      this.#log.info({ calls: calls.length }, 'the media process has its calls again');
      this.#media.keepRestored(calls);
    } catch (error) {
      this.#log.error({ err: error }, 'the media process could not be told which calls there are');
    }
  }

  async #closeCall(call: string): Promise<void> {
    if (await this.#quietly(this.#media.closeCall(call))) {
      for (const old of [...this.#unclosed].slice(0, 16)) {
        if (!(await this.#quietly(this.#media.closeCall(old)))) return;
        this.#unclosed.delete(old);
      }
    } else if (this.#unclosed.size < CLOSES_KEPT_MAX) this.#unclosed.add(call);
  }

  /** True when it was done. A lost connection was already logged by the client. */
  async #quietly(done: Promise<unknown>): Promise<boolean> {
    try {
      await done;
      return true;
    } catch (error) {
      this.#log.debug({ err: error }, 'media command failed');
      return false;
    }
  }

  #event(event: MediaEvent): void {
    if (event.event === 'workerReplaced') {
      const { diedPid, pid, legsMoved, gapMs } = event;
      this.#log.warn({ diedPid, pid, legsMoved, gapMs }, 'media worker replaced');
      return;
    }
    const [slot = 0, generation = 0] = event.call.split('.').map(Number);
    if (event.event === 'offer') {
      const { id, leg, sdp } = event;
      this.#link.post({ kind: abi.EV_OFFER, args: [id, slot, generation, leg] }, encodeText(sdp));
      return;
    }
    this.#log.info({ call: event.call }, 'no media: the call is ended');
    this.#link.post({ kind: abi.EV_MEDIA_TIMEOUT, args: [0, slot, generation] });
  }
}
