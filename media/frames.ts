/** Framing of media/protocol.ts: u32 big-endian length, then UTF-8 JSON. */
import { FRAME_BYTES_MAX } from './protocol.ts';

const HEADER_BYTES = 4;

/** @throws RangeError when the message is longer than a frame may be. */
export function encodeFrame(message: object): Buffer {
  const text = JSON.stringify(message);
  const bytes = Buffer.byteLength(text);
  if (bytes > FRAME_BYTES_MAX) throw new RangeError(`a message of ${bytes} bytes is too long`);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + bytes);
  frame.writeUInt32BE(bytes, 0);
  frame.write(text, HEADER_BYTES);
  return frame;
}

/** The bytes that came are not of this protocol; the connection is of no more use. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** Cuts a stream of bytes into messages; holds at most one incomplete frame. */
export class FrameReader {
  #parts: Buffer[] = [];
  #held = 0;

  /** @throws FrameError when a frame is too long or not a JSON object. */
  push(chunk: Buffer): object[] {
    this.#parts.push(chunk);
    this.#held += chunk.length;
    const messages: object[] = [];
    for (let frame = this.#take(); frame !== null; frame = this.#take()) messages.push(parseObject(frame));
    return messages;
  }

  #take(): Buffer | null {
    if (this.#held < HEADER_BYTES) return null;
    const length = this.#joined(HEADER_BYTES).readUInt32BE(0);
    if (length > FRAME_BYTES_MAX) throw new FrameError(`a frame of ${length} bytes is too long`);
    if (this.#held < HEADER_BYTES + length) return null;
    const all = this.#joined(HEADER_BYTES + length);
    const rest = all.subarray(HEADER_BYTES + length);
    this.#parts = rest.length > 0 ? [rest, ...this.#parts.slice(1)] : this.#parts.slice(1);
    this.#held -= HEADER_BYTES + length;
    return all.subarray(HEADER_BYTES, HEADER_BYTES + length);
  }

  /** The first part, made to hold at least `bytes`; joins only when it must. */
  #joined(bytes: number): Buffer {
    if (this.#parts[0]!.length < bytes) this.#parts = [Buffer.concat(this.#parts)];
    return this.#parts[0]!;
  }
}

function parseObject(frame: Buffer): object {
  let message: unknown;
  try {
    message = JSON.parse(frame.toString());
  } catch (error) {
    throw new FrameError(`not JSON: ${(error as Error).message}`);
  }
  if (typeof message !== 'object' || message === null) throw new FrameError('not a JSON object');
  return message;
}
