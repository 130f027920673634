/**
 * The system calls of the realtime threads, through koffi (docs/decisions): UDP sockets, batches of datagrams,
 * waiting, and eventfds. Linux only; see udp-dgram.ts for elsewhere.
 */
import koffi from 'koffi';
import { parseAddress } from '../../wasm-core/host/address.ts';
import { AF_INET, AF_INET6, SOCKADDR_BYTES_MAX, writeSocketAddress } from './sockaddr.ts';

// Linux x86-64 and arm64 share these numbers.
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_REUSEPORT = 15;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const EFD_NONBLOCK = 0x800;
const EFD_CLOEXEC = 0x80000;
const EPOLL_CLOEXEC = 0x80000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const POLLIN = 1; // EPOLLIN too
const SO_TIMESTAMPNS = 35;
const SO_ATTACH_REUSEPORT_CBPF = 51;
const SO_MEMINFO = 55;
/** Of the u32 array that SO_MEMINFO gives: datagrams dropped because the buffer was full. */
const MEMINFO_DROPS = 8;
const MEMINFO_VALUES = 9;
const PR_SET_TIMERSLACK = 29;
const SCHED_OTHER = 0;
const SCHED_BATCH = 3;
const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const NS_PER_S = 1e9;
const EINTR = 4;
const EAGAIN = 11;
const F_DUPFD_CLOEXEC = 1030;
/** Classic BPF: `ret #1`. Of the sockets with one address, the second gets all: see `steerToNewest`. */
const BPF_RETURN_ONE = [6, 0, 0, 0, 1, 0, 0, 0];

/** Sockets that `waitReadable` takes at most; epoll is for more. */
const POLL_SOCKETS_MAX = 63;
/** Socket buffers: enough for some hundred ms of a busy line. The system may grant less. */
const SOCKET_BUFFER_BYTES = 4 << 20;

/** struct epoll_event: packed on x86-64 only. */
const EPOLL_EVENT_BYTES = process.arch === 'x64' ? 12 : 16;
const EPOLL_EVENT_DATA = process.arch === 'x64' ? 4 : 8;

/** Room for what `epollWait` finds. */
export class EpollEvents {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly #view: DataView;

