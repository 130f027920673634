/**
 * The edge thread: wait for readable sockets, take a batch, one step of the packet core, send the batch. It blocks in
 * the kernel and has no event loop; commands come by ring, with an eventfd to wake it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { F_ADDRESS, F_FLOW, F_LENGTH, F_PORT, FRAME_HEADER_BYTES } from '../../wasm-core/assembly/abi.ts';
import * as abi from '../../wasm-core/assembly/rtp/abi.ts';
import { formatAddress } from '../../wasm-core/host/address.ts';
import { EdgeCore } from '../../wasm-core/host/edge-core.ts';
import { nowUs } from '../../switch/control/clock.ts';
import { BatchWait } from '../../switch/realtime/batch-wait.ts';
import {
  BatchReceiver,
  BatchSender,
  EpollEvents,
  openSyscalls,
  VECTOR_ENTRY_BYTES,
} from '../../switch/realtime/udp.ts';
import { Sleeper } from '../../switch/realtime/waker.ts';
import { CommandHandler } from './command-handler.ts';
import type { EdgeThreadData } from './commands.ts';
import type { EdgeDatagram } from './types.ts';

/** Packets for which a wait pays. */
const WAIT_PACKETS_MIN = 3;
/** Longest sleep: RTCP reports are due within this, and a lost wake-up is noticed. */
const SLEEP_MS = 100;
/** Sockets handled per wake-up. */
const EVENTS = 64;
/** Datagrams taken from one leg's socket at a time, so that a flood on one port leaves room for the others. */
const LEG_BATCH = 8;
const EVENT_TOKEN = 0xfffffffe;
const RECEIVE_BYTES = abi.EDGE_SLOTS * VECTOR_ENTRY_BYTES;
const SEND_BYTES = abi.OUT_MAX * VECTOR_ENTRY_BYTES;
const NO_SOCKET = -1;

class EdgeThread {
  readonly #data: EdgeThreadData;
  readonly #sys = openSyscalls();
  readonly #core: EdgeCore;
  readonly #epoll: number;
  readonly #events = new EpollEvents(EVENTS);
  readonly #receiver: BatchReceiver;
  readonly #sender: BatchSender;
  readonly #sleeper: Sleeper;
  readonly #commands: CommandHandler;
  /** Socket by token, NO_SOCKET where there is none. */
  readonly #sockets: Int32Array;
  readonly #batchWait: BatchWait;
  #filled = 0;
  /** Taken since the last wait. */
  #taken = 0;
  /** There may be more to take than was taken: other sockets, or more of one. */
  #full = false;

  static async create(data: EdgeThreadData): Promise<EdgeThread> {
    const { wasm, legsMax } = data;
    return new EdgeThread(
      data,
      await EdgeCore.create(wasm, { legsMax, hostBytes: RECEIVE_BYTES + SEND_BYTES }),
    );
  }

