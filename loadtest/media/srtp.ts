/** Reads SRTP of one source, AES_CM_128 (RFC 3711); the authentication tag is not looked at. */
import { createCipheriv } from 'node:crypto';
import type { SrtpKeys } from './browser.ts';

const LABEL_ENCRYPTION = 0;
const LABEL_SALT = 2;
const TAG_BYTES = 10;

export class SrtpReader {
  readonly #key: Buffer;
  readonly #salt: Buffer;
  readonly #iv = Buffer.alloc(16);
  #rollovers = 0;
  #sequence = -1;

  constructor(keys: SrtpKeys) {
    this.#key = derive(keys, LABEL_ENCRYPTION, 16);
    this.#salt = derive(keys, LABEL_SALT, 14);
  }

  /** The payload of a packet; empty when it is too short to be one. Packets must come about in order. */
  payload(packet: Buffer): Buffer {
    let start = 12 + 4 * (packet[0]! & 15);
    if ((packet[0]! & 0x10) !== 0) start += 4 + 4 * packet.readUInt16BE(start + 2);
    const end = packet.length - TAG_BYTES;
    if (end < start) return Buffer.alloc(0);
    // RFC 3711 4.1.1: salt, XOR SSRC and packet index, each shifted to its place.
    this.#iv.fill(0);
    this.#salt.copy(this.#iv);
    xor32(this.#iv, 4, packet.readUInt32BE(8));
    xor32(this.#iv, 8, this.#rollover(packet.readUInt16BE(2)));
    xor32(this.#iv, 12, (packet.readUInt16BE(2) << 16) >>> 0);
    return createCipheriv('aes-128-ctr', this.#key, this.#iv).update(packet.subarray(start, end));
  }

  /** RFC 3711 3.3.1, of which only the way forward is needed here. */
  #rollover(sequence: number): number {
    if (this.#sequence > 0xc000 && sequence < 0x4000) this.#rollovers++;
    const late = this.#sequence >= 0 && this.#sequence < 0x4000 && sequence > 0xc000;
    if (!late) this.#sequence = sequence;
    return late ? this.#rollovers - 1 : this.#rollovers;
  }
}

function xor32(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32BE((bytes.readUInt32BE(at) ^ value) >>> 0, at);
}

/** RFC 3711 4.3.1, with a key derivation rate of 0. */
function derive({ key, salt }: SrtpKeys, label: number, length: number): Buffer {
  const iv = Buffer.alloc(16);
  iv.set(salt);
  iv[7]! ^= label;
  return createCipheriv('aes-128-ctr', key, iv).update(Buffer.alloc(length));
}
