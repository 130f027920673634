/**
 * Waking the realtime thread, which sleeps in the kernel: an eventfd that it polls beside its sockets.
 * The thread says when it is about to sleep, so that a busy one costs no system call.
 */
import { openSyscalls, type Syscalls } from './udp.ts';

const SLEEPING = 0;
const STOP = 1;

export function wakerMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(64);
}

/** The waking end. */
export class Waker {
  readonly eventFd: number;
  readonly memory: SharedArrayBuffer;
  readonly #flags: Int32Array;
  readonly #sys: Syscalls;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#sys = openSyscalls();
    this.eventFd = this.#sys.eventfdCreate();
    this.#flags = new Int32Array(memory);
  }

  /** Wakes the thread if it sleeps. Call after writing to its ring. */
  wake(): void {
    if (Atomics.exchange(this.#flags, SLEEPING, 0) === 1) this.#sys.eventfdSignal(this.eventFd);
  }

  /** Asks the thread to end. */
  stop(): void {
    Atomics.store(this.#flags, STOP, 1);
    this.#sys.eventfdSignal(this.eventFd);
  }

  /** Closes the eventfd; the thread must have ended. */
  close(): void {
    this.#sys.close(this.eventFd);
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