  private constructor(data: EdgeThreadData, core: EdgeCore) {
    this.#data = data;
    this.#core = core;
    this.#sleeper = new Sleeper(data.waker);
    this.#batchWait = new BatchWait(data.batchBudgetUs, WAIT_PACKETS_MIN);
    if (data.batchBudgetUs > 0) this.#sys.exactTimers();
    this.#sockets = new Int32Array(2 * data.legsMax).fill(NO_SOCKET);
    this.#receiver = new BatchReceiver(this.#sys, core.memory, {
      vectorPtr: core.hostPtr,
      vectorBytes: RECEIVE_BYTES,
      slotPtr: core.slotsPtr,
      slotStride: abi.EDGE_SLOT_BYTES,
      headerBytes: abi.EDGE_SLOT_BYTES - abi.EDGE_PAYLOAD_BYTES,
      payloadBytes: abi.EDGE_PAYLOAD_BYTES,
      slots: abi.EDGE_SLOTS,
    });
    const sending = { vectorPtr: core.hostPtr + RECEIVE_BYTES, vectorBytes: SEND_BYTES };
    this.#sender = new BatchSender(this.#sys, core.memory, sending);
    this.#epoll = this.#sys.epollCreate();
    this.#sys.epollAdd(this.#epoll, data.eventFd, EVENT_TOKEN);
    this.#sys.epollAdd(this.#epoll, data.mediasoupFd, abi.TOKEN_MEDIASOUP);
    this.#commands = new CommandHandler(data, core, {
      open: (token, fd) => {
        this.#sys.epollAdd(this.#epoll, fd, token);
        this.#sockets[token] = fd;
      },
      close: (token) => {
        this.#sys.epollRemove(this.#epoll, this.#sockets[token]!);
        this.#sockets[token] = NO_SOCKET;
      },
    });
  }

  /** Until asked to stop. */
  run(): void {
    while (!this.#sleeper.stopped) {
      const ready = this.#wait();
      this.#commands.run();
      for (let i = 0; i < ready; i++) this.#take(this.#events.token(i));
      this.#handle();
    }
  }

  close(): void {
    this.#sys.close(this.#epoll);
  }

  /** The datagrams that were being worked on, as evidence of a trap. */
  batch(): EdgeDatagram[] {
    return Array.from({ length: this.#filled }, (_, slot) => {
      const frame = this.#core.slotsPtr + slot * abi.EDGE_SLOT_BYTES;
      const header = new DataView(this.#core.memory.buffer, frame, FRAME_HEADER_BYTES);
      const payload = frame + FRAME_HEADER_BYTES;
      return {
        token: header.getUint32(F_FLOW, true),
        address: formatAddress(this.#core.bytes.subarray(frame + F_ADDRESS, frame + F_ADDRESS + 16)),
        port: header.getUint16(F_PORT, true),
        bytes: this.#core.bytes.slice(payload, payload + header.getUint32(F_LENGTH, true)),
      };
    });
  }

  #wait(): number {
    const waitUs = this.#batchWait.next(this.#taken, nowUs());
    this.#taken = 0;
    if (waitUs > 0 && !this.#full) this.#sys.sleep(waitUs);
    this.#sleeper.aboutToSleep();
    const sleepMs = this.#commands.waiting ? 0 : SLEEP_MS;
    const ready = this.#sys.epollWait(this.#epoll, this.#events, sleepMs);
    this.#sleeper.awake();
    this.#full = ready === EVENTS;
    return ready;
  }

  /** Receives from the socket that has become readable. */
  #take(token: number): void {
    if (token === EVENT_TOKEN) {
      this.#sys.eventfdDrain(this.#data.eventFd);
      return;
    }
    const fd = this.#socket(token);
    if (fd === NO_SOCKET) return; // a leg that was freed just now
    if (this.#filled === abi.EDGE_SLOTS) this.#handle();
    const free = abi.EDGE_SLOTS - this.#filled;
    const most = token === abi.TOKEN_MEDIASOUP ? free : Math.min(free, LEG_BATCH);
    const end = this.#filled + this.#receiver.receive(fd, this.#filled, most);
    for (let slot = this.#filled; slot < end; slot++) {
      this.#core.u32[(this.#core.slotsPtr + slot * abi.EDGE_SLOT_BYTES + F_FLOW) >> 2] = token;
    }
    this.#taken += end - this.#filled;
    if (end - this.#filled === most) this.#full = true;
    this.#filled = end;
  }

  #socket(token: number): number {
    return token === abi.TOKEN_MEDIASOUP ? this.#data.mediasoupFd : this.#sockets[token]!;
  }

  /** Lets the core work on what was received, and sends what it leaves. */
  #handle(): void {
    const { u32, outputPtr } = this.#core;
    const count = this.#core.step(this.#filled, nowUs());
    this.#filled = 0;
    let from = abi.TOKEN_MEDIASOUP;
    for (let i = 0; i < count; i++) {
      const out = (outputPtr + i * abi.OUT_BYTES) >> 2;
      const token = u32[out + (abi.OUT_TOKEN >> 2)]!;
      if (token !== from) {
        this.#flush(from);
        from = token;
      }
      this.#sender.add(
        u32[out + (abi.OUT_PTR >> 2)]!,
        u32[out + (abi.OUT_LENGTH >> 2)]!,
        u32[out + (abi.OUT_ADDRESS >> 2)]!,
        u32[out + (abi.OUT_PORT >> 2)]!,
      );
    }
    this.#flush(from);
    this.#commands.truncated += this.#receiver.takeDropped();
  }

  #flush(token: number): void {
    if (this.#sender.pending > 0) this.#commands.sendFailed += this.#sender.flush(this.#socket(token));
  }
}

const data = workerData as EdgeThreadData;
const thread = await EdgeThread.create(data);
parentPort!.postMessage('ready');
try {
  thread.run();
} catch (error) {
  parentPort!.postMessage(thread.batch());
  throw error;
} finally {
  thread.close();
}
