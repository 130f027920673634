/**
 * Flows: connections of stream transports (TCP, WebSocket), numbered for the core. Cookies name them, and outlive the node that
 * wrote them: so the numbers of one epoch, about a million, are not those of the 4,095 before it.
 */
import { formatAddress } from '../../../wasm-core/host/address.ts';
import { contains, type Network } from '../config/network.ts';

/** One connection. */
export interface Flow {
  /** TRANSPORT_*. */
  readonly transport: number;
  /** Remote address, 16 bytes. */
  readonly address: Uint8Array;
  /** Remote port, 0 where the server doesn't tell it. */
  readonly port: number;
  /** Sends one SIP message; `message` is only valid during the call. */
  send(message: Uint8Array): void;
  /** Closes after what was sent before. */
  close(): void;
}

/** Bounds on connections. */
export interface FlowLimits {
  /** Connections in all. */
  connections: number;
  /** Connections of one address outside the trusted networks. */
  connectionsPerSource: number;
  trusted: readonly Network[];
}

/** A number: 12 bits of the epoch, 20 bits that count. */
const COUNT_BITS = 20;
const COUNT_MASK = (1 << COUNT_BITS) - 1;
const EPOCH_MASK = 0xfff;

/** Why a connection was not taken. */
export type Refusal = 'full' | 'source-full';

/** All connections of a node. */
export class Flows {
  readonly #limits: FlowLimits;
  readonly #flows = new Map<number, Flow>();
  readonly #sources = new Map<string, number>();
  #base = 0;
  #last = 0;
  /** Connections not taken, by cause. */
  readonly refused: Record<Refusal, number> = { full: 0, 'source-full': 0 };

  constructor(limits: FlowLimits) {
    this.#limits = limits;
  }

  /** Whether a connection from `address` may be taken; a refusal is counted. */
  admit(address: Uint8Array): Refusal | null {
    const refusal = this.#refusal(address);
    if (refusal !== null) this.refused[refusal]++;
    return refusal;
  }

  #refusal(address: Uint8Array): Refusal | null {
    if (this.#flows.size >= this.#limits.connections) return 'full';
    if (this.#limits.trusted.some((network) => contains(network, address))) return null;
    const open = this.#sources.get(formatAddress(address)) ?? 0;
    return open >= this.#limits.connectionsPerSource ? 'source-full' : null;
  }

  /** Numbers from now on are of this epoch. */
  begin(epoch: number): void {
    this.#base = ((epoch & EPOCH_MASK) << COUNT_BITS) >>> 0;
  }

  /** Numbers a connection (1..2³²-1). */
  add(flow: Flow): number {
    let id: number;
    do {
      this.#last = (this.#last + 1) & COUNT_MASK;
      id = this.#base + this.#last;
    } while (id === 0 || this.#flows.has(id));
    this.#flows.set(id, flow);
    const source = formatAddress(flow.address);
    this.#sources.set(source, (this.#sources.get(source) ?? 0) + 1);
    return id;
  }

  get(id: number): Flow | undefined {
    return this.#flows.get(id);
  }

  /** Forgets a connection. @returns false when it was not known. */
  remove(id: number): boolean {
    const flow = this.#flows.get(id);
    if (flow === undefined) return false;
    this.#flows.delete(id);
    const source = formatAddress(flow.address);
    const open = (this.#sources.get(source) ?? 1) - 1;
    if (open > 0) this.#sources.set(source, open);
    else this.#sources.delete(source);
    return true;
  }

  get size(): number {
    return this.#flows.size;
  }

  /** Open connections of a transport. */
  count(transport: number): number {
    let count = 0;
    for (const flow of this.#flows.values()) if (flow.transport === transport) count++;
    return count;
  }
}
