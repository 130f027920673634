/**
 * The calls of a probe: when they are due, what has been sent and has arrived of each, and what that took.
 */
import { nowUs } from '../../switch/control/clock.ts';
import { DIGITS, type DialogRoute, type Messages } from './messages.ts';
import { KINDS, type Kind, type Latency, type ProbeResult, type ProbeTask } from './prober.ts';
import { joined, latencyOf, Samples } from './samples.ts';
import type { Sockets } from './sockets.ts';

/** Messages by their index in KINDS. */
const INVITE = 0;
const RINGING = 1;
const ANSWER = 2;
const ACK = 3;
const BYE = 4;
const DONE = 5;
const ALL = (1 << KINDS.length) - 1;

const CALLER = 0;
const CALLEE = 1;
/** A call whose answer, or whose end, takes longer than this has failed. */
const TIMEOUT_US = 5e6;
const ROUTE_BYTES = 512;
const CLOCK_EVERY_US = 200_000;
const PROGRESS_EVERY_US = 1e6;
/** Calls begun before arrivals are looked at again, when the prober is late. */
const BEGIN_MAX = 8;

export interface Watch {
  /** The warm-up is over. */
  counting(): void;
  progress(seconds: number): void;
}

function callsUp({ callsPerSecond, holdMs }: ProbeTask): number {
  return Math.ceil(callsPerSecond * (holdMs / 1e3 + TIMEOUT_US / 1e6 + 1)) + 16;
}

export class Calls {
  /** Room for the route sets of the calls that are up at the same time. */
  static bytesFor(task: ProbeTask): number {
    return callsUp(task) * ROUTE_BYTES;
  }

  readonly #task: ProbeTask;
  readonly #sockets: Sockets;
  readonly #messages: Messages;
  /** Where each side sends to. */
  readonly #ports: readonly [number, number];
  /** Calls in all, and of these, the first that is counted. */
  readonly #total: number;
  readonly #counted: number;
  /** By call modulo `#places`: which call it is, bits of what was sent and came, times of sending, routes. */
  readonly #places: number;
  readonly #call: Int32Array;
  readonly #sent: Uint8Array;
  readonly #came: Uint8Array;
  readonly #sentUs: Float64Array;
  readonly #routes: DialogRoute[];
  /** Calls in the order in which their BYEs are due, and when. */
  readonly #byes: Int32Array;
  readonly #byeDueUs: Float64Array;
  #byeHead = 0;
  #byeTail = 0;
  #up = 0;
  readonly #through: Samples[];
  readonly #late: Samples;
  #completed = 0;
  #failed = 0;
  #refused = 0;
  #lost = 0;
  #retransmissions = 0;
  readonly #cseq = Buffer.from('CSeq: ');

