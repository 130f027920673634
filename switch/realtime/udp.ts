/**
 * Batched UDP for the realtime threads: recvmmsg and sendmmsg straight into and out of WebAssembly memory.
 * No allocation per packet.
 */
import koffi from 'koffi';
import { AF_INET6, SOCKADDR_IN6_BYTES, writeSocketAddress } from './sockaddr.ts';
import type { Syscalls } from './syscalls.ts';

export { EpollEvents, openSyscalls, type Syscalls } from './syscalls.ts';

const MSG_TRUNC = 0x20;
const EINTR = 4;
const EAGAIN = 11;
const ECONNREFUSED = 111;

/** Sizes of struct mmsghdr, iovec and sockaddr_in6, and where their fields are. */
const MMSGHDR_BYTES = 64;
const MSG_NAME = 0;
const MSG_NAMELEN = 8;
const MSG_IOV = 16;
const MSG_IOVLEN = 24;
const MSG_FLAGS = 48;
const MSG_LEN = 56;
const IOVEC_BYTES = 16;
const NAME_BYTES = 32;
/** Room for one control message: the time of arrival. */
const CONTROL_BYTES = 64;
const MSG_CONTROL = 32;
const MSG_CONTROLLEN = 40;
/** In a control buffer: struct cmsghdr, then struct timespec. */
const CMSG_TYPE = 12;
const CMSG_SECONDS = 16;
const CMSG_NANOSECONDS = 24;
const SCM_TIMESTAMPNS = 35;
/** Of a vector area, for each datagram of a batch. */
export const VECTOR_ENTRY_BYTES = MMSGHDR_BYTES + IOVEC_BYTES + NAME_BYTES;

/** A piece of WebAssembly memory for the structures of the system calls. */
export interface VectorArea {
  vectorPtr: number;
  vectorBytes: number;
}

/** Where datagrams are received: slots of `slotStride` bytes, each a header and a payload. */
export interface ReceiveLayout extends VectorArea {
  slotPtr: number;
  slotStride: number;
  headerBytes: number;
  payloadBytes: number;
  slots: number;
  /** Write into each header when the datagram came, by the kernel's stamp; the sockets must ask for stamps. */
  stamps?: boolean;
}

/** mmsghdr, iovec and sockaddr of `count` messages in WebAssembly memory. */
class Vectors {
  readonly bytes: Uint8Array;
  readonly u32: Uint32Array;
  readonly count: number;
  readonly #area: number;
  readonly #baseLow: number;
  readonly #baseHigh: number;

  /** @param controls make room for control messages, CONTROL_BYTES more for each datagram. */
  constructor(memory: WebAssembly.Memory, area: VectorArea, controls = false) {
    this.bytes = new Uint8Array(memory.buffer);
    this.u32 = new Uint32Array(memory.buffer);
    this.count = Math.floor(area.vectorBytes / (VECTOR_ENTRY_BYTES + (controls ? CONTROL_BYTES : 0)));
    this.#area = area.vectorPtr;
    const base = BigInt(koffi.address(this.bytes));
    this.#baseLow = Number(base & 0xffffffffn);
    this.#baseHigh = Number(base >> 32n);
    const view = new DataView(memory.buffer);
    for (let i = 0; i < this.count; i++) {
      const header = this.header(i);
      view.setBigUint64(header + MSG_NAME, base + BigInt(this.name(i)), true);
      view.setUint32(header + MSG_NAMELEN, SOCKADDR_IN6_BYTES, true);
      view.setBigUint64(header + MSG_IOV, base + BigInt(this.iovec(i)), true);
      view.setBigUint64(header + MSG_IOVLEN, 1n, true);
      view.setBigUint64(header + MSG_IOVLEN + 8, 0n, true);
      view.setBigUint64(header + MSG_IOVLEN + 16, 0n, true);
      view.setUint32(header + MSG_FLAGS, 0, true);
    }
  }

