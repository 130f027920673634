/**
 * Batched UDP for the realtime threads: recvmmsg and sendmmsg through koffi, straight into and out of
 * WebAssembly memory (docs/decisions). No allocation per packet. Linux only; see udp-dgram.ts for elsewhere.
 */
import koffi from 'koffi';

// Linux x86-64 and arm64 share these numbers.
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const MSG_DONTWAIT = 0x40;
const MSG_TRUNC = 0x20;
const EFD_NONBLOCK = 0x800;
const EFD_CLOEXEC = 0x80000;
const POLLIN = 1;
const EINTR = 4;

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
const ENTRY_BYTES = MMSGHDR_BYTES + IOVEC_BYTES + NAME_BYTES;
const SOCKADDR_IN_BYTES = 16;
const SOCKADDR_IN6_BYTES = 28;

/** Socket buffers: enough for some hundred ms of a busy line. The system may grant less. */
const SOCKET_BUFFER_BYTES = 4 << 20;

/** The system calls of the realtime threads. */
export interface Syscalls {
  recvmmsg(fd: number, vector: Uint8Array, count: number): number;
  sendmmsg(fd: number, vector: Uint8Array, count: number): number;
  /** A bound UDP socket. @throws when the address can't be had. */
  openUdp(address: string, port: number): number;
  eventfdCreate(): number;
  eventfdSignal(fd: number): void;
  /** Waits until one of the sockets or the eventfd is readable (and resets the eventfd), at most `timeoutUs`. */
  waitReadable(fds: readonly number[], eventFd: number, timeoutUs: number): void;
  close(fd: number): void;
  errno(): number;
}

let opened: Syscalls | null = null;

/** The system calls, bound once per thread. @throws on other systems than Linux. */
export function openSyscalls(): Syscalls {
  opened ??= bindSyscalls();
  return opened;
}

function bindSyscalls(): Syscalls {
  if (process.platform !== 'linux') throw new Error('batched UDP needs Linux');
  const libc = koffi.load('libc.so.6');
  const socket = libc.func('int socket(int, int, int)');
  const bind = libc.func('int bind(int, void*, uint32)');
  const setsockopt = libc.func('int setsockopt(int, int, int, void*, uint32)');
  const recvmmsg = libc.func('int recvmmsg(int, void*, uint32, int, void*)');
  const sendmmsg = libc.func('int sendmmsg(int, void*, uint32, int)');
  const ppoll = libc.func('int ppoll(void*, uint64, void*, void*)');
  const eventfd = libc.func('int eventfd(uint32, int)');
  const write = libc.func('int64 write(int, void*, uint64)');
  const read = libc.func('int64 read(int, void*, uint64)');
  const close = libc.func('int close(int)');

  const one = Buffer.alloc(8);
  one.writeBigUInt64LE(1n);
  const scratch = Buffer.alloc(8);
  const pollBytes = new Uint8Array(8 * 64);
  const pollView = new DataView(pollBytes.buffer);
  const timeout = new Uint8Array(16);
  const timeoutView = new DataView(timeout.buffer);
  const errno = () => koffi.errno();

  const option = (fd: number, level: number, name: number, value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    setsockopt(fd, level, name, bytes, 4);
  };

  return {
    recvmmsg: (fd, vector, count) => recvmmsg(fd, vector, count, MSG_DONTWAIT, null),
    sendmmsg: (fd, vector, count) => sendmmsg(fd, vector, count, 0),
    openUdp(address, port) {
      const v6 = address.includes(':');
      const fd: number = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      if (fd < 0) throw new Error(`no UDP socket (errno ${errno()})`);
      option(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER_BYTES);
      option(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER_BYTES);
      if (v6) option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
      const name = socketAddress(parseAddress(address), port);
      if (bind(fd, name, name.length) < 0) {
        const code = errno();
        close(fd);
        throw new Error(
          `UDP ${address}:${port} can't be bound (errno ${code}); is another program using it?`,
        );
      }
      return fd;
    },
    eventfdCreate: () => eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
    eventfdSignal(fd) {
      write(fd, one, 8);
    },
    waitReadable(fds, eventFd, timeoutUs) {
      for (let i = 0; i < fds.length; i++) pollEntry(pollView, i, fds[i]!);
      pollEntry(pollView, fds.length, eventFd);
      const us = Math.max(0, Math.floor(timeoutUs));
      timeoutView.setUint32(0, Math.floor(us / 1e6), true);
      timeoutView.setUint32(8, (us % 1e6) * 1000, true);
      if (ppoll(pollBytes, fds.length + 1, timeout, null) > 0) {
        if ((pollView.getInt16(fds.length * 8 + 6, true) & POLLIN) !== 0) read(eventFd, scratch, 8);
      }
    },
    close(fd) {
      close(fd);
    },
    errno,
  };
}

