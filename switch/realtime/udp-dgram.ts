/**
 * UDP for the realtime thread on systems without recvmmsg: the same slots and batches as udp.ts, over node:dgram.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { F_ADDRESS, F_LENGTH, F_PORT, F_TIME } from '../../wasm-core/assembly/abi.ts';
import { formatAddress, isMappedIPv4, parseAddress } from '../../wasm-core/host/address.ts';
import { nowUs } from '../control/clock.ts';
import type { ReceiveLayout } from './udp.ts';
import type { UdpAreas, UdpPort } from './udp-port.ts';

/** Datagrams that wait in one socket's queue; what comes beyond them is dropped and counted. */
const QUEUE_MAX = 1024;
const SOCKET_BUFFER_BYTES = 4 << 20;

interface Datagram {
  bytes: Uint8Array;
  from: RemoteInfo;
  /** When it came. */
  timeUs: number;
}

interface Bound {
  socket: Socket;
  queue: Datagram[];
}

interface Outgoing {
  payloadPtr: number;
  length: number;
  address: string;
  port: number;
}

/** {@link UdpPort} by node:dgram. */
export class DgramUdp implements UdpPort {
  #bytes: Uint8Array;
  #view: DataView;
  #layout: ReceiveLayout;
  readonly #sleeping: Int32Array;
  readonly #bound = new Map<number, Bound>();
  #outgoing: Outgoing[] = [];
  #lastHandle = 0;
  #dropped = 0;
  #lost = 0;
  #arrival: (() => void) | null = null;

  constructor(memory: WebAssembly.Memory, areas: UdpAreas, sleeping: SharedArrayBuffer) {
    this.#bytes = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
    this.#layout = areas.receive;
    this.#sleeping = new Int32Array(sleeping);
  }

  setMemory(memory: WebAssembly.Memory, areas: UdpAreas): void {
    this.#bytes = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
    this.#layout = areas.receive;
  }

  async open(address: string, port: number): Promise<number> {
    if (parseAddress(address) === null) throw new Error(`'${address}' is not an IP address`);
    const type = address.includes(':') ? 'udp6' : 'udp4';
    const socket = createSocket({ type, ipv6Only: type === 'udp6', lookup: takeAsItIs });
    const listening = once(socket, 'listening'); // before bind: with a lookup that does not wait, it comes at once
    socket.bind(port, address);
    await listening.catch((error: Error) => {
      socket.close();
      throw new Error(
        `UDP ${address}:${port} can't be bound (${error.message}); is another program using it?`,
      );
    });
    socket.setRecvBufferSize(SOCKET_BUFFER_BYTES);
    socket.setSendBufferSize(SOCKET_BUFFER_BYTES);
    const bound: Bound = { socket, queue: [] };
    socket.on('message', (bytes, from) => this.#arrived(bound, bytes, from));
    socket.on('error', () => this.#lost++);
    this.#bound.set(++this.#lastHandle, bound);
    return this.#lastHandle;
  }

  localPort(handle: number): number {
    return this.#get(handle).socket.address().port;
  }

  receive(handle: number, first: number, count: number): number {
    const { queue } = this.#get(handle);
    const taken = queue.splice(0, Math.min(count, this.#layout.slots - first));
    taken.forEach((datagram, i) => {
      this.#fill(this.#layout.slotPtr + (first + i) * this.#layout.slotStride, datagram);
    });
    return taken.length;
  }

  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  prepareThread(): void {
    // The event loop decides.
  }

  scheduleAsBatch(): void {
    // Only with system calls.
  }

  pause(): boolean {
    return false;
  }

  setClock(): void {
    // Stamps are this process's own.
  }

  add(payloadPtr: number, length: number, addressPtr: number, port: number): boolean {
    if (this.#outgoing.length === QUEUE_MAX) return false;
    const address = formatAddress(this.#bytes.subarray(addressPtr, addressPtr + 16));
    this.#outgoing.push({ payloadPtr, length, address, port });
    return true;
  }

  /** What the system refuses is known only later: it counts as left out of a later batch. */
  flush(handle: number): number {
    const { socket } = this.#get(handle);
    for (const { payloadPtr, length, address, port } of this.#outgoing) {
      // A copy: the system sends after this turn, when the memory may hold something else.
      const bytes = this.#bytes.slice(payloadPtr, payloadPtr + length);
      if (port === 0) this.#lost++;
      else socket.send(bytes, port, address, (error) => error !== null && this.#lost++);
    }
    this.#outgoing = [];
    const lost = this.#lost;
    this.#lost = 0;
    return lost;
  }

  wait(timeoutUs: number): Promise<void> | undefined {
    for (const { queue } of this.#bound.values()) {
      // Others have their turn even when datagrams never stop coming.
      if (queue.length > 0) return new Promise((resolve) => setImmediate(resolve));
    }
    const arrival = new Promise<void>((resolve) => {
      this.#arrival = resolve;
    });
    const woken = Atomics.waitAsync(this.#sleeping, 0, 1, timeoutUs / 1_000);
    if (!woken.async) return new Promise((resolve) => setImmediate(resolve));
    return Promise.race([arrival, woken.value.then(() => undefined)]);
  }

  close(handle: number): void {
    this.#get(handle).socket.close();
    this.#bound.delete(handle);
  }

  #get(handle: number): Bound {
    const bound = this.#bound.get(handle);
    if (bound === undefined) throw new Error(`no socket has handle ${handle}`);
    return bound;
  }

  #arrived(bound: Bound, bytes: Uint8Array, from: RemoteInfo): void {
    if (bound.queue.length === QUEUE_MAX) this.#dropped++;
    else bound.queue.push({ bytes, from, timeUs: nowUs() });
    this.#arrival?.();
    this.#arrival = null;
  }

  #fill(frame: number, { bytes, from, timeUs }: Datagram): void {
    const fits = bytes.length <= this.#layout.payloadBytes;
    if (fits) this.#bytes.set(bytes, frame + this.#layout.headerBytes);
    else this.#dropped++;
    this.#view.setUint32(frame + F_LENGTH, fits ? bytes.length : 0, true);
    this.#view.setUint16(frame + F_PORT, from.port, true);
    this.#view.setFloat64(frame + F_TIME, this.#layout.stamps ? timeUs : 0, true);
    const [address = ''] = from.address.split('%'); // without the zone of a link-local address
    this.#bytes.set(parseAddress(address)!, frame + F_ADDRESS);
  }
}

/** Addresses are numeric: without this, each datagram would ask the resolver. */
function takeAsItIs(
  address: string,
  _options: unknown,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, address, isMappedIPv4(parseAddress(address)!) ? 4 : 6);
}
