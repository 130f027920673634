/**
 * The realtime thread: wait, take a batch, one step of the core, send the batch. Nothing else runs here
 * (DESIGN 1.1). With batched UDP it blocks in the kernel, so it has no event loop: what the control thread has
 * to say comes by ring, and banks by a port that is read without waiting.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import * as abi from '../../wasm-core/assembly/abi.ts';
import { getHeapStatistics } from 'node:v8';
import { Core } from '../../wasm-core/host/core.ts';
import { encodeText, FrameEncoder } from '../../wasm-core/host/frames.ts';
import { nowUs, stampUs } from '../control/clock.ts';
import { BatchWait } from './batch-wait.ts';
import { BatchAdvisor } from './batch-advisor.ts';
import { Quarantine } from './quarantine.ts';
import type { ThreadData, TrapReport } from './realtime.ts';
import { eventBytes, rebuild, trapBlocks } from './rebuild.ts';
import {
  LINK_BEAT,
  LINK_CLOSE,
  LINK_CLOSED,
  LINK_END_ASKED,
  LINK_END_FAILED,
  LINK_HOLD,
  LINK_KINDS,
  LINK_OPEN,
  LINK_PROMOTE,
  LINK_PROMOTED,
  LINK_REBUILT,
  LINK_RESUMED,
} from './link-frames.ts';
import { PeerLink } from './peer-link.ts';
import { copyWords, RingReader, RingWriter, ringNotify } from './ring.ts';
import { StatsWriter } from './stats.ts';
import { StepRecorder } from './step-recorder.ts';
import { openSyscalls } from './syscalls.ts';
import { openUdpPort, type UdpAreas, type UdpPort } from './udp-port.ts';
import { Sleeper } from './waker.ts';

/** Longest sleep, so that a stop request or a lost wake-up is noticed. */
const SLEEP_MS_MAX = 100;
/** Messages for which a wait pays: with fewer, those that come while the last batch is dealt with are enough. */
const WAIT_MESSAGES_MIN = 8;
/** Half of the host area each: vectors of receiving and of sending. */
const VECTOR_BYTES = 32_768;
/** Counters are published at most this often. */
const PUBLISH_US = 20_000;
const HEAP_EVERY_US = 1e6;
/** Places in the times of a batch: when the step began, when it ended, when all was sent (or, before, taken). */
const BEGUN = 0;
const STEPPED = 1;
const SENT = 2;
/** A stamp further from now than this is of a clock that was set meanwhile. */
const WAIT_US_MAX = 10e6;

/**
 * Frames for which the control thread is woken. Call records and log entries it finds when it looks for itself: a
 * wake-up per call would cost it more than the call.
 */
function isUrgent(kind: number): boolean {
  return kind !== abi.EF_CALL && kind !== abi.EF_LOG;
}

function isForPeer(kind: number): boolean {
  return kind === abi.EF_MIRROR || kind === abi.EF_MIRROR_ACK || kind === abi.EF_MIRROR_FAIL;
}

/** Where in a core's memory datagrams come in and go out. */
function areasOf(core: Core, stamps: boolean): UdpAreas {
  return {
    receive: {
      vectorPtr: core.hostPtr,
      vectorBytes: VECTOR_BYTES,
      slotPtr: core.slotsPtr,
      slotStride: abi.RX_SLOT_BYTES,
      headerBytes: abi.FRAME_HEADER_BYTES,
      payloadBytes: abi.MESSAGE_BYTES_MAX,
      slots: abi.RX_SLOTS,
      stamps,
    },
    send: { vectorPtr: core.hostPtr + VECTOR_BYTES, vectorBytes: VECTOR_BYTES },
  };
}

