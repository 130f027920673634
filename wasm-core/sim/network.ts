/**
 * The network of a simulation: datagrams that take their time, are lost, doubled, overtaken or too large, and streams that
 * keep their order or break. Every pair of hosts has a link in each direction.
 */
import { TRANSPORT_UDP } from '../assembly/abi.ts';
import type { Packet } from './packet.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** How one direction of a link behaves. */
export interface LinkSpec {
  /** Least time from host to host, µs. */
  latencyUs: number;
  /** Up to so much more, evenly distributed: datagrams closer together than this overtake each other. */
  jitterUs: number;
  /** Of 1,000 datagrams, those that take ten times as long. */
  slowPerMille: number;
  lossPerMille: number;
  duplicatePerMille: number;
  /** Bytes per second; 0: no limit. */
  bytesPerS: number;
  /** Largest datagram, bytes, headers of IP and UDP not counted. */
  mtu: number;
}

export const GOOD_LINK: LinkSpec = {
  latencyUs: 5_000,
  jitterUs: 1_000,
  slowPerMille: 0,
  lossPerMille: 0,
  duplicatePerMille: 0,
  bytesPerS: 0,
  mtu: 65_507,
};

/** Something with addresses. */
export interface Host {
  readonly name: string;
  /** A message has arrived: by UDP when `flow` is null. */
  receive(message: Arrival): void;
  /** A stream of this host is open; only for the side that connects. */
  opened?(flow: Flow): void;
  /** A stream of this host has ended, or was not accepted. */
  closed?(flow: Flow): void;
  /** Whether it accepts a stream on one of its ports. */
  accepts?(port: number): boolean;
}

/** What a host gets. */
export interface Arrival {
  fromIp: number;
  fromPort: number;
  toPort: number;
  flow: Flow | null;
  packet: Packet;
}

/** A stream connection. */
export interface Flow {
  /** From 1. */
  readonly id: number;
  /** TRANSPORT_*. */
  readonly transport: number;
  readonly client: Host;
  readonly clientIp: number;
  readonly clientPort: number;
  readonly server: Host | null;
  readonly serverIp: number;
  readonly serverPort: number;
  open: boolean;
  /** When the last message in each direction arrives: to the client, to the server. */
  readonly lastUs: [number, number];
}

/** What becomes of a message. */
export type Fate = 'arrives' | 'lost' | 'blocked' | 'too large' | 'nobody there' | 'closed';

/** A message on its way, for those who watch. */
export interface Flight {
  /** From 1, in the order of sending. */
  id: number;
  sentUs: number;
  /** When it arrives; that of sending when it doesn't. */
  arrivesUs: number;
  from: string;
  /** Name of a host, '' when nobody has the address. */
  to: string;
  fromIp: number;
  fromPort: number;
  toIp: number;
  toPort: number;
  transport: number;
  fate: Fate;
  /** A second copy of the message before. */
  copy: boolean;
  packet: Packet;
}

/** A broken stream is noticed after this. */
const STREAM_GIVES_UP_US = 10_000_000;
const SLOWER = 10;

/** One number for an address, below 2^53. */
function key(ip: number, port: number): number {
  return ip * 65_536 + port;
}

/** 32 bits of a dotted quad. */
export function ipOf(text: string): number {
  return text.split('.').reduce((ip, part) => ip * 256 + Number(part), 0);
}

export function ipText(ip: number): string {
  return [24, 16, 8, 0].map((shift) => (ip >>> shift) & 255).join('.');
}

export class Network {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #hosts = new Map<number, Host>();
  readonly #links = new Map<string, LinkSpec>();
  readonly #busyUntilUs = new Map<string, number>();
  readonly #blocked = new Set<string>();
  readonly #flows = new Set<Flow>();
  readonly #watch: (flight: Flight) => void;
  #flights = 0;
  #flowIds = 0;
  /** Of links that have no other. */
  link: LinkSpec;