  constructor(task: ProbeTask, sockets: Sockets, messages: Messages, ports: readonly [number, number]) {
    this.#task = task;
    this.#sockets = sockets;
    this.#messages = messages;
    this.#ports = ports;
    this.#counted = Math.round(task.callsPerSecond * task.warmupSeconds);
    this.#total = this.#counted + Math.round(task.callsPerSecond * task.seconds);
    const places = callsUp(task);
    this.#places = places;
    this.#call = new Int32Array(places).fill(-1);
    this.#sent = new Uint8Array(places);
    this.#came = new Uint8Array(places);
    this.#sentUs = new Float64Array(places * KINDS.length);
    this.#routes = Array.from({ length: places }, (_, place) => ({
      at: sockets.extra + place * ROUTE_BYTES,
      targetLength: 0,
      routesLength: 0,
    }));
    this.#byes = new Int32Array(places);
    this.#byeDueUs = new Float64Array(places);
    this.#through = KINDS.map(() => new Samples(this.#total));
    this.#late = new Samples(2 * this.#total);
  }

  /** Places all calls and returns when the last has ended or failed. */
  run(watch?: Watch): void {
    const everyUs = 1e6 / this.#task.callsPerSecond;
    const startUs = nowUs() + 1_000;
    const countedUs = startUs + this.#counted * everyUs;
    let begun = 0;
    let clockUs = 0;
    let progressUs = countedUs + PROGRESS_EVERY_US;
    let endUs = Number.POSITIVE_INFINITY;
    let counting = false;
    for (;;) {
      const now = nowUs();
      if (now >= clockUs) {
        this.#sockets.setClock();
        clockUs = now + CLOCK_EVERY_US;
      }
      if (!counting && now >= countedUs) {
        counting = true;
        watch?.counting();
      }
      if (now >= progressUs) {
        watch?.progress(Math.round((now - countedUs) / 1e6));
        progressUs += PROGRESS_EVERY_US;
      }
      for (let n = 0; n < BEGIN_MAX && begun < this.#total && startUs + begun * everyUs <= nowUs(); n++)
        this.#begin(begun, startUs + begun++ * everyUs);
      this.#hangUpDue();
      const arrived = this.#take(CALLEE) + this.#take(CALLER);
      if (begun === this.#total) {
        endUs = Math.min(endUs, nowUs() + this.#task.holdMs * 1e3 + TIMEOUT_US);
        if (this.#up === 0 || nowUs() > endUs) break;
      }
      if (arrived > 0) continue;
      const nextUs = Math.min(
        begun < this.#total ? startUs + begun * everyUs : endUs,
        this.#byeHead === this.#byeTail ? endUs : this.#byeDueUs[this.#byeHead % this.#places]!,
        nowUs() + PROGRESS_EVERY_US,
      );
      const waitUs = nextUs - nowUs();
      if (waitUs > 0) this.#sockets.wait(waitUs);
    }
    for (let place = 0; place < this.#places; place++) if (this.#call[place]! >= 0) this.#fail(place);
  }

  #begin(call: number, dueUs: number): void {
    const place = call % this.#places;
    if (this.#call[place]! >= 0) this.#fail(place);
    this.#call[place] = call;
    this.#sent[place] = 0;
    this.#came[place] = 0;
    this.#up++;
    const length =
      this.#messages.invite.write(this.#sockets.memory, this.#sockets.out, call) - this.#sockets.out;
    this.#send(CALLER, place, INVITE, length);
    if (call >= this.#counted) this.#late.add(this.#sentUs[place * KINDS.length + INVITE]! - dueUs);
  }

  #hangUpDue(): void {
    while (this.#byeHead !== this.#byeTail) {
      const dueUs = this.#byeDueUs[this.#byeHead % this.#places]!;
      if (dueUs > nowUs()) return;
      const call = this.#byes[this.#byeHead++ % this.#places]!;
      const place = call % this.#places;
      if (this.#call[place] !== call) continue;
      this.#inDialog('BYE', place, BYE);
      if (call >= this.#counted) this.#late.add(this.#sentUs[place * KINDS.length + BYE]! - dueUs);
    }
  }

  #inDialog(method: 'ACK' | 'BYE', place: number, kind: number): void {
    const { memory, out } = this.#sockets;
    const end = this.#messages.inDialog(method, memory, out, this.#call[place]!, this.#routes[place]!);
    this.#send(CALLER, place, kind, end - out);
  }

  #send(side: 0 | 1, place: number, kind: number, length: number): void {
    this.#sent[place]! |= 1 << kind;
    this.#sentUs[place * KINDS.length + kind] = nowUs();
    this.#sockets.send(side, length, this.#ports[side]);
  }

  /** Deals with all that has come for a side; returns how many messages. */
  #take(side: 0 | 1): number {
    const count = this.#sockets.receive(side);
    for (let i = 0; i < count; i++) {
      const at = this.#sockets.at(side, i);
      if (side === CALLEE) this.#arrivedAtCallee(at);
      else this.#arrivedAtCaller(at);
    }
    return count;
  }

  #arrivedAtCallee(at: number): void {
    const method = this.#sockets.memory[at];
    const place = this.#placeOf(this.#callOf(at));
    if (place < 0) return;
    if (method === 73) {
      if (!this.#measure(place, INVITE, at)) return;
      this.#respond(180, place, RINGING, at);
      this.#respond(200, place, ANSWER, at);
    } else if (method === 65) this.#measure(place, ACK, at);
    else if (method === 66 && this.#measure(place, BYE, at)) this.#respond('bye', place, DONE, at);
  }

  #respond(what: 180 | 200 | 'bye', place: number, kind: number, at: number): void {
    const { memory, out } = this.#sockets;
    const end = at + this.#sockets.lengthOf(at);
    const length = this.#messages.response(what, memory, out, this.#call[place]!, at, end) - out;
    this.#send(CALLEE, place, kind, length);
  }

  #arrivedAtCaller(at: number): void {
    const { memory } = this.#sockets;
    const status = memory[at + 8]! * 100 + memory[at + 9]! * 10 + memory[at + 10]! - 48 * 111;
    if (status < 200 && status !== 180) return; // the proxy's own
    const call = this.#callOf(at);
    const ofBye = memory[memory.indexOf(this.#cseq, at) + this.#cseq.length] === 50;
    // Of a call that has failed, too: the proxy repeats what is not acknowledged.
    if (status >= 300 && !ofBye && call >= 0) this.#acknowledgeRefusal(call, at);
    const place = this.#placeOf(call);
    if (place < 0) return;
    if (status === 180) this.#measure(place, RINGING, at);
    else if (status >= 300) this.#refuse(place);
    else if (ofBye) this.#ended(place, at);
    else this.#answered(place, at);
  }

  #acknowledgeRefusal(call: number, at: number): void {
    const { memory, out } = this.#sockets;
    const end = this.#messages.ackOfRefusal(memory, out, call, at, at + this.#sockets.lengthOf(at));
    this.#sockets.send(CALLER, end - out, this.#ports[CALLER]);
  }

  #answered(place: number, at: number): void {
    if (!this.#measure(place, ANSWER, at)) return;
    const route = this.#routes[place]!;
    const end = this.#messages.dialogRoute(this.#sockets.memory, route, at, at + this.#sockets.lengthOf(at));
    if (end - route.at > ROUTE_BYTES)
      throw new Error(`Contact and routes have more than ${ROUTE_BYTES} bytes`);
    if (route.targetLength === 0 || !this.#inTime(place, INVITE, at)) {
      this.#fail(place);
      return;
    }
    this.#inDialog('ACK', place, ACK);
    this.#byes[this.#byeTail % this.#places] = this.#call[place]!;
    this.#byeDueUs[this.#byeTail++ % this.#places] = nowUs() + this.#task.holdMs * 1e3;
  }

  #ended(place: number, at: number): void {
    if (!this.#measure(place, DONE, at)) return;
    if (this.#came[place] === ALL && this.#inTime(place, BYE, at)) {
      if (this.#call[place]! >= this.#counted) this.#completed++;
      this.#forget(place);
    } else this.#fail(place);
  }

  /** Whether the answer to what was sent came soon enough. */
  #inTime(place: number, kind: number, at: number): boolean {
    return this.#sockets.arrivedUs(at) - this.#sentUs[place * KINDS.length + kind]! <= TIMEOUT_US;
  }

  /** Nothing was lost: what did not come was not sent on. */
  #refuse(place: number): void {
    if (this.#call[place]! >= this.#counted) {
      this.#failed++;
      this.#refused++;
    }
    this.#forget(place);
  }

  #fail(place: number): void {
    if (this.#call[place]! >= this.#counted) {
      this.#failed++;
      for (let kind = 0; kind < KINDS.length; kind++) {
        const bit = 1 << kind;
        if ((this.#sent[place]! & bit) !== 0 && (this.#came[place]! & bit) === 0) this.#lost++;
      }
    }
    this.#forget(place);
  }

  #forget(place: number): void {
    this.#call[place] = -1;
    this.#up--;
  }

  /** Counts an arrival; false when it is a repetition or of a call that has ended. */
  #measure(place: number, kind: number, at: number): boolean {
    const bit = 1 << kind;
    if ((this.#came[place]! & bit) !== 0) {
      if (this.#call[place]! >= this.#counted) this.#retransmissions++;
      return false;
    }
    this.#came[place]! |= bit;
    if (this.#call[place]! >= this.#counted)
      this.#through[kind]!.add(this.#sockets.arrivedUs(at) - this.#sentUs[place * KINDS.length + kind]!);
    return true;
  }

  /** Which call a message belongs to, -1 when it is none of this probe's. */
  #callOf(at: number): number {
    const { memory } = this.#sockets;
    const start = this.#messages.callIdStart;
    const found = memory.indexOf(start, at);
    if (found < 0 || found > at + this.#sockets.lengthOf(at)) return -1;
    const digits = found + start.length;
    let call = 0;
    for (let i = 0; i < DIGITS; i++) call = call * 10 + memory[digits + i]! - 48;
    return call;
  }

  /** Where a call is kept, -1 when it is not up (any more). */
  #placeOf(call: number): number {
    if (call < 0) return -1;
    const place = call % this.#places;
    if (this.#call[place] === call) return place;
    if (call >= this.#counted) this.#retransmissions++; // of a call that has ended
    return -1;
  }

  /** From sending to arrival, of messages of all kinds. */
  get latencies(): Float32Array {
    return joined(this.#through.map((samples) => samples.all));
  }

  /** What to report: `direct` is the path without a proxy, `cpuUs` and `dropped` are the prober's own. */
  result(direct: Latency, cpuUs: number, dropped: number): ProbeResult {
    const sets = this.#through.map((samples) => samples.all);
    const table = (lessUs: number) =>
      Object.fromEntries([
        ...KINDS.map((kind, i) => [kind, latencyOf(sets[i]!, lessUs)]),
        ['all', latencyOf(joined(sets), lessUs)],
      ]) as Record<Kind | 'all', Latency>;
    return {
      callsPerSecond: this.#task.callsPerSecond,
      calls: this.#total - this.#counted,
      completed: this.#completed,
      failed: this.#failed,
      refused: this.#refused,
      dropped,
      lost: this.#lost,
      retransmissions: this.#retransmissions,
      lateUs: latencyOf(this.#late.all),
      direct,
      through: table(0),
      added: table(direct.p50),
      proberCpuUsPerCall: Math.round((cpuUs / Math.max(this.#completed, 1)) * 10) / 10,
    };
  }
}