class RealtimeThread {
  readonly #data: ThreadData;
  #core: Core;
  readonly #module: WebAssembly.Module;
  readonly #udp: UdpPort;
  readonly #sockets: number[] = [];
  readonly #listenerOf: number[] = [];
  readonly #fromControl: RingReader;
  readonly #toControl: RingWriter;
  readonly #sleeper: Sleeper;
  readonly #stats: StatsWriter;
  readonly #batchWait: BatchWait;
  /** Null when nothing is recorded. */
  #recorder: StepRecorder | null;
  #f64: Float64Array;
  /** Times of the current batch; BEGUN and so on. */
  readonly #times = new Float64Array(3);
  readonly #advisor = new BatchAdvisor();
  readonly #followsLoad: boolean;
  /** Null where there is no peer. */
  readonly #link: PeerLink | null;
  /** Frame of our own to the control thread. */
  readonly #frame = new FrameEncoder();
  /** Epoch with which this standby is to take over, once it has come to it; else 0. */
  #promoteTo = 0;
  /** Takes no datagrams. */
  #holds = false;
  /** The last bank that was staged. */
  #bank: Uint8Array | null = null;
  /** What a core that takes the place of this one has to be told: its last EV_LEASE and EV_DRAIN. */
  readonly #standing = new Map<number, Uint8Array>();
  /** The core is another one since, and the control thread does not know: its answers are for the old one. */
  #isStale = false;
  readonly #quarantine = new Quarantine();
  #pauseUs = 0;
  #publishedUs = 0;
  #heapUs = 0;

  constructor(data: ThreadData, module: WebAssembly.Module, core: Core, initUs: number) {
    this.#data = data;
    this.#module = module;
    this.#core = core;
    this.#recorder = data.recording && new StepRecorder(data.recording, core, initUs);
    this.#fromControl = new RingReader(data.toCore);
    this.#toControl = new RingWriter(data.fromCore);
    this.#sleeper = new Sleeper(data.waker);
    this.#stats = new StatsWriter(data.stats, data.budgets);
    this.#batchWait = new BatchWait(data.batchWait ? data.budgets.queueUs : 0, WAIT_MESSAGES_MIN);
    this.#followsLoad = data.scheduling === 'auto';
    this.#f64 = new Float64Array(core.memory.buffer);
    const wake = { eventFd: data.eventFd, sleeping: data.waker };
    this.#udp = openUdpPort(data.udpEngine, core.memory, areasOf(core, data.kernelStamps), wake);
    this.#link = data.pair ? new PeerLink(openSyscalls(), core, (frame) => this.#tell(frame)) : null;
  }