  header(i: number): number {
    return this.#area + i * MMSGHDR_BYTES;
  }

  iovec(i: number): number {
    return this.#area + this.count * MMSGHDR_BYTES + i * IOVEC_BYTES;
  }

  name(i: number): number {
    return this.#area + this.count * (MMSGHDR_BYTES + IOVEC_BYTES) + i * NAME_BYTES;
  }

  control(i: number): number {
    return this.#area + this.count * (MMSGHDR_BYTES + IOVEC_BYTES + NAME_BYTES) + i * CONTROL_BYTES;
  }

  /** Asks for control messages with each datagram. */
  controls(): void {
    for (let i = 0; i < this.count; i++) {
      const low = this.#baseLow + this.control(i);
      const at = (this.header(i) + MSG_CONTROL) >> 2;
      this.u32[at] = low >>> 0;
      this.u32[at + 1] = this.#baseHigh + (low > 0xffffffff ? 1 : 0);
      this.u32[at + 2] = CONTROL_BYTES;
    }
  }

  /** Sets the buffer of message `i`. Pointers are made of two words: 64-bit numbers would cost an allocation each. */
  buffer(i: number, ptr: number, length: number): void {
    const low = this.#baseLow + ptr;
    const at = this.iovec(i) >> 2;
    this.u32[at] = low >>> 0;
    this.u32[at + 1] = this.#baseHigh + (low > 0xffffffff ? 1 : 0);
    this.u32[at + 2] = length;
    this.u32[at + 3] = 0;
  }

  /** The vector from message `first` on. */
  from(first: number): Uint8Array {
    return this.bytes.subarray(this.header(first), this.header(this.count));
  }
}

// Offsets in a frame header (abi.ts).
const FRAME_LENGTH = 4;
const FRAME_PORT = 12;
const FRAME_ADDRESS = 16;
const FRAME_TIME = 32;

/** Receives datagrams into slots. */
export class BatchReceiver {
  readonly #sys: Syscalls;
  readonly #vectors: Vectors;
  readonly #layout: ReceiveLayout;
  readonly #from: Uint8Array[];
  readonly #f64: Float64Array;
  #dropped = 0;
  /** What to subtract from a stamp (µs since the epoch by the system's clock) to have the time of `nowUs`. */
  clockOffsetUs = 0;

  constructor(sys: Syscalls, memory: WebAssembly.Memory, layout: ReceiveLayout) {
    this.#sys = sys;
    this.#layout = layout;
    this.#vectors = new Vectors(memory, layout, layout.stamps);
    if (this.#vectors.count < layout.slots) throw new RangeError('too little room for the vectors');
    for (let i = 0; i < layout.slots; i++) {
      this.#vectors.buffer(
        i,
        layout.slotPtr + i * layout.slotStride + layout.headerBytes,
        layout.payloadBytes,
      );
    }
    this.#from = Array.from({ length: layout.slots }, (_, i) => this.#vectors.from(i));
    this.#f64 = new Float64Array(memory.buffer);
    if (layout.stamps) this.#vectors.controls();
  }