  /** @param count most events that one wait returns */
  constructor(count: number) {
    this.count = count;
    this.bytes = new Uint8Array(count * EPOLL_EVENT_BYTES);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** The token with which the readable socket `i` was added. */
  token(i: number): number {
    return this.#view.getUint32(i * EPOLL_EVENT_BYTES + EPOLL_EVENT_DATA, true);
  }
}

export interface Syscalls {
  /** Receives without waiting; `vector` begins at the first mmsghdr. Returns how many came, -1 for an error or none. */
  recvmmsg(fd: number, vector: Uint8Array, count: number): number;
  /** Sends without waiting. Returns how many were taken, -1 when not even the first. */
  sendmmsg(fd: number, vector: Uint8Array, count: number): number;
  /**
   * A bound UDP socket; an IPv6 one takes no IPv4. `bufferBytes`: size of each of its two buffers, default 4 MiB.
   * `takesOver`: another process of this user may have it open in the same way, and gets nothing any more.
   * @throws when the address can't be had; the message says why.
   */
  openUdp(address: string, port: number, bufferBytes?: number, takesOver?: boolean): number;
  /** Sends on a stream without waiting. Returns how many bytes were taken, -1 for none or an error. */
  streamSend(fd: number, bytes: Uint8Array): number;
  /** Receives from a stream without waiting. Returns how many bytes came, 0 at its end, -1 for none or an error. */
  streamReceive(fd: number, into: Uint8Array): number;
  /** Makes a stream's socket ready for frames: large buffers, nothing held back. */
  prepareStream(fd: number): void;
  /** Another descriptor of the same socket, which stays when the first is closed. @throws when there is none left. */
  duplicate(fd: number): number;
  /** Whether the last call failed only because it would have had to wait. */
  wouldWait(): boolean;
  /** Asks the kernel to stamp each datagram of a socket when it arrives. */
  stampArrivals(fd: number): void;
  /** Datagrams dropped so far because the socket's buffer was full. */
  socketDrops(fd: number): number;
  /** The port that a socket is bound to. */
  localPort(fd: number): number;
  eventfdCreate(): number;
  eventfdSignal(fd: number): void;
  /** Resets an eventfd. */
  eventfdDrain(fd: number): void;
  /**
   * Waits until one of the sockets (63 at most) or the eventfd is readable, and resets the eventfd; at most
   * `timeoutUs`.
   */
  waitReadable(fds: readonly number[], eventFd: number, timeoutUs: number): void;
  epollCreate(): number;
  /** Watches `fd` for reading. `token` (u32) is what `EpollEvents.token` gives back. @throws when it can't be. */
  epollAdd(epollFd: number, fd: number, token: number): void;
  epollRemove(epollFd: number, fd: number): void;
  /** Waits for readable sockets, at most `timeoutMs`. Returns how many there are, 0 when the time is over. */
  epollWait(epollFd: number, events: EpollEvents, timeoutMs: number): number;
  /** Sleeps `us`, less than a second. */
  sleep(us: number): void;
  /** The system's clock, µs since the epoch: what the kernel's stamps are given in. */
  realtimeUs(): number;
  /** Lets the waits of this thread end when they are over, not up to 50 µs later to save wake-ups. */
  exactTimers(): void;
  /** Tells the scheduler whether this thread works in batches and need not interrupt others (SCHED_BATCH). False: refused. */
  scheduleAsBatch(batch: boolean): boolean;
  close(fd: number): void;
  /** Of the last call that failed. */
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
  const recvmmsg = libc.func('int recvmmsg(int, void*, uint32, int, void*)');
  const sendmmsg = libc.func('int sendmmsg(int, void*, uint32, int)');
  const close = libc.func('int close(int)');
  return {
    recvmmsg: (fd, vector, count) => recvmmsg(fd, vector, count, MSG_DONTWAIT, null),
    sendmmsg: (fd, vector, count) => sendmmsg(fd, vector, count, MSG_DONTWAIT),
    ...bindSockets(libc),
    ...bindWaiting(libc),
    ...bindEpoll(libc),
    ...bindTime(libc),
    ...bindStreams(libc),
    close(fd) {
      close(fd);
    },
    errno: () => koffi.errno(),
    wouldWait: () => koffi.errno() === EAGAIN || koffi.errno() === EINTR,
  };
}

type Library = ReturnType<typeof koffi.load>;

function bindSockets(
  libc: Library,
): Pick<Syscalls, 'openUdp' | 'localPort' | 'stampArrivals' | 'socketDrops' | 'prepareStream'> {
  const socket = libc.func('int socket(int, int, int)');
  const bind = libc.func('int bind(int, void*, uint32)');
  const setsockopt = libc.func('int setsockopt(int, int, int, void*, uint32)');
  const getsockname = libc.func('int getsockname(int, void*, void*)');
  const getsockopt = libc.func('int getsockopt(int, int, int, void*, void*)');
  const memory = new Uint32Array(MEMINFO_VALUES);
  const memoryLength = new Uint32Array(1);
  const close = libc.func('int close(int)');
  const option = (fd: number, level: number, name: number, value: number): boolean => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return setsockopt(fd, level, name, bytes, 4) === 0;
  };
  /** Beyond the system's limit where we may; else as much as it gives. */
  const buffer = (fd: number, force: number, ask: number, bytes: number) =>
    option(fd, SOL_SOCKET, force, bytes) || option(fd, SOL_SOCKET, ask, bytes);
  /**
   * Two processes may have the address open: one that hangs, and the one that took over from it, which came second and gets all. When
   * there is only one, the program's answer names no socket, and the one gets all.
   */
  const steerToNewest = (fd: number): boolean => {
    const program = Uint8Array.from(BPF_RETURN_ONE);
    const filter = Buffer.alloc(16);
    filter.writeUInt16LE(1, 0);
    filter.writeBigUInt64LE(BigInt(koffi.address(program)), 8);
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, filter, 16) === 0;
  };
  return {
    prepareStream(fd) {
      buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, SOCKET_BUFFER_BYTES);
      buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, SOCKET_BUFFER_BYTES);
      option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    },
    openUdp(address, port, bufferBytes = SOCKET_BUFFER_BYTES, takesOver = false) {
      const bytes = parseAddress(address);
      if (bytes === null) throw new Error(`'${address}' is not an IP address`);
      const v6 = address.includes(':');
      const fd: number = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      if (fd < 0) throw new Error(`no UDP socket (errno ${koffi.errno()})`);
      buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, bufferBytes);
      buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, bufferBytes);
      if (v6) option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
      if (takesOver) option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
      const name = new Uint8Array(SOCKADDR_BYTES_MAX);
      const length = writeSocketAddress(name, 0, bytes, 0, port);
      if (bind(fd, name, length) < 0) {
        const code = koffi.errno();
        close(fd);
        throw new Error(
          `UDP ${address}:${port} can't be bound (errno ${code}); is another program using it?`,
        );
      }
      if (takesOver) steerToNewest(fd);
      return fd;
    },
    stampArrivals(fd) {
      option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    },
    socketDrops(fd) {
      memoryLength[0] = memory.byteLength;
      return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, memoryLength) < 0 ? 0 : memory[MEMINFO_DROPS]!;
    },
    localPort(fd) {
      const name = new Uint8Array(SOCKADDR_BYTES_MAX);
      const length = Buffer.alloc(4);
      length.writeInt32LE(name.length);
      if (getsockname(fd, name, length) < 0) throw new Error(`no local address (errno ${koffi.errno()})`);
      return (name[2]! << 8) | name[3]!;
    },
  };
}

