/** A phone's way to the network: its UDP address, or a stream to its node that is opened when there is something to send. */
import { TRANSPORT_TCP, TRANSPORT_UDP, TRANSPORT_WS } from '../../assembly/abi.ts';
import { type Arrival, type Flow, ipText } from '../network.ts';
import { SIP_PORT, WS_PORT } from '../node.ts';
import type { Packet } from '../packet.ts';
import type { Phone } from './phone.ts';

/** What waits for a stream to open. */
const QUEUE_MAX = 64;
const FIRST_CLIENT_PORT = 40_000;
const CLIENT_PORTS = 20_000;

export class Wire {
  readonly #phone: Phone;
  readonly #transport: number;
  readonly #queue: Packet[] = [];
  #flow: Flow | null = null;
  #connections = 0;

  constructor(phone: Phone) {
    this.#phone = phone;
    this.#transport = phone.spec.transport;
    if (this.isReliable === (this.#transport === TRANSPORT_UDP)) {
      throw new RangeError(`${phone.name}: no phone speaks transport ${this.#transport}`);
    }
    this.bind();
  }

  get isReliable(): boolean {
    return this.#transport === TRANSPORT_TCP || this.#transport === TRANSPORT_WS;
  }

  /** Via without its parameters. A browser has no address to tell (RFC 7118 5.3). */
  get sentBy(): string {
    const { ip, port, name } = this.#phone;
    switch (this.#transport) {
      case TRANSPORT_UDP:
        return `SIP/2.0/UDP ${ipText(ip)}:${port}`;
      case TRANSPORT_TCP:
        return `SIP/2.0/TCP ${ipText(ip)}:${port}`;
      default:
        return `SIP/2.0/WS ${name}.invalid`;
    }
  }

  /** URI that the phone is reached by. */
  get contactUri(): string {
    const { ip, port, name, spec } = this.#phone;
    switch (this.#transport) {
      case TRANSPORT_UDP:
        return `sip:${spec.user}@${ipText(ip)}:${port}`;
      case TRANSPORT_TCP:
        return `sip:${spec.user}@${ipText(ip)}:${port};transport=tcp`;
      default:
        return `sip:${spec.user}@${name}.invalid;transport=ws`;
    }
  }

  /** Takes the phone's address. */
  bind(): void {
    const { ip, port, world } = this.#phone;
    if (this.#transport === TRANSPORT_UDP) world.network.bind(ip, port, this.#phone);
  }

  unbind(): void {
    const { ip, port, world } = this.#phone;
    if (this.#transport === TRANSPORT_UDP) world.network.unbind(ip, port);
  }

  /** Ends the stream; the next message opens another. */
  hangUp(): void {
    const flow = this.#flow;
    this.#flow = null;
    this.#queue.length = 0;
    if (flow !== null) this.#phone.world.network.close(flow);
  }

  hears(arrival: Arrival): boolean {
    return arrival.flow === null || arrival.flow === this.#flow;
  }

  send(packet: Packet, ip: number, port: number): void {
    const { hostile } = this.#phone;
    if (hostile === null) this.#send(packet, ip, port);
    else for (const other of hostile.instead(packet)) this.#send(other, ip, port);
  }

  #send(packet: Packet, ip: number, port: number): void {
    const { network } = this.#phone.world;
    if (!this.isReliable) {
      network.send(this.#phone, this.#phone.ip, this.#phone.port, ip, port, packet);
    } else if (this.#flow?.open === true) {
      network.write(this.#flow, this.#phone, packet);
    } else {
      if (this.#queue.length < QUEUE_MAX) this.#queue.push(packet);
      if (this.#flow === null) this.#connect();
    }
  }

  opened(flow: Flow): void {
    if (flow !== this.#flow) {
      this.#phone.world.network.close(flow);
      return;
    }
    for (const packet of this.#queue.splice(0)) this.#phone.world.network.write(flow, this.#phone, packet);
  }

  /** @returns whether it was the phone's present stream */
  closed(flow: Flow): boolean {
    if (flow !== this.#flow) return false;
    this.#flow = null;
    this.#queue.length = 0;
    return true;
  }

  #connect(): void {
    const { ip, nodeIp, world } = this.#phone;
    const clientPort = FIRST_CLIENT_PORT + (this.#connections++ % CLIENT_PORTS);
    const port = this.#transport === TRANSPORT_WS ? WS_PORT : SIP_PORT;
    this.#flow = world.network.connect(this.#phone, ip, clientPort, nodeIp, port, this.#transport);
  }
}