  /**
   * Receives at most `count` datagrams into the slots from `first` on, without waiting, and fills in length, source
   * address and port of their headers. Truncated ones are counted and become empty. Returns how many came.
   */
  receive(fd: number, first: number, count: number): number {
    const received = this.#sys.recvmmsg(fd, this.#from[first]!, count);
    if (received <= 0) return 0;
    const { bytes, u32 } = this.#vectors;
    for (let slot = first; slot < first + received; slot++) {
      const header = this.#vectors.header(slot);
      const frame = this.#layout.slotPtr + slot * this.#layout.slotStride;
      const truncated = (u32[(header + MSG_FLAGS) >> 2]! & MSG_TRUNC) !== 0;
      if (truncated) this.#dropped++;
      u32[(frame + FRAME_LENGTH) >> 2] = truncated ? 0 : u32[(header + MSG_LEN) >> 2]!;
      u32[(header + MSG_NAMELEN) >> 2] = SOCKADDR_IN6_BYTES;
      this.#source(bytes, frame, this.#vectors.name(slot));
      if (this.#layout.stamps) this.#stamp(slot, header, frame);
      else this.#f64[(frame + FRAME_TIME) >> 3] = 0;
    }
    return received;
  }

  /** 0 when the kernel gave no stamp, as for what came before it was asked to. */
  #stamp(slot: number, header: number, frame: number): void {
    const { u32 } = this.#vectors;
    const control = this.#vectors.control(slot) >> 2;
    const given =
      u32[(header + MSG_CONTROLLEN) >> 2] !== 0 && u32[control + (CMSG_TYPE >> 2)] === SCM_TIMESTAMPNS;
    const us = u32[control + (CMSG_SECONDS >> 2)]! * 1e6 + u32[control + (CMSG_NANOSECONDS >> 2)]! / 1e3;
    this.#f64[(frame + FRAME_TIME) >> 3] = given ? us - this.clockOffsetUs : 0;
    u32[(header + MSG_CONTROLLEN) >> 2] = CONTROL_BYTES;
  }

  #source(bytes: Uint8Array, frame: number, name: number): void {
    bytes[frame + FRAME_PORT] = bytes[name + 3]!;
    bytes[frame + FRAME_PORT + 1] = bytes[name + 2]!;
    const address = frame + FRAME_ADDRESS;
    if (bytes[name] === AF_INET6) {
      bytes.copyWithin(address, name + 8, name + 24);
      return;
    }
    const words = this.#vectors.u32;
    words[address >> 2] = 0;
    words[(address >> 2) + 1] = 0;
    words[(address >> 2) + 2] = 0xffff0000;
    words[(address >> 2) + 3] = words[(name + 4) >> 2]!;
  }

  /** Datagrams dropped since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }
}

/** Gathers datagrams and sends them together. */
export class BatchSender {
  readonly #sys: Syscalls;
  readonly #vectors: Vectors;
  readonly #from: Uint8Array[];
  #count = 0;

  constructor(sys: Syscalls, memory: WebAssembly.Memory, area: VectorArea) {
    this.#sys = sys;
    this.#vectors = new Vectors(memory, area);
    this.#from = Array.from({ length: this.#vectors.count }, (_, i) => this.#vectors.from(i));
  }

  /** Adds a datagram; payload and address must stay until `flush`. Returns false when the batch is full. */
  add(payloadPtr: number, length: number, addressPtr: number, port: number): boolean {
    if (this.#count === this.#vectors.count) return false;
    const i = this.#count++;
    const { bytes, u32 } = this.#vectors;
    const nameLength = writeSocketAddress(bytes, this.#vectors.name(i), bytes, addressPtr, port);
    u32[(this.#vectors.header(i) + MSG_NAMELEN) >> 2] = nameLength;
    this.#vectors.buffer(i, payloadPtr, length);
    return true;
  }

  /**
   * Sends what was added. A datagram that the system refuses (no route, too large) is left out; when the socket's
   * buffer is full, the rest is. Returns how many were left out.
   */
  flush(fd: number): number {
    let at = 0;
    let lost = 0;
    let retried = -1;
    while (at < this.#count) {
      const sent = this.#sys.sendmmsg(fd, this.#from[at]!, this.#count - at);
      if (sent > 0) {
        at += sent;
        continue;
      }
      const code = this.#sys.errno();
      if (code === EINTR) continue;
      if (code === EAGAIN) {
        lost += this.#count - at;
        break;
      }
      // An ICMP error of an earlier datagram is told once, instead of sending this one.
      if (code === ECONNREFUSED && retried !== at) {
        retried = at;
        continue;
      }
      at++;
      lost++;
    }
    this.#count = 0;
    return lost;
  }

  /** Datagrams added and not yet sent. */
  get pending(): number {
    return this.#count;
  }
}
