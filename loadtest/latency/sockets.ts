/** The prober's two UDP sockets, and the memory that its messages lie in. */
import { nowUs } from '../../switch/control/clock.ts';
import { parseAddress } from '../../wasm-core/host/address.ts';
import {
  BatchReceiver,
  BatchSender,
  openSyscalls,
  type Syscalls,
  VECTOR_ENTRY_BYTES,
} from '../../switch/realtime/udp.ts';

/** Datagrams taken at a time. */
const SLOTS = 64;
const HEADER_BYTES = 64;
const PAYLOAD_BYTES = 4_096 - HEADER_BYTES;
const STRIDE = HEADER_BYTES + PAYLOAD_BYTES;
/** Of a header: length, and time of arrival. */
const LENGTH = 4;
const TIME = 32;
const CONTROL_BYTES = 64;
const VECTOR_BYTES = SLOTS * (VECTOR_ENTRY_BYTES + CONTROL_BYTES);
const PAGE_BYTES = 65_536;
const BUFFER_BYTES = 32 << 20;
/** Readings of which the quickest counts when clocks are compared. */
const CLOCK_READINGS = 5;

/** Memory of a probe: what comes in, what goes out, and room for the caller of `extraBytes`. */
export class Sockets {
  readonly memory: Buffer;
  /** Where a message is written before it is sent. */
  readonly out: number;
  /** Where the extra room begins. */
  readonly extra: number;
  readonly #view: DataView;
  readonly #sys: Syscalls;
  readonly #fds: [number, number];
  readonly #slots: [number, number];
  readonly #receivers: [BatchReceiver, BatchReceiver];
  readonly #sender: BatchSender;
  readonly #address: number;

  constructor(extraBytes: number) {
    const sys = openSyscalls();
    this.#sys = sys;
    sys.exactTimers();
    const vectors = [0, VECTOR_BYTES, 2 * VECTOR_BYTES];
    const slots = Math.ceil((3 * VECTOR_BYTES) / 4_096) * 4_096;
    this.#slots = [slots, slots + SLOTS * STRIDE];
    this.out = slots + 2 * SLOTS * STRIDE;
    this.#address = this.out + PAYLOAD_BYTES;
    this.extra = this.out + 2 * PAYLOAD_BYTES;
    const pages = Math.ceil((this.extra + extraBytes) / PAGE_BYTES);
    const wasm = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.memory = Buffer.from(wasm.buffer);
    this.#view = new DataView(wasm.buffer);
    const receiver = (side: 0 | 1) =>
      new BatchReceiver(sys, wasm, {
        vectorPtr: vectors[side]!,
        vectorBytes: VECTOR_BYTES,
        slotPtr: this.#slots[side],
        slotStride: STRIDE,
        headerBytes: HEADER_BYTES,
        payloadBytes: PAYLOAD_BYTES,
        slots: SLOTS,
        stamps: true,
      });
    this.#receivers = [receiver(0), receiver(1)];
    this.#sender = new BatchSender(sys, wasm, { vectorPtr: vectors[2]!, vectorBytes: VECTOR_BYTES });
    this.#fds = [sys.openUdp('127.0.0.1', 0, BUFFER_BYTES), sys.openUdp('127.0.0.1', 0, BUFFER_BYTES)];
    for (const fd of this.#fds) sys.stampArrivals(fd);
  }

  /** Port of side 0 (the caller) or 1 (the called side). */
  port(side: 0 | 1): number {
    return this.#sys.localPort(this.#fds[side]);
  }

  /** Sets where messages go. */
  aim(address: string): void {
    this.memory.set(parseAddress(address)!, this.#address);
  }

  /** Compares the clock of the stamps with `nowUs`; a reading during which this thread was interrupted would be ms off. */
  setClock(): void {
    let offset = 0;
    let quickestUs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < CLOCK_READINGS; i++) {
      const before = nowUs();
      const stampClockUs = this.#sys.realtimeUs();
      const tookUs = nowUs() - before;
      if (tookUs >= quickestUs) continue;
      quickestUs = tookUs;
      offset = stampClockUs - before - tookUs / 2;
    }
    for (const receiver of this.#receivers) receiver.clockOffsetUs = offset;
  }

  /** Sends what was written at `out`, `length` bytes. False when the system did not take it. */
  send(side: 0 | 1, length: number, port: number): boolean {
    this.#sender.add(this.out, length, this.#address, port);
    return this.#sender.flush(this.#fds[side]) === 0;
  }

  /** Takes what has come for a side; returns how many datagrams. */
  receive(side: 0 | 1): number {
    return this.#receivers[side].receive(this.#fds[side], 0, SLOTS);
  }

  /** Where datagram `i` of the last `receive` lies. */
  at(side: 0 | 1, i: number): number {
    return this.#slots[side] + i * STRIDE + HEADER_BYTES;
  }

  lengthOf(at: number): number {
    return this.#view.getUint32(at - HEADER_BYTES + LENGTH, true);
  }

  /** When it arrived, in the time of `nowUs`. */
  arrivedUs(at: number): number {
    return this.#view.getFloat64(at - HEADER_BYTES + TIME, true);
  }

  /** Waits for a datagram on either side. */
  wait(timeoutUs: number): void {
    this.#sys.waitReadable(this.#fds, -1, timeoutUs);
  }

  /** Datagrams so far for which one of the two sockets had no room. */
  get drops(): number {
    return this.#fds.reduce((sum, fd) => sum + this.#sys.socketDrops(fd), 0);
  }

  close(): void {
    for (const fd of this.#fds) this.#sys.close(fd);
  }
}