function pollEntry(view: DataView, i: number, fd: number): void {
  view.setInt32(i * 8, fd, true);
  view.setInt32(i * 8 + 4, POLLIN, true);
}

/** 16 bytes of an IPv6 address, or of an IPv4 address as IPv4-mapped. @throws when it is neither. */
export function parseAddress(address: string): Uint8Array {
  const bytes = new Uint8Array(16);
  if (!address.includes(':')) {
    const parts = address.split('.').map(Number);
    if (parts.length !== 4 || parts.some((p) => !Number.isInteger(p) || p < 0 || p > 255)) {
      throw new Error(`'${address}' is not an IP address`);
    }
    bytes.set([0xff, 0xff, ...parts], 10);
    return bytes;
  }
  const [left = '', right] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((g) => Number.parseInt(g, 16)));
  const head = groups(left);
  const tail = right === undefined ? [] : groups(right);
  const all =
    right === undefined ? head : [...head, ...new Array(8 - head.length - tail.length).fill(0), ...tail];
  if (all.length !== 8 || all.some((g) => Number.isNaN(g)))
    throw new Error(`'${address}' is not an IP address`);
  all.forEach((group, i) => {
    bytes[i * 2] = group >> 8;
    bytes[i * 2 + 1] = group & 255;
  });
  return bytes;
}

function isMapped(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 10; i++) if (bytes[at + i] !== 0) return false;
  return bytes[at + 10] === 0xff && bytes[at + 11] === 0xff;
}

/** struct sockaddr_in or sockaddr_in6 of a 16-byte address. */
function socketAddress(address: Uint8Array, port: number): Uint8Array {
  const name = new Uint8Array(SOCKADDR_IN6_BYTES);
  const length = writeSocketAddress(name, 0, address, 0, port);
  return name.subarray(0, length);
}

/** Writes a sockaddr at `to` and returns its length. */
function writeSocketAddress(
  to: Uint8Array,
  at: number,
  from: Uint8Array,
  address: number,
  port: number,
): number {
  const v4 = isMapped(from, address);
  to[at] = v4 ? AF_INET : AF_INET6;
  to[at + 1] = 0;
  to[at + 2] = port >> 8;
  to[at + 3] = port & 255;
  if (v4) {
    for (let i = 0; i < 4; i++) to[at + 4 + i] = from[address + 12 + i]!;
    return SOCKADDR_IN_BYTES;
  }
  for (let i = 0; i < 4; i++) to[at + 4 + i] = 0; // flow information
  for (let i = 0; i < 16; i++) to[at + 8 + i] = from[address + i]!;
  for (let i = 0; i < 4; i++) to[at + 24 + i] = 0; // scope
  return SOCKADDR_IN6_BYTES;
}

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
}

/** mmsghdr, iovec and sockaddr of `count` messages in WebAssembly memory. */
class Vectors {
  readonly bytes: Uint8Array;
  readonly u32: Uint32Array;
  readonly count: number;
  readonly #area: number;
  readonly #baseLow: number;
  readonly #baseHigh: number;

  constructor(memory: WebAssembly.Memory, area: VectorArea) {
    this.bytes = new Uint8Array(memory.buffer);
    this.u32 = new Uint32Array(memory.buffer);
    this.count = Math.floor(area.vectorBytes / ENTRY_BYTES);
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

/** Receives datagrams into slots. */
export class BatchReceiver {
  readonly #sys: Syscalls;
  readonly #vectors: Vectors;
  readonly #layout: ReceiveLayout;
  readonly #from: Uint8Array[];
  #dropped = 0;

  constructor(sys: Syscalls, memory: WebAssembly.Memory, layout: ReceiveLayout) {
    this.#sys = sys;
    this.#layout = layout;
    this.#vectors = new Vectors(memory, layout);
    if (this.#vectors.count < layout.slots) throw new RangeError('too little room for the vectors');
    for (let i = 0; i < layout.slots; i++) {
      this.#vectors.buffer(
        i,
        layout.slotPtr + i * layout.slotStride + layout.headerBytes,
        layout.payloadBytes,
      );
    }
    this.#from = Array.from({ length: layout.slots }, (_, i) => this.#vectors.from(i));
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
    }
    return received;
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
   * Sends what was added. A datagram that the system refuses (no route, buffer full) is left out.
   * Returns how many were.
   */
  flush(fd: number): number {
    let at = 0;
    let lost = 0;
    while (at < this.#count) {
      const sent = this.#sys.sendmmsg(fd, this.#from[at]!, this.#count - at);
      if (sent > 0) at += sent;
      else if (sent < 0 && this.#sys.errno() === EINTR) continue;
      else {
        at++;
        lost++;
      }
    }
    this.#count = 0;
    return lost;
  }
}
