/** The edge's contract over node:dgram, for tests of what stands behind it: no latching window, no RTCP. */
import { createSocket, type Socket } from 'node:dgram';
import type {
  EdgeAddress,
  EdgeLeg,
  EdgeLegConfig,
  EdgeLegStats,
  EdgePort,
  EdgeTotals,
} from '../../edge/types.ts';

const HOST = '127.0.0.1';

async function bound(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(port, HOST, resolve));
  return socket;
}

/** Removes the header extension (RFC 3550 5.3.1). */
function withoutExtension(packet: Buffer): Buffer {
  if ((packet[0]! & 0x10) === 0) return packet;
  packet[0]! &= ~0x10;
  const at = 12 + 4 * (packet[0]! & 0x0f);
  return Buffer.concat([packet.subarray(0, at), packet.subarray(at + 4 + 4 * packet.readUInt16BE(at + 2))]);
}

class DgramLeg implements EdgeLeg {
  readonly id: number;
  readonly rtpPort: number;
  readonly rtcpPort: number;
  readonly socket: Socket;
  config: EdgeLegConfig | null = null;
  /** Every configuration it got. */
  readonly configs: EdgeLegConfig[] = [];
  packetsIn = 0;
  packetsOut = 0;
  readonly #edge: DgramEdge;

  constructor(edge: DgramEdge, id: number, port: number, socket: Socket) {
    this.#edge = edge;
    this.id = id;
    this.rtpPort = port;
    this.rtcpPort = port + 1;
    this.socket = socket;
    socket.on('message', (packet, from) => this.fromPhone(packet, from.address));
  }

  async configure(config: EdgeLegConfig): Promise<void> {
    this.config = config;
    this.configs.push(config);
  }

  async free(): Promise<void> {
    if (!this.#edge.legs.delete(this.id)) return;
    await new Promise<void>((resolve) => this.socket.close(() => resolve()));
  }

  fromPhone(packet: Buffer, address: string): void {
    const { config } = this;
    if (!config?.receiveEnabled || !config.mediasoup || !config.vouched.includes(address)) return;
    const pt = config.inPts.find(([phone]) => phone === (packet[1]! & 0x7f))?.[1];
    if (pt === undefined) return;
    packet[1] = (packet[1]! & 0x80) | pt;
    packet.writeUInt32BE(config.inSsrc, 8);
    this.packetsIn++;
    this.#edge.towardsMediasoup.send(packet, config.mediasoup.port, config.mediasoup.ip);
  }

  toPhone(packet: Buffer): void {
    const { config } = this;
    // RTCP payload types are 200 to 204 (RFC 5761 4).
    if (!config?.sendEnabled || !config.remote || (packet[1]! >= 200 && packet[1]! <= 204)) return;
    const pt = config.outPts.find(([router]) => router === (packet[1]! & 0x7f))?.[1];
    if (pt === undefined) return;
    packet[1] = (packet[1]! & 0x80) | pt;
    this.packetsOut++;
    this.socket.send(withoutExtension(packet), config.remote.rtpPort, config.remote.address);
  }
}

export class DgramEdge implements EdgePort {
  readonly mediasoupSide: EdgeAddress;
  readonly towardsMediasoup: Socket;
  readonly legs = new Map<number, DgramLeg>();
  /** Legs at the same time at most. */
  legsMax = 100;
  #nextId = 1;
  #nextPort: number;

  private constructor(socket: Socket, firstPort: number) {
    this.towardsMediasoup = socket;
    this.#nextPort = firstPort;
    this.mediasoupSide = { address: HOST, port: socket.address().port };
    socket.on('message', (packet, from) => {
      for (const leg of this.legs.values())
        if (leg.config?.mediasoup?.port === from.port) leg.toPhone(packet);
    });
  }

  static async start(firstPort: number): Promise<DgramEdge> {
    return new DgramEdge(await bound(0), firstPort);
  }

  async allocate(): Promise<EdgeLeg> {
    if (this.legs.size >= this.legsMax) throw new Error('no free port');
    const port = this.#nextPort;
    this.#nextPort += 2;
    const leg = new DgramLeg(this, this.#nextId++, port, await bound(port));
    this.legs.set(leg.id, leg);
    return leg;
  }

  async stats(ids?: number[]): Promise<EdgeLegStats[]> {
    return [...this.legs.values()]
      .filter((leg) => !ids || ids.includes(leg.id))
      .map(({ id, packetsIn, packetsOut, config }) => ({
        id,
        remote: config?.remote ? `${config.remote.address}:${config.remote.rtpPort}` : null,
        packetsIn,
        packetsOut,
        bytesIn: packetsIn * 172,
        bytesOut: packetsOut * 172,
        lost: 0,
        expected: packetsIn,
        jitterMs: 0,
        rttMs: null,
        idleMs: null,
      }));
  }

  async totals(): Promise<EdgeTotals> {
    const legs = [...this.legs.values()];
    const sum = (pick: (leg: DgramLeg) => number) => legs.reduce((total, leg) => total + pick(leg), 0);
    return {
      legs: legs.length,
      legsMax: this.legsMax,
      packetsIn: sum((leg) => leg.packetsIn),
      packetsOut: sum((leg) => leg.packetsOut),
      dropped: {},
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.legs.values()].map((leg) => leg.free()));
    this.towardsMediasoup.close();
  }
}
