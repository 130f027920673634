/**
 * A node of a simulation: the production core with a host around it that has no sockets and no clock of its own. It waits a
 * little for messages, steps the core, and carries out the effects; it can be paused, killed and brought back, and its clock
 * can be wrong.
 */
import * as abi from '../assembly/abi.ts';
import { Core, type CoreInit } from '../host/core.ts';
import { Frame, FrameEncoder } from '../host/frames.ts';
import { type MediaClient, MediaService } from './media.ts';
import { type Arrival, type Flow, type Host, ipOf, type Network } from './network.ts';
import { Packet } from './packet.ts';
import type { Random } from './random.ts';
import type { NodeSpec } from './scenario.ts';
import type { Scheduler, Timer } from './scheduler.ts';

export const SIP_PORT = 5060;
export const WS_PORT = 8080;
/** Virtual time 0 in the clock of a node that is right, µs since the Unix epoch. */
export const EPOCH_US = 1_800_000_000_000_000;

/** From the arrival of a message to the step that takes it, µs, and up to so much more. */
const WAKE_US = 20;
const WAKE_JITTER_US = 60;
/** What a step is said to take, µs. */
const STEP_US = 2;
/** Messages that the kernel keeps for a process that doesn't take them. */
const QUEUE_MAX = 2_000;

const LISTENER_UDP = 0;
const LISTENER_TCP = 1;
const LISTENER_WS = 2;

/** What a node did with one event. */
export interface NodeWatcher {
  /** A message is about to go into the core. */
  received(node: SimNode, arrival: Arrival): void;
  /** The core has sent a message. `to`: where to. */
  sent(node: SimNode, packet: Packet, to: Destination): void;
  /** Any other effect: calls, log entries and so on. Valid during the call only. */
  effect(node: SimNode, effect: Frame): void;
  /** The event and its effects are done. */
  stepped(node: SimNode): void;
  /** It came back without the memory that it had. */
  forgot(node: SimNode): void;
  /** The core trapped. */
  trapped(node: SimNode, error: Error): void;
}

/** Where a message of the core goes: an address for datagrams, else a stream. */
export interface Destination {
  transport: number;
  ip: number;
  port: number;
  flow: Flow | null;
}

export class SimNode implements Host, MediaClient {
  readonly name: string;
  readonly spec: NodeSpec;
  readonly ip: number;
  readonly media: MediaService;
  readonly #module: WebAssembly.Module;
  readonly #init: CoreInit;
  readonly #bank: () => Uint8Array;
  readonly #scheduler: Scheduler;
  readonly #network: Network;
  readonly #random: Random;
  readonly #watcher: NodeWatcher;
  readonly #isHeard: (ip: number) => boolean;
  readonly #frames = new FrameEncoder();
  readonly #queue: { frame: Uint8Array; arrival: Arrival | null }[] = [];
  readonly #flows = new Map<number, Flow>();
  #core: Core;
  #view: DataView;
  #work: Timer | undefined;
  #wake: Timer | undefined;
  #state: 'up' | 'paused' | 'down' = 'up';
  // Its clock went by `#rate` since `#sinceUs` (virtual), when it showed `#baseUs`; `#shownUs` is what it has shown last.
  #rate = 1;
  #sinceUs = 0;
  #baseUs = EPOCH_US;
  #shownUs = EPOCH_US;
  #requestId = 0;

  /**
   * @param bank  the routes and users at present (host/bank.ts)
   * @param isHeard  whether the host with an address sends audio
   */
  constructor(
    spec: NodeSpec,
    module: WebAssembly.Module,
    init: CoreInit,
    bank: () => Uint8Array,
    around: {
      scheduler: Scheduler;
      network: Network;
      random: Random;
      mediaRandom: Random;
      watcher: NodeWatcher;
      isHeard: (ip: number) => boolean;
    },
  ) {
    this.name = spec.name;
    this.spec = spec;
    this.ip = ipOf(spec.ip);
    this.#module = module;
    this.#init = init;
    this.#bank = bank;
    this.#scheduler = around.scheduler;
    this.#network = around.network;
    this.#random = around.random;
    this.#watcher = around.watcher;
    this.#isHeard = around.isHeard;
    this.media = new MediaService(around.scheduler, around.mediaRandom, spec.media, this);
    this.#core = Core.of(module, init, this.clockUs());
    this.#view = new DataView(this.#core.memory.buffer);
    for (const port of [SIP_PORT, WS_PORT]) this.#network.bind(this.ip, port, this);
    this.loadBank();
  }

