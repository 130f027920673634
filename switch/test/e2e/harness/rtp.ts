/**
 * The audio side of a phone on the wire: sends a tone as PCMU and keeps what it hears with the time it came, so
 * that gaps are seen to the packet.
 */
import { createSocket, type Socket } from 'node:dgram';
import { randomInt } from 'node:crypto';
import { decodeMuLaw, encodeMuLaw } from './g711.ts';
import { freePorts } from './ports.ts';
import { longestGapMs, type Sound, toneMs } from './tone.ts';
import { eventually, sleep } from './wait.ts';

const RATE = 8_000;
const PACKET_MS = 20;
const PACKET_SAMPLES = (RATE * PACKET_MS) / 1_000;
const PAYLOAD_PCMU = 0;

/** One packet heard. */
export interface HeardPacket {
  /** When it came, ms of `performance.now()`. */
  at: number;
  payloadType: number;
  sequence: number;
  timestamp: number;
  ssrc: number;
  payload: Buffer;
  fromPort: number;
}

export class RtpPhone {
  /** Even port of its RTP socket on 127.0.0.1. */
  readonly port: number;
  readonly packets: HeardPacket[] = [];
  readonly ssrc = randomInt(1, 0xffff_ffff);
  readonly #socket: Socket;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #sequence = randomInt(0, 0xffff);
  #timestamp = randomInt(0, 0xffff_ffff);

  private constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.port = port;
    socket.on('message', (bytes, from) => {
      if (bytes.length < 12 || bytes[0]! >> 6 !== 2) return;
      const head = 12 + (bytes[0]! & 0x0f) * 4;
      const extension = bytes[0]! & 0x10 ? 4 + bytes.readUInt16BE(head + 2) * 4 : 0;
      this.packets.push({
        at: performance.now(),
        payloadType: bytes[1]! & 0x7f,
        sequence: bytes.readUInt16BE(2),
        timestamp: bytes.readUInt32BE(4),
        ssrc: bytes.readUInt32BE(8),
        payload: bytes.subarray(head + extension),
        fromPort: from.port,
      });
    });
  }

  static async open(): Promise<RtpPhone> {
    const port = await freePorts(2);
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(port, '127.0.0.1', resolve));
    return new RtpPhone(socket, port);
  }

  /** Its SDP: an offer or an answer of PCMU and telephone-event. */
  sdp(direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive' = 'sendrecv', version = 1): string {
    return [
      'v=0',
      `o=- ${this.port} ${version} IN IP4 127.0.0.1`,
      's=-',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      `m=audio ${this.port} RTP/AVP 0 101`,
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-16',
      `a=${direction}`,
      '',
    ].join('\r\n');
  }

  /** Speaks a tone to the address in an SDP until {@link close}; again: to another one. */
  speak(hz: number, sdp: string): void {
    const { address, port } = mediaOf(sdp);
    clearInterval(this.#timer);
    const startAt = performance.now();
    let sent = 0;
    this.#timer = setInterval(() => {
      while (sent * PACKET_MS <= performance.now() - startAt) {
        this.#socket.send(this.#packet(hz, sent === 0), port, address);
        sent++;
      }
    }, PACKET_MS / 2);
  }

  #packet(hz: number, marker: boolean): Buffer {
    const packet = Buffer.alloc(12 + PACKET_SAMPLES);
    packet[0] = 0x80;
    packet[1] = PAYLOAD_PCMU | (marker ? 0x80 : 0);
    packet.writeUInt16BE((this.#sequence = (this.#sequence + 1) & 0xffff), 2);
    packet.writeUInt32BE(this.#timestamp, 4);
    packet.writeUInt32BE(this.ssrc, 8);
    for (let i = 0; i < PACKET_SAMPLES; i++) {
      const phase = (2 * Math.PI * hz * ((this.#timestamp + i) % RATE)) / RATE;
      packet[12 + i] = encodeMuLaw(Math.round(Math.sin(phase) * 13_000));
    }
    this.#timestamp = (this.#timestamp + PACKET_SAMPLES) >>> 0;
    return packet;
  }

  /** What it heard between two times (ms of `performance.now()`), each packet put where it came. */
  heard(fromMs: number, toMs = performance.now()): Sound {
    const samples = new Float32Array(Math.max(0, Math.ceil(((toMs - fromMs) * RATE) / 1_000)));
    let next = 0;
    for (const packet of this.packets) {
      if (packet.payloadType !== PAYLOAD_PCMU || packet.at < fromMs || packet.at > toMs) continue;
      // A packet that comes early waits for the one before it, as in a jitter buffer.
      const at = Math.max(next, Math.round(((packet.at - fromMs) * RATE) / 1_000));
      for (let i = 0; i < packet.payload.length && at + i < samples.length; i++) {
        samples[at + i] = decodeMuLaw(packet.payload[i]!) / 32_768;
      }
      next = at + packet.payload.length;
    }
    return { rate: RATE, samples };
  }

  /** Waits until it has heard half a second of the tone from now on. */
  async hears(hz: number, timeoutMs = 5_000): Promise<void> {
    const from = performance.now();
    await eventually(
      `phone on port ${this.port} hears ${hz} Hz`,
      () => toneMs(this.heard(from), hz) >= 500,
      timeoutMs,
      50,
    );
  }

  /** Milliseconds of the tone heard while `ms` pass. */
  async heardDuring(ms: number, hz: number): Promise<number> {
    const from = performance.now();
    await sleep(ms);
    return toneMs(this.heard(from), hz);
  }

  /** Longest time without the tone since `fromMs`, ms. */
  longestGapMs(hz: number, fromMs: number): number {
    return longestGapMs(this.heard(fromMs), hz);
  }

  /** Silent and deaf from now on; may be called again. */
  close(): void {
    clearInterval(this.#timer);
    if (!this.#closed) this.#socket.close();
    this.#closed = true;
  }
}

/** Where an SDP wants its audio. */
export function mediaOf(sdp: string): { address: string; port: number } {
  const address = /^c=IN IP4 (\S+)/m.exec(sdp)?.[1] ?? '';
  const port = Number(/^m=audio (\d+)/m.exec(sdp)?.[1] ?? 0);
  return { address, port };
}
