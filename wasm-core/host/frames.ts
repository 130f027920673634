/**
 * Frames of the core (see ../assembly/abi.ts): writing event frames, reading effect frames.
 * Pure: works in Node and in a browser, on plain and on shared memory.
 */
import * as abi from '../assembly/abi.ts';
import { ADDRESS_BYTES } from './address.ts';

/** What goes into the header of a frame; everything but `kind` is 0 when left out. */
export interface FrameFields {
  /** EV_* or EF_*. */
  kind: number;
  /** TRANSPORT_*. */
  transport?: number;
  flags?: number;
  /** Connection of a stream transport, 0 = none. */
  flow?: number;
  /** Remote port. */
  port?: number;
  /** Index of the local listener. */
  listener?: number;
  /** Remote address, 16 bytes. */
  address?: Uint8Array;
  /** µs since the Unix epoch. */
  timeUs?: number;
  /** arg0.. in order, at most 6. */
  args?: readonly number[];
}

/** Bytes that a frame with `payloadBytes` of payload takes, padding included. */
export function frameBytes(payloadBytes: number): number {
  return abi.FRAME_HEADER_BYTES + ((payloadBytes + 7) & ~7);
}

const EMPTY = new Uint8Array(0);
const ARGS_MAX = 6;

/**
 * Encodes frames into one buffer that is used again for each, so that a message costs one copy and no allocation.
 */
export class FrameEncoder {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  /** @param payloadBytesMax largest payload, default the largest SIP message. */
  constructor(payloadBytesMax: number = abi.MESSAGE_BYTES_MAX) {
    this.#bytes = new Uint8Array(frameBytes(payloadBytesMax));
    this.#view = new DataView(this.#bytes.buffer);
  }

  /**
   * @returns the frame; the view is valid until the next call.
   * @throws RangeError when the payload is larger than this encoder was made for, or there are too many args.
   */
  encode(fields: FrameFields, payload: Uint8Array = EMPTY): Uint8Array {
    const total = frameBytes(payload.length);
    if (total > this.#bytes.length)
      throw new RangeError(`payload of ${payload.length} bytes is too large for a frame`);
    const args = fields.args ?? [];
    if (args.length > ARGS_MAX) throw new RangeError(`${args.length} args in a frame, at most ${ARGS_MAX}`);
    const view = this.#view;
    this.#bytes.fill(0, 0, abi.FRAME_HEADER_BYTES);
    view.setUint8(abi.F_KIND, fields.kind);
    view.setUint8(abi.F_VERSION, abi.ABI_VERSION);
    view.setUint8(abi.F_TRANSPORT, fields.transport ?? 0);
    view.setUint8(abi.F_FLAGS, fields.flags ?? 0);
    view.setUint32(abi.F_LENGTH, payload.length, true);
    view.setUint32(abi.F_FLOW, fields.flow ?? 0, true);
    view.setUint16(abi.F_PORT, fields.port ?? 0, true);
    view.setUint16(abi.F_LISTENER, fields.listener ?? 0, true);
    if (fields.address) this.#bytes.set(fields.address.subarray(0, ADDRESS_BYTES), abi.F_ADDRESS);
    view.setFloat64(abi.F_TIME, fields.timeUs ?? 0, true);
    for (let i = 0; i < args.length; i++) view.setUint32(abi.F_ARG0 + i * 4, args[i]!, true);
    this.#bytes.set(payload, abi.FRAME_HEADER_BYTES);
    this.#bytes.fill(0, abi.FRAME_HEADER_BYTES + payload.length, total);
    return this.#bytes.subarray(0, total);
  }
}

/** Thrown for bytes that are not a frame or record of this version: a broken invariant, never bad input. */
export class FrameError extends Error {
  override name = 'FrameError';
}

/** Reads the header of one frame and gives its payload. Holds a view, not a copy. */
export class Frame {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  /** @throws FrameError when shorter than it says, or of another version. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < abi.FRAME_HEADER_BYTES)
      throw new FrameError(`frame of ${bytes.length} bytes has no header`);
    if (bytes[abi.F_VERSION] !== abi.ABI_VERSION)
      throw new FrameError(`frame version ${bytes[abi.F_VERSION]}, expected ${abi.ABI_VERSION}`);
    if (abi.FRAME_HEADER_BYTES + this.length > bytes.length)
      throw new FrameError(
        `frame says ${this.length} bytes of payload, has ${bytes.length - abi.FRAME_HEADER_BYTES}`,
      );
  }

  get kind(): number {
    return this.bytes[abi.F_KIND]!;
  }
  get transport(): number {
    return this.bytes[abi.F_TRANSPORT]!;
  }
  get flags(): number {
    return this.bytes[abi.F_FLAGS]!;
  }
  /** Bytes of payload. */
  get length(): number {
    return this.#view.getUint32(abi.F_LENGTH, true);
  }
  get flow(): number {
    return this.#view.getUint32(abi.F_FLOW, true);
  }
  get port(): number {
    return this.#view.getUint16(abi.F_PORT, true);
  }
  get listener(): number {
    return this.#view.getUint16(abi.F_LISTENER, true);
  }
  get timeUs(): number {
    return this.#view.getFloat64(abi.F_TIME, true);
  }
  /** The 16 bytes of the remote address (a view). */
  get address(): Uint8Array {
    return this.bytes.subarray(abi.F_ADDRESS, abi.F_ADDRESS + ADDRESS_BYTES);
  }
  /** arg0 to arg5. */
  arg(index: number): number {
    return this.#view.getUint32(abi.F_ARG0 + index * 4, true);
  }
  /** The payload (a view). */
  get payload(): Uint8Array {
    return this.bytes.subarray(abi.FRAME_HEADER_BYTES, abi.FRAME_HEADER_BYTES + this.length);
  }
  /** The payload as text; bytes that are not UTF-8 become U+FFFD. */
  get text(): string {
    return decodeText(this.payload);
  }
}

const utf8 = new TextDecoder();
const utf8Encoder = new TextEncoder();

/** UTF-8 to text. Copies first: browsers refuse to decode shared memory. */
export function decodeText(bytes: Uint8Array): string {
  return utf8.decode(bytes.slice());
}

/** Text to UTF-8. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  return utf8Encoder.encode(text);
}