  get core(): Core {
    return this.#core;
  }

  get state(): 'up' | 'paused' | 'down' {
    return this.#state;
  }

  /** What its clock shows, µs since the Unix epoch: never less than before. */
  clockUs(): number {
    this.#shownUs = Math.max(this.#shownUs, this.#runningUs());
    return this.#shownUs;
  }

  /** The same for people who look: looking leaves no trace. */
  get clockReadingUs(): number {
    return Math.max(this.#shownUs, this.#runningUs());
  }

  /** What it would show if it could go back. */
  #runningUs(): number {
    return this.#baseUs + Math.floor((this.#scheduler.nowUs - this.#sinceUs) * this.#rate);
  }

  /** Lets the clock go faster or slower from now on, and puts it on or back. One that was put back stands still meanwhile. */
  setClock(rate: number, byUs = 0): void {
    this.#baseUs = this.#runningUs() + byUs;
    this.#sinceUs = this.#scheduler.nowUs;
    this.#rate = rate;
    this.#workSoon();
  }

  // --- host of the network -----------------------------------------------------------------------

  receive(arrival: Arrival): void {
    if (this.#state === 'down') return;
    const { packet, flow } = arrival;
    if (packet.bytes.length > abi.MESSAGE_BYTES_MAX) return;
    if (flow !== null && !this.#flows.has(flow.id)) this.#flows.set(flow.id, flow);
    const frame = this.#frames
      .encode(
        {
          kind: abi.EV_MESSAGE,
          transport: flow === null ? abi.TRANSPORT_UDP : flow.transport,
          flow: flow?.id ?? 0,
          port: arrival.fromPort,
          listener:
            flow === null ? LISTENER_UDP : flow.transport === abi.TRANSPORT_TCP ? LISTENER_TCP : LISTENER_WS,
          address: mapped(arrival.fromIp),
          timeUs: this.clockUs(),
        },
        packet.bytes,
      )
      .slice();
    this.#enqueue(frame, arrival);
  }

  accepts(port: number): boolean {
    return this.#state !== 'down' && (port === SIP_PORT || port === WS_PORT);
  }

  closed(flow: Flow): void {
    if (!this.#flows.delete(flow.id) || this.#state === 'down') return;
    this.#enqueue(this.#frames.encode({ kind: abi.EV_FLOW_CLOSED, flow: flow.id }).slice(), null);
  }

  // --- client of its media service ---------------------------------------------------------------

  event(frame: Uint8Array): void {
    if (this.#state !== 'down') this.#enqueue(frame, null);
  }

  isHeard(ip: number): boolean {
    return this.#isHeard(ip);
  }

  // --- faults and an operator's acts -------------------------------------------------------------

  /** Takes nothing and sends nothing; what comes meanwhile waits. */
  pause(): void {
    if (this.#state === 'up') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'up';
    this.#workSoon();
  }

  /** Dies: what waits is lost, streams end. */
  crash(): void {
    this.#state = 'down';
    this.#queue.length = 0;
    this.#network.closeAll(this);
    this.#flows.clear();
  }

  /** Comes back, with the memory it had or as new. */
  restart(keepsMemory: boolean): void {
    if (this.#state !== 'down') return;
    this.#state = 'up';
    if (!keepsMemory) {
      this.#core = Core.of(this.#module, this.#init, this.clockUs());
      this.#view = new DataView(this.#core.memory.buffer);
      this.media.forget();
      this.#watcher.forgot(this);
      this.loadBank();
    }
    this.#workSoon();
  }

  /** Takes the present routes and users into use. */
  loadBank(): void {
    const bank = this.#bank();
    if (!this.#core.stageBank(bank)) throw new Error(`the bank of ${this.name} is too large`);
    this.#enqueue(this.#frames.encode({ kind: abi.EV_BANK_READY, args: [bank.length] }).slice(), null);
  }

  setDraining(draining: boolean): void {
    this.event(this.#frames.encode({ kind: abi.EV_DRAIN, args: [draining ? 1 : 0] }).slice());
  }

  /** Ends a call. */
  hangup(slot: number, generation: number): void {
    this.event(
      this.#frames.encode({ kind: abi.EV_HANGUP, args: [++this.#requestId, slot, generation] }).slice(),
    );
  }

  /** Does what is due now, if anything. */
  look(): void {
    this.#run();
  }

  // --- the loop ----------------------------------------------------------------------------------

  #enqueue(frame: Uint8Array, arrival: Arrival | null): void {
    if (this.#queue.length >= QUEUE_MAX && arrival?.flow === null) return;
    this.#queue.push({ frame, arrival });
    this.#workSoon();
  }

  #workSoon(): void {
    if (this.#work !== undefined || this.#state !== 'up') return;
    this.#work = this.#scheduler.after(WAKE_US + this.#random.below(WAKE_JITTER_US), () => {
      this.#work = undefined;
      this.#run();
    });
  }

  #run(): void {
    if (this.#state !== 'up') return;
    const events = this.#queue.splice(0, abi.RX_SLOTS);
    this.#step(0);
    for (const { frame, arrival } of events) {
      if (this.#state !== 'up') return;
      this.#core.writeSlot(0, frame);
      if (arrival !== null) this.#watcher.received(this, arrival);
      this.#step(1);
    }
    if (this.#queue.length > 0) this.#workSoon();
    this.#wakeAtDeadline();
  }

  /** Steps the core with the event in the first slot, or with none: then for what is due. */
  #step(events: 0 | 1): void {
    for (let taken = -1; taken < events && this.#state === 'up'; ) {
      const nowUs = this.clockUs();
      try {
        taken = this.#core.step(nowUs, 0, events);
      } catch (error) {
        this.crash();
        this.#watcher.trapped(this, error as Error);
        return;
      }
      this.#carryOut();
      this.#core.account(STEP_US, nowUs + STEP_US);
    }
    this.#watcher.stepped(this);
  }

  #carryOut(): void {
    const { bytes, effectsPtr } = this.#core;
    const end = effectsPtr + this.#core.effectsLength();
    for (let at = effectsPtr; at < end; ) {
      const length = this.#view.getUint32(at + abi.F_LENGTH, true);
      const size = (abi.FRAME_HEADER_BYTES + length + 7) & ~7;
      const kind = bytes[at + abi.F_KIND]!;
      if (kind === abi.EF_SEND) this.#send(at, length);
      else {
        const frame = new Frame(bytes.subarray(at, at + size));
        if (kind === abi.EF_MEDIA) this.media.take(frame);
        else if (kind === abi.EF_CLOSE_FLOW) this.#closeFlow(frame.flow);
        this.#watcher.effect(this, frame);
      }
      at += size;
    }
  }

  #send(at: number, length: number): void {
    const { bytes } = this.#core;
    const payload = at + abi.FRAME_HEADER_BYTES;
    const packet = new Packet(bytes.slice(payload, payload + length));
    const transport = bytes[at + abi.F_TRANSPORT]!;
    const port = this.#view.getUint16(at + abi.F_PORT, true);
    const ip = this.#view.getUint32(at + abi.F_ADDRESS + 12, false);
    const flow =
      transport === abi.TRANSPORT_UDP
        ? null
        : (this.#flows.get(this.#view.getUint32(at + abi.F_FLOW, true)) ?? null);
    this.#watcher.sent(this, packet, { transport, ip, port, flow });
    if (transport === abi.TRANSPORT_UDP) this.#network.send(this, this.ip, SIP_PORT, ip, port, packet);
    else if (flow !== null) this.#network.write(flow, this, packet);
  }

  #closeFlow(id: number): void {
    const flow = this.#flows.get(id);
    this.#flows.delete(id);
    if (flow !== undefined) this.#network.close(flow);
  }

  #wakeAtDeadline(): void {
    this.#wake?.cancel();
    this.#wake = undefined;
    const deadlineMs = this.#core.nextDeadlineMs();
    if (deadlineMs === 0 || this.#state !== 'up') return;
    const missingUs = deadlineMs * 1_000 - this.#runningUs();
    const inUs = missingUs > 0 ? Math.max(1, Math.ceil(missingUs / this.#rate)) : 0;
    this.#wake = this.#scheduler.after(inUs, () => {
      this.#wake = undefined;
      this.#run();
    });
  }
}

/** An IPv4 address as the core has it. */
export function mapped(ip: number): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes[10] = 0xff;
  bytes[11] = 0xff;
  for (let i = 0; i < 4; i++) bytes[12 + i] = (ip >>> (24 - 8 * i)) & 255;
  return bytes;
}
