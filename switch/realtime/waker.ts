/**
 * Waking the realtime thread. With batched UDP it sleeps in the kernel, and an eventfd that it polls beside its
 * sockets wakes it; with dgram it waits for its flag in shared memory. The thread says when it is about to sleep, so that a busy one costs no system call.
 */
import { openSyscalls, type Syscalls } from './syscalls.ts';
import type { UdpEngine } from './udp-port.ts';

const SLEEPING = 0;
const STOP = 1;

export function wakerMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(64);
}

/** The waking end. */
export class Waker {
  /** -1 when there is none. */
  readonly eventFd: number;
  readonly memory: SharedArrayBuffer;
  readonly #flags: Int32Array;
  readonly #sys: Syscalls | null;

  constructor(memory: SharedArrayBuffer, engine: UdpEngine) {
    this.memory = memory;
    this.#sys = engine === 'batched' ? openSyscalls() : null;
    this.eventFd = this.#sys?.eventfdCreate() ?? -1;
    this.#flags = new Int32Array(memory);
  }

  /** Wakes the thread if it sleeps. Call after writing to its ring. */
  wake(): void {
    if (Atomics.exchange(this.#flags, SLEEPING, 0) !== 1) return;
    if (this.#sys !== null) this.#sys.eventfdSignal(this.eventFd);
    else Atomics.notify(this.#flags, SLEEPING);
  }

  /** Asks the thread to end. */
  stop(): void {
    Atomics.store(this.#flags, STOP, 1);
    Atomics.store(this.#flags, SLEEPING, 1);
    this.wake();
  }

  /** Closes the eventfd; the thread must have ended. */
  close(): void {
    this.#sys?.close(this.eventFd);
  }
}

/** The sleeping end. */
export class Sleeper {
  readonly #flags: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#flags = new Int32Array(memory);
  }

  /** To be called before the last look at the ring. */
  aboutToSleep(): void {
    Atomics.store(this.#flags, SLEEPING, 1);
  }

  awake(): void {
    Atomics.store(this.#flags, SLEEPING, 0);
  }

  get stopped(): boolean {
    return Atomics.load(this.#flags, STOP) === 1;
  }
}
