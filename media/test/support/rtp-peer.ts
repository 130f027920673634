/** A phone's UDP socket that sends and collects RTP. */
import { createSocket, type Socket } from 'node:dgram';

export interface RtpPacket {
  pt: number;
  marker: boolean;
  seq: number;
  timestamp: number;
  ssrc: number;
  payload: string;
  fromPort: number;
}

export interface Stream {
  pt: number;
  ssrc: number;
}

const HEADER_BYTES = 12;

export class RtpPeer {
  readonly port: number;
  readonly received: RtpPacket[] = [];
  readonly #socket: Socket;
  #seq = 1000;
  #timestamp = 5_000;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (packet, from) => {
      if (packet[1]! >= 200 && packet[1]! <= 204) return;
      this.received.push({
        pt: packet[1]! & 0x7f,
        marker: (packet[1]! & 0x80) !== 0,
        seq: packet.readUInt16BE(2),
        timestamp: packet.readUInt32BE(4),
        ssrc: packet.readUInt32BE(8),
        payload: packet.toString('latin1', HEADER_BYTES),
        fromPort: from.port,
      });
    });
  }

  static async open(): Promise<RtpPeer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new RtpPeer(socket);
  }

  /** Sends one packet with the next sequence number. */
  send({ pt, ssrc }: Stream, payload: string, port: number): void {
    const packet = Buffer.alloc(HEADER_BYTES + payload.length);
    packet[0] = 0x80;
    packet[1] = pt;
    packet.writeUInt16BE(this.#seq++ & 0xffff, 2);
    packet.writeUInt32BE((this.#timestamp += 160), 4);
    packet.writeUInt32BE(ssrc, 8);
    packet.write(payload, HEADER_BYTES, 'latin1');
    this.#socket.send(packet, port, '127.0.0.1');
  }

  /** Sends until `done`, every 20 ms. @throws after `timeoutMs`. */
  async sendUntil(stream: Stream, port: number, done: () => boolean, timeoutMs = 3_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (let i = 0; !done(); i++) {
      if (performance.now() > deadline) throw new Error('the packets had no effect in time');
      this.send(stream, `packet ${i} of ${stream.ssrc}`, port);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  close(): void {
    this.#socket.close();
  }
}
