/**
 * UDP as the realtime thread uses it, whatever is underneath: batches of udp.ts on Linux, dgram elsewhere. The latter
 * needs the event loop, so a thread that runs on either awaits what `wait` returns when it is a promise:
 *
 *   const waiting = udp.wait(timeoutUs);
 *   if (waiting !== undefined) await waiting;
 */
import {
  BatchReceiver,
  BatchSender,
  openSyscalls,
  type ReceiveLayout,
  type Syscalls,
  type VectorArea,
} from './udp.ts';
import { DgramUdp } from './udp-dgram.ts';

/** Bound sockets, each by a handle. */
export interface UdpPort {
  /** Sets the timers of the calling thread, which is to be the one that waits. */
  prepareThread(): void;
  /** Whether the calling thread leaves others alone when it wakes up (SCHED_BATCH). */
  scheduleAsBatch(batch: boolean): void;
  /**
   * Opens a socket. `takesOver`: see Syscalls.openUdp; `batched` only.
   * @throws when the address can't be had; the message says why.
   */
  open(address: string, port: number, takesOver?: boolean): Promise<number>;
  /** Lets `wait` end when this descriptor is readable, too, or no longer; `batched` only. */
  watch?(fd: number): void;
  unwatch?(fd: number): void;
  /** Port that the socket is bound to. */
  localPort(handle: number): number;
  /** See {@link BatchReceiver.receive}. */
  receive(handle: number, first: number, count: number): number;
  /** Datagrams dropped on their way in since the last call. */
  takeDropped(): number;
  /** Lets a batch gather for `us`, awake to nothing. False: this engine can't. */
  pause(us: number): boolean;
  /** Compares the clock of the kernel's stamps with `nowUs`; to be called from time to time. */
  setClock(nowUs: number): void;
  /** See {@link BatchSender.add}. */
  add(payloadPtr: number, length: number, addressPtr: number, port: number): boolean;
  /** See {@link BatchSender.flush}. */
  flush(handle: number): number;
  /** Waits for a datagram on any socket, a wake-up, or `timeoutUs`; undefined when the wait is over already. */
  wait(timeoutUs: number): Promise<void> | undefined;
  /** Uses another memory from now on, laid out in the same way; nothing may wait to be flushed. */
  setMemory(memory: WebAssembly.Memory, areas: UdpAreas): void;
  close(handle: number): void;
}

/** What wakes a thread that waits. */
export interface WakeSource {
  /** For `batched`. */
  eventFd: number;
  /** For `dgram`: an Int32 that is 1 while the thread sleeps; whoever wakes it sets another value and notifies. */
  sleeping: SharedArrayBuffer;
}

export interface UdpAreas {
  receive: ReceiveLayout;
  send: VectorArea;
}

/** How UDP is done: `batched` needs Linux. */
export type UdpEngine = 'batched' | 'dgram';

/** What this system can do best. */
export function udpEngineHere(): UdpEngine {
  return process.platform === 'linux' ? 'batched' : 'dgram';
}

/** `memory` must not grow afterwards. */
export function openUdpPort(
  engine: UdpEngine,
  memory: WebAssembly.Memory,
  areas: UdpAreas,
  wake: WakeSource,
): UdpPort {
  return engine === 'batched'
    ? new BatchedUdp(memory, areas, wake.eventFd)
    : new DgramUdp(memory, areas, wake.sleeping);
}

/** {@link UdpPort} by recvmmsg and sendmmsg. */
export class BatchedUdp implements UdpPort {
  readonly #sys: Syscalls = openSyscalls();
  #receiver: BatchReceiver;
  #sender: BatchSender;
  readonly #eventFd: number;
  readonly #open: number[] = [];
  readonly #watched: number[] = [];
  /** Both of these. */
  #waitsFor: number[] = [];
  readonly #stamps: boolean;
  #drops = 0;

  constructor(memory: WebAssembly.Memory, areas: UdpAreas, eventFd: number) {
    this.#stamps = areas.receive.stamps === true;
    this.#receiver = new BatchReceiver(this.#sys, memory, areas.receive);
    this.#sender = new BatchSender(this.#sys, memory, areas.send);
    this.#eventFd = eventFd;
  }

  prepareThread(): void {
    this.#sys.exactTimers();
  }

  scheduleAsBatch(batch: boolean): void {
    this.#sys.scheduleAsBatch(batch);
  }

  async open(address: string, port: number, takesOver = false): Promise<number> {
    const fd = this.#sys.openUdp(address, port, undefined, takesOver);
    if (this.#stamps) this.#sys.stampArrivals(fd);
    this.#open.push(fd);
    this.#gather();
    return fd;
  }

  watch(fd: number): void {
    this.#watched.push(fd);
    this.#gather();
  }

  unwatch(fd: number): void {
    this.#watched.splice(this.#watched.indexOf(fd), 1);
    this.#gather();
  }

  #gather(): void {
    this.#waitsFor = [...this.#open, ...this.#watched];
  }

  localPort(handle: number): number {
    return this.#sys.localPort(handle);
  }

  receive(handle: number, first: number, count: number): number {
    return this.#receiver.receive(handle, first, count);
  }

  takeDropped(): number {
    let drops = 0;
    for (let i = 0; i < this.#open.length; i++) drops += this.#sys.socketDrops(this.#open[i]!);
    const since = Math.max(0, drops - this.#drops); // a socket that was closed takes its count with it
    this.#drops = drops;
    return since + this.#receiver.takeDropped();
  }

  pause(us: number): boolean {
    this.#sys.sleep(us);
    return true;
  }

  setClock(nowUs: number): void {
    if (this.#stamps) this.#receiver.clockOffsetUs = this.#sys.realtimeUs() - nowUs;
  }

  add(payloadPtr: number, length: number, addressPtr: number, port: number): boolean {
    return this.#sender.add(payloadPtr, length, addressPtr, port);
  }

  flush(handle: number): number {
    return this.#sender.flush(handle);
  }

  wait(timeoutUs: number): undefined {
    this.#sys.waitReadable(this.#waitsFor, this.#eventFd, timeoutUs);
  }

  setMemory(memory: WebAssembly.Memory, areas: UdpAreas): void {
    const { clockOffsetUs } = this.#receiver;
    this.#receiver = new BatchReceiver(this.#sys, memory, areas.receive);
    this.#receiver.clockOffsetUs = clockOffsetUs;
    this.#sender = new BatchSender(this.#sys, memory, areas.send);
  }

  close(handle: number): void {
    this.#open.splice(this.#open.indexOf(handle), 1);
    this.#gather();
    this.#sys.close(handle);
  }
}