function bindStreams(libc: Library): Pick<Syscalls, 'streamSend' | 'streamReceive' | 'duplicate'> {
  const send = libc.func('int64 send(int, void*, uint64, int)');
  const recv = libc.func('int64 recv(int, void*, uint64, int)');
  const fcntl = libc.func('int fcntl(int, int, int)');
  return {
    streamSend: (fd, bytes) => Number(send(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL)),
    streamReceive: (fd, into) => Number(recv(fd, into, into.length, MSG_DONTWAIT)),
    duplicate(fd) {
      const copy: number = fcntl(fd, F_DUPFD_CLOEXEC, 3);
      if (copy < 0) throw new Error(`no descriptor (errno ${koffi.errno()})`);
      return copy;
    },
  };
}

function bindWaiting(
  libc: Library,
): Pick<Syscalls, 'eventfdCreate' | 'eventfdSignal' | 'eventfdDrain' | 'waitReadable'> {
  const ppoll = libc.func('int ppoll(void*, uint64, void*, void*)');
  const eventfd = libc.func('int eventfd(uint32, int)');
  const write = libc.func('int64 write(int, void*, uint64)');
  const read = libc.func('int64 read(int, void*, uint64)');
  const one = Buffer.alloc(8);
  one.writeBigUInt64LE(1n);
  const scratch = Buffer.alloc(8);
  const polled = new Uint8Array(8 * (POLL_SOCKETS_MAX + 1));
  const polledView = new DataView(polled.buffer);
  const timeout = new Uint8Array(16);
  const timeoutView = new DataView(timeout.buffer);
  const entry = (i: number, fd: number) => {
    polledView.setInt32(i * 8, fd, true);
    polledView.setInt32(i * 8 + 4, POLLIN, true);
  };
  const drain = (fd: number) => {
    read(fd, scratch, 8);
  };
  return {
    eventfdCreate: () => eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
    eventfdSignal(fd) {
      write(fd, one, 8);
    },
    eventfdDrain: drain,
    waitReadable(fds, eventFd, timeoutUs) {
      for (let i = 0; i < fds.length; i++) entry(i, fds[i]!);
      entry(fds.length, eventFd);
      const us = Math.max(0, Math.floor(timeoutUs));
      timeoutView.setUint32(0, Math.floor(us / 1e6), true);
      timeoutView.setUint32(8, (us % 1e6) * 1000, true);
      if (ppoll(polled, fds.length + 1, timeout, null) <= 0) return;
      if ((polledView.getInt16(fds.length * 8 + 6, true) & POLLIN) !== 0) drain(eventFd);
    },
  };
}

function bindTime(libc: Library): Pick<Syscalls, 'sleep' | 'realtimeUs' | 'exactTimers' | 'scheduleAsBatch'> {
  const nanosleep = libc.func('int clock_nanosleep(int, int, void*, void*)');
  const gettime = libc.func('int clock_gettime(int, void*)');
  const prctl = libc.func('int prctl(int, uint64, uint64, uint64, uint64)');
  const setScheduler = libc.func('int sched_setscheduler(int, int, void*)');
  const duration = new Uint8Array(16);
  const durationView = new DataView(duration.buffer);
  const time = new Uint8Array(16);
  const timeView = new DataView(time.buffer);
  return {
    sleep(us) {
      durationView.setUint32(8, Math.min(us * 1000, NS_PER_S - 1), true);
      nanosleep(CLOCK_MONOTONIC, 0, duration, null);
    },
    realtimeUs() {
      gettime(CLOCK_REALTIME, time);
      return timeView.getUint32(0, true) * 1e6 + timeView.getUint32(8, true) / 1e3;
    },
    exactTimers() {
      prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    },
    scheduleAsBatch: (batch) => setScheduler(0, batch ? SCHED_BATCH : SCHED_OTHER, new Uint32Array(1)) === 0,
  };
}

function bindEpoll(libc: Library): Pick<Syscalls, 'epollCreate' | 'epollAdd' | 'epollRemove' | 'epollWait'> {
  const create = libc.func('int epoll_create1(int)');
  const control = libc.func('int epoll_ctl(int, int, int, void*)');
  const wait = libc.func('int epoll_wait(int, void*, int, int)');
  return {
    epollCreate: () => create(EPOLL_CLOEXEC),
    epollAdd(epollFd, fd, token) {
      const event = Buffer.alloc(EPOLL_EVENT_BYTES);
      event.writeUInt32LE(POLLIN, 0);
      event.writeUInt32LE(token, EPOLL_EVENT_DATA);
      if (control(epollFd, EPOLL_CTL_ADD, fd, event) < 0) {
        throw new Error(`socket can't be watched (errno ${koffi.errno()})`);
      }
    },
    epollRemove(epollFd, fd) {
      control(epollFd, EPOLL_CTL_DEL, fd, null);
    },
    epollWait: (epollFd, events, timeoutMs) =>
      Math.max(0, wait(epollFd, events.bytes, events.count, timeoutMs)),
  };
}