  /** Opens the sockets, but those of a standby. @throws when one can't be bound. */
  async open(): Promise<void> {
    this.#udp.prepareThread();
    if (this.#data.scheduling === 'batch') this.#udp.scheduleAsBatch(true);
    if (this.#data.init.role !== abi.ROLE_STANDBY) await this.#openSockets();
  }

  async #openSockets(): Promise<void> {
    for (const { address, port, listener } of this.#data.udp) {
      this.#sockets.push(await this.#udp.open(address, port, this.#data.pair));
      this.#listenerOf.push(listener);
    }
  }

  /** Until asked to stop. */
  async run(): Promise<void> {
    this.#udp.setClock(nowUs());
    stampUs(this.#times, SENT);
    while (!this.#sleeper.stopped) {
      if (this.#pauseUs === 0 || !this.#udp.pause(this.#pauseUs)) {
        const waiting = this.#wait();
        if (waiting !== undefined) await waiting; // dgram only
        this.#sleeper.awake();
      } else this.#stats.batchWait(this.#pauseUs);
      let events = this.#takeFrames(this.#promoteTo === 0 ? 0 : await this.#promote());
      if (this.#link !== null && this.#link.fd >= 0) events = this.#takeFromPeer(this.#link, events);
      if (!this.#holds)
        for (let i = 0; i < this.#sockets.length; i++) events = this.#takeDatagrams(i, events);
      this.#handle(events);
      if (this.#followsLoad && this.#advisor.next(events, this.#times[SENT]!))
        this.#udp.scheduleAsBatch(this.#advisor.batches);
      this.#pauseUs = this.#batchWait.next(events, this.#times[SENT]!);
      if (this.#times[SENT]! - this.#publishedUs >= PUBLISH_US) this.#publish(this.#times[SENT]!);
    }
  }

  /** Frames of the mirror; at the end of the link, word of that for the core. */
  #takeFromPeer(link: PeerLink, first: number): number {
    link.flush();
    let next = link.receive(first);
    if (link.end >= 0 && next < abi.RX_SLOTS) next = this.#peerFrame(next, false);
    return next;
  }

  /** EV_MIRROR_PEER in a slot. Without the peer: the link is closed, and the control thread told why. */
  #peerFrame(slot: number, connected: boolean): number {
    if (!connected) this.#closeLink(this.#link!);
    this.#core.writeSlot(
      slot,
      this.#frame.encode({ kind: abi.EV_MIRROR_PEER, args: [connected ? 1 : 0], timeUs: this.#times[SENT]! }),
    );
    return slot + 1;
  }

  #closeLink(link: PeerLink): void {
    const { fd, end, detail } = link;
    this.#udp.unwatch?.(fd);
    link.close();
    this.#tell(this.#frame.encode({ kind: LINK_CLOSED, args: [end < 0 ? LINK_END_ASKED : end, detail] }));
  }

  #tell(frame: Uint8Array): void {
    if (this.#toControl.push(frame, 0, frame.length)) ringNotify(this.#data.fromCore);
    else this.#stats.droppedOut(1);
  }

  /** A frame about the link, in a slot. Returns the next free slot. */
  #linkFrame(slot: number): number {
    const at = this.#core.slot(slot);
    const { bytes, u32 } = this.#core;
    const link = this.#link;
    const kind = bytes[at + abi.F_KIND];
    if (kind === LINK_RESUMED) this.#isStale = false;
    if (kind === LINK_PROMOTE) this.#promoteTo = u32[(at + abi.F_ARG1) >> 2]!;
    if (link === null) return slot;
    if (kind === LINK_OPEN) {
      const fd = u32[(at + abi.F_ARG0) >> 2]!;
      const length = u32[(at + abi.F_LENGTH) >> 2]!;
      const ahead = bytes.slice(at + abi.FRAME_HEADER_BYTES, at + abi.FRAME_HEADER_BYTES + length);
      const next = link.fd >= 0 ? this.#peerFrame(slot, false) : slot;
      link.open(fd, ahead);
      this.#udp.watch?.(fd);
      return this.#peerFrame(next, true);
    }
    if (kind === LINK_CLOSE && link.fd >= 0) return this.#peerFrame(slot, false);
    if (kind === LINK_BEAT && link.fd >= 0) link.send(bytes.subarray(at, at + abi.FRAME_HEADER_BYTES));
    if (kind === LINK_HOLD) this.#holds = u32[(at + abi.F_ARG0) >> 2] === 1;
    return slot;
  }

  /** Opens the sockets and lets the core work, by an event in the first slot. Returns the next free slot. */
  async #promote(): Promise<number> {
    const args = [abi.ROLE_ACTIVE, this.#promoteTo];
    this.#promoteTo = 0;
    try {
      await this.#openSockets();
    } catch (error) {
      this.#tell(
        this.#frame.encode({ kind: LINK_PROMOTED, args: [0] }, encodeText((error as Error).message)),
      );
      return 0;
    }
    this.#tell(this.#frame.encode({ kind: LINK_PROMOTED, args: [1] }));
    this.#core.writeSlot(0, this.#frame.encode({ kind: abi.EV_ROLE, args, timeUs: this.#times[SENT]! }));
    return this.#link !== null && this.#link.fd >= 0 ? this.#peerFrame(1, true) : 1; // it follows us now
  }

  close(): void {
    if (this.#link !== null && this.#link.fd >= 0) this.#link.close();
    for (const handle of this.#sockets) this.#udp.close(handle);
  }

  /** Sleeps until a datagram, a frame or a timer. */
  #wait(): Promise<void> | undefined {
    this.#sleeper.aboutToSleep();
    let sleepMs = SLEEP_MS_MAX;
    if (this.#fromControl.next() || this.#promoteTo !== 0) sleepMs = 0;
    else {
      const deadline = this.#core.nextDeadlineMs();
      if (deadline > 0) sleepMs = Math.min(sleepMs, Math.max(0, deadline - this.#times[SENT]! / 1000));
    }
    return this.#udp.wait(sleepMs * 1000);
  }

  /** Moves frames from the control thread into slots, from `first` on; returns the next free slot. */
  #takeFrames(first: number): number {
    const ring = this.#fromControl;
    const half = abi.RX_SLOTS / 2; // the sockets get their share
    let slot = first;
    while (slot < half && ring.next()) {
      const at = this.#core.slot(slot);
      copyWords(this.#core.u32, at, ring.u32, ring.offset, ring.length);
      ring.release();
      const kind = this.#core.bytes[at + abi.F_KIND]!;
      if (kind === abi.EV_BANK_READY && !this.#stageBank()) continue;
      if (kind === abi.EV_MEDIA_REPLY && this.#isStale) continue;
      if (kind === abi.EV_LEASE || kind === abi.EV_DRAIN)
        this.#standing.set(kind, this.#core.bytes.slice(at, at + abi.FRAME_HEADER_BYTES));
      slot = kind < LINK_KINDS ? slot + 1 : this.#linkFrame(slot);
    }
    return slot;
  }

  #stageBank(): boolean {
    const message = receiveMessageOnPort(this.#data.banks);
    if (message === undefined) return false;
    const bank = new Uint8Array(message.message as SharedArrayBuffer);
    const staged = this.#core.stageBank(bank);
    if (staged) this.#bank = bank;
    this.#recorder?.bank(staged);
    return staged;
  }

  /** Receives datagrams into the free slots; returns the next free slot. */
  #takeDatagrams(socket: number, first: number): number {
    const free = abi.RX_SLOTS - first;
    if (free === 0) return first;
    const received = this.#udp.receive(this.#sockets[socket]!, first, free);
    const { bytes } = this.#core;
    for (let slot = first; slot < first + received; slot++) {
      const at = this.#core.slot(slot);
      bytes[at + abi.F_KIND] = abi.EV_MESSAGE;
      bytes[at + abi.F_VERSION] = abi.ABI_VERSION;
      bytes[at + abi.F_TRANSPORT] = abi.TRANSPORT_UDP;
      bytes[at + abi.F_LISTENER] = this.#listenerOf[socket]!;
    }
    return first + received;
  }

  /** Lets the core work, as many steps as the effects need room for. */
  #handle(events: number): void {
    const times = this.#times;
    const recorder = this.#recorder;
    stampUs(times, SENT);
    for (let slot = 0; slot < events; slot++) this.#waited(slot);
    if (this.#quarantine.size > 0) this.#keepOut(events);
    if (recorder !== null && events > 0) {
      recorder.events(events); // before they are handled: one of them may be the core's last
      stampUs(times, SENT);
    }
    let done = 0;
    do {
      times[BEGUN] = times[SENT]!;
      recorder?.step(times[BEGUN], done, events - done);
      let taken = 0;
      try {
        taken = this.#core.step(times[BEGUN], done, events - done);
      } catch (error) {
        done = this.#trapped(error as Error, done, events);
        stampUs(times, SENT);
        continue;
      }
      stampUs(times, STEPPED);
      this.#carryOut();
      stampUs(times, SENT);
      const tookUs = times[STEPPED]! - times[BEGUN];
      this.#stats.step.observe(tookUs);
      if (taken > 0) this.#stats.core.observe(tookUs / taken, taken);
      const coreUs = tookUs / Math.max(taken, 1);
      this.#core.account(coreUs, times[SENT]!);
      recorder?.result(taken, coreUs, times[SENT]!);
      done += taken;
    } while (done < events);
  }

  /**
   * The core has trapped: what it had done is carried out, and another one gets its records. Of the events, those behind the one that it trapped at
   * are still to be handled; if a timer was due, all from `first` on. Returns the first of them. @throws the error when that is impossible, or has
   * been too often.
   */
  #trapped(error: Error, first: number, events: number): number {
    const trapped = this.#core;
    const sinceUs = nowUs();
    if (!(error instanceof WebAssembly.RuntimeError) || !this.#quarantine.mayGoOn(sinceUs)) throw error;
    this.#carryOut();
    const at = trapped.exports.eventPtr();
    const event = at === 0 ? null : eventBytes(trapped, at).slice();
    const stepUs = this.#times[BEGUN]!;
    const { core, effects, records, recording } = rebuild({
      module: this.#module,
      init: this.#data.init,
      bank: this.#bank,
      trapped,
      epoch: trapped.counters[abi.C_EPOCH]!,
      nowUs: stepUs,
    });
    this.#recorder = null; // what it has recorded ends here
    this.#replace(core);
    // After the bank and the role, whose effects nobody waits for.
    this.#carryOutOf(effects);
    const next = at === 0 ? first : Math.floor((at - trapped.slotsPtr) / abi.RX_SLOT_BYTES) + 1;
    for (let slot = next; slot < events; slot++) {
      core.writeSlot(slot, eventBytes(trapped, trapped.slot(slot)));
      const kind = core.slot(slot) + abi.F_KIND;
      if (core.bytes[kind] === abi.EV_MEDIA_REPLY) core.bytes[kind] = 0; // the old core had asked
    }
    this.#isStale = true;
    this.#tell(this.#frame.encode({ kind: LINK_REBUILT }));
    if (event !== null) this.#quarantine.add(event);
    const report: TrapReport = {
      message: error.message,
      stack: error.stack ?? '',
      event,
      records,
      tookUs: nowUs() - sinceUs,
      nowUs: stepUs,
      recording: recording && [...recording, ...trapBlocks(event, stepUs)],
    };
    parentPort!.postMessage({ trap: report });
    return next;
  }

  /** Works with another core from now on. */
  #replace(core: Core): void {
    const link = this.#link;
    if (link !== null && link.fd >= 0) this.#closeLink(link); // the standby has to have everything anew
    if (link !== null) link.core = core;
    this.#core = core;
    this.#f64 = new Float64Array(core.memory.buffer);
    this.#udp.setMemory(core.memory, areasOf(core, this.#data.kernelStamps));
    for (const frame of this.#standing.values()) {
      core.writeSlot(0, frame);
      core.step(this.#times[BEGUN]!, 0, 1);
    }
  }

  /** Events that have brought a core down before do not reach this one. */
  #keepOut(events: number): void {
    for (let slot = 0; slot < events; slot++) {
      const at = this.#core.slot(slot);
      if (this.#quarantine.has(eventBytes(this.#core, at))) this.#core.bytes[at + abi.F_KIND] = 0;
    }
  }

  /** How long the event in a slot waited until now; one without a stamp came when it was taken. */
  #waited(slot: number): void {
    const at = (this.#core.slot(slot) + abi.F_TIME) >> 3;
    const takenUs = this.#times[SENT]!;
    const waitedUs = takenUs - this.#f64[at]!;
    if (waitedUs >= 0 && waitedUs < WAIT_US_MAX) this.#stats.queue.observe(waitedUs);
    else this.#f64[at] = takenUs;
  }

  /** Sends the datagrams among the effects, and passes the rest to the control thread. */
  #carryOut(): void {
    const { effectsPtr } = this.#core;
    this.#carryOutAt(effectsPtr, effectsPtr + this.#core.effectsLength());
  }

  /** Effects of another core: by way of the effect buffer, which is empty. */
  #carryOutOf(effects: Uint8Array): void {
    const { effectsPtr } = this.#core;
    this.#core.bytes.set(effects, effectsPtr);
    this.#carryOutAt(effectsPtr, effectsPtr + effects.length);
  }

  #carryOutAt(from: number, end: number): void {
    const { bytes, u32 } = this.#core;
    let told = false;
    let socket = this.#sockets[0]!;
    for (let at = from; at < end; ) {
      const length = u32[(at + abi.F_LENGTH) >> 2]!;
      const size = (abi.FRAME_HEADER_BYTES + length + 7) & ~7;
      if (bytes[at + abi.F_KIND] === abi.EF_SEND && bytes[at + abi.F_TRANSPORT] === abi.TRANSPORT_UDP) {
        const from = this.#socketOf(bytes[at + abi.F_LISTENER]!);
        if (from !== socket) {
          this.#flush(socket);
          socket = from;
        }
        const port = bytes[at + abi.F_PORT]! | (bytes[at + abi.F_PORT + 1]! << 8);
        if (!this.#udp.add(at + abi.FRAME_HEADER_BYTES, length, at + abi.F_ADDRESS, port)) {
          this.#flush(socket);
          this.#udp.add(at + abi.FRAME_HEADER_BYTES, length, at + abi.F_ADDRESS, port);
        }
      } else if (this.#link !== null && isForPeer(bytes[at + abi.F_KIND]!))
        this.#toPeer(this.#link, at, size);
      else if (this.#toControl.pushWords(u32, at, size)) told ||= isUrgent(bytes[at + abi.F_KIND]!);
      else this.#stats.droppedOut(1);
      at += size;
    }
    this.#flush(socket);
    if (told || this.#toControl.depth > this.#data.fromCore.byteLength / 4) ringNotify(this.#data.fromCore);
  }

  #toPeer(link: PeerLink, at: number, size: number): void {
    const { bytes, u32 } = this.#core;
    if (link.fd < 0) return;
    if (bytes[at + abi.F_KIND] !== abi.EF_MIRROR_FAIL) link.send(bytes.subarray(at, at + size));
    else {
      link.end = LINK_END_FAILED;
      link.detail = u32[(at + abi.F_ARG0) >> 2]!;
    }
  }

  #socketOf(listener: number): number {
    const i = this.#listenerOf.indexOf(listener);
    return this.#sockets[Math.max(i, 0)]!;
  }

  #flush(socket: number): void {
    const lost = this.#udp.flush(socket);
    if (lost > 0) this.#stats.droppedOut(lost);
  }

  #publish(now: number): void {
    this.#publishedUs = now;
    this.#udp.setClock(now);
    this.#stats.counters.set(this.#core.counters);
    this.#stats.droppedIn(this.#udp.takeDropped());
    if (now - this.#heapUs < HEAP_EVERY_US) return;
    this.#heapUs = now;
    this.#stats.heap(getHeapStatistics().used_heap_size);
  }
}

/** Starts and says so; null when it can't, which is said, too. */
async function begin(data: ThreadData): Promise<RealtimeThread | null> {
  let thread: RealtimeThread | null = null;
  try {
    const initUs = nowUs();
    const module = await WebAssembly.compile(data.wasm as BufferSource);
    thread = new RealtimeThread(data, module, Core.of(module, data.init, initUs), initUs);
    await thread.open();
    parentPort!.postMessage({});
    return thread;
  } catch (error) {
    thread?.close();
    parentPort!.postMessage({ error: (error as Error).message });
    return null;
  }
}

const thread = await begin(workerData as ThreadData);
if (thread !== null) {
  await thread.run();
  thread.close();
}