  /** @param watch  is told of every message when it is sent */
  constructor(scheduler: Scheduler, random: Random, link: LinkSpec, watch: (flight: Flight) => void) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.link = link;
    this.#watch = watch;
  }

  /** Gives a host an address. */
  bind(ip: number, port: number, host: Host): void {
    this.#hosts.set(key(ip, port), host);
  }

  unbind(ip: number, port: number): void {
    this.#hosts.delete(key(ip, port));
  }

  /** How the link from one host to another behaves; undefined: as the others. */
  setLink(from: string, to: string, spec: LinkSpec | undefined): void {
    if (spec === undefined) this.#links.delete(`${from}>${to}`);
    else this.#links.set(`${from}>${to}`, spec);
  }

  linkOf(from: string, to: string): LinkSpec {
    // Most networks have no other, and this is asked for each message.
    return this.#links.size === 0 ? this.link : (this.#links.get(`${from}>${to}`) ?? this.link);
  }

  /** Cuts one direction of a link, or mends it. */
  setBlocked(from: string, to: string, blocked: boolean): void {
    if (blocked) this.#blocked.add(`${from}>${to}`);
    else this.#blocked.delete(`${from}>${to}`);
  }

  isBlocked(from: string, to: string): boolean {
    return this.#blocked.size > 0 && this.#blocked.has(`${from}>${to}`);
  }

  /** Sends a datagram. */
  send(from: Host, fromIp: number, fromPort: number, toIp: number, toPort: number, packet: Packet): void {
    const host = this.#hosts.get(key(toIp, toPort));
    const way = { from: from.name, to: host?.name ?? '', fromIp, fromPort, toIp, toPort };
    const link = this.linkOf(way.from, way.to);
    let fate: Fate = 'arrives';
    if (host === undefined) fate = 'nobody there';
    else if (this.isBlocked(way.from, way.to)) fate = 'blocked';
    else if (packet.bytes.length > link.mtu) fate = 'too large';
    else if (this.#random.chance(link.lossPerMille)) fate = 'lost';
    const copies = fate === 'arrives' && this.#random.chance(link.duplicatePerMille) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const arrivesUs =
        fate === 'arrives'
          ? this.#arrival(way.from, way.to, link, packet.bytes.length)
          : this.#scheduler.nowUs;
      this.#watch({
        id: ++this.#flights,
        sentUs: this.#scheduler.nowUs,
        arrivesUs,
        ...way,
        transport: TRANSPORT_UDP,
        fate,
        copy: copy > 0,
        packet,
      });
      if (fate !== 'arrives') continue;
      this.#scheduler.at(arrivesUs, () => {
        // Whoever has the address by now.
        this.#hosts.get(key(toIp, toPort))?.receive({ fromIp, fromPort, toPort, flow: null, packet });
      });
    }
  }

  /** Connects; `opened` or `closed` of the client says how it went. */
  connect(
    client: Host,
    clientIp: number,
    clientPort: number,
    serverIp: number,
    serverPort: number,
    transport: number,
  ): Flow {
    const server = this.#hosts.get(key(serverIp, serverPort)) ?? null;
    const flow: Flow = {
      id: ++this.#flowIds,
      transport,
      client,
      clientIp,
      clientPort,
      server,
      serverIp,
      serverPort,
      open: false,
      lastUs: [0, 0],
    };
    const there = server?.name ?? '';
    const roundTripUs =
      this.#delay(this.linkOf(client.name, there)) + this.#delay(this.linkOf(there, client.name));
    const reachable = () => !this.isBlocked(client.name, there) && !this.isBlocked(there, client.name);
    const refused = server === null || !reachable();
    this.#scheduler.after(refused && server !== null ? STREAM_GIVES_UP_US : roundTripUs, () => {
      if (refused || !reachable() || server.accepts?.(serverPort) !== true) {
        client.closed?.(flow);
        return;
      }
      flow.open = true;
      this.#flows.add(flow);
      client.opened?.(flow);
    });
    return flow;
  }

  /** Sends a message on a stream, whole and in order. */
  write(flow: Flow, from: Host, packet: Packet): void {
    const toServer = from === flow.client;
    const to = toServer ? flow.server : flow.client;
    if (to === null) return;
    const blocked = this.isBlocked(from.name, to.name);
    const link = this.linkOf(from.name, to.name);
    const direction = toServer ? 1 : 0;
    const fate: Fate = flow.open ? (blocked ? 'blocked' : 'arrives') : 'closed';
    const arrivesUs =
      fate === 'arrives'
        ? Math.max(this.#arrival(from.name, to.name, link, packet.bytes.length), flow.lastUs[direction])
        : this.#scheduler.nowUs;
    flow.lastUs[direction] = arrivesUs;
    const [fromIp, fromPort, toIp, toPort] = toServer
      ? [flow.clientIp, flow.clientPort, flow.serverIp, flow.serverPort]
      : [flow.serverIp, flow.serverPort, flow.clientIp, flow.clientPort];
    this.#watch({
      id: ++this.#flights,
      sentUs: this.#scheduler.nowUs,
      arrivesUs,
      from: from.name,
      to: to.name,
      fromIp,
      fromPort,
      toIp,
      toPort,
      transport: flow.transport,
      fate,
      copy: false,
      packet,
    });
    if (fate === 'blocked') this.#scheduler.after(STREAM_GIVES_UP_US, () => this.close(flow));
    if (fate !== 'arrives') return;
    this.#scheduler.at(arrivesUs, () => {
      if (flow.open) to.receive({ fromIp, fromPort, toPort, flow, packet });
    });
  }

  /** Ends a stream; both sides are told (those that can still hear). */
  close(flow: Flow): void {
    if (!flow.open) return;
    flow.open = false;
    this.#flows.delete(flow);
    const there = flow.server?.name ?? '';
    this.#scheduler.after(this.#delay(this.linkOf(there, flow.client.name)), () =>
      flow.client.closed?.(flow),
    );
    flow.server?.closed?.(flow);
  }

  /** Ends all streams of a host that is no more. */
  closeAll(host: Host): void {
    for (const flow of [...this.#flows]) if (flow.client === host || flow.server === host) this.close(flow);
  }

  #delay(link: LinkSpec): number {
    const delay = link.latencyUs + this.#random.below(link.jitterUs + 1);
    return this.#random.chance(link.slowPerMille) ? delay * SLOWER : delay;
  }

  #arrival(from: string, to: string, link: LinkSpec, bytes: number): number {
    const now = this.#scheduler.nowUs;
    if (link.bytesPerS === 0) return now + this.#delay(link);
    const way = `${from}>${to}`;
    const beginUs = Math.max(now, this.#busyUntilUs.get(way) ?? 0);
    const sentUs = beginUs + Math.ceil((bytes * 1_000_000) / link.bytesPerS);
    this.#busyUntilUs.set(way, sentUs);
    return sentUs + this.#delay(link);
  }
}
