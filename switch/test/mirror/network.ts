/** Connections between simulated processes: in order, with delays, partitions in each direction, and pauses. */
import type { Random } from '../../../wasm-core/sim/random.ts';
import type { Scheduler } from '../../../wasm-core/sim/scheduler.ts';

const US_PER_MS = 1_000;
/** A loopback, and a link that is slow. */
const DELAY_US = { fast: [20, 2_000], slow: [5_000, 400_000] } as const;

/** A process on one machine: it may be dead, paused, and its clock has a rate of its own. */
export class Process {
  readonly name: string;
  readonly #scheduler: Scheduler;
  readonly #rate: number;
  readonly #offsetMs: number;
  readonly links = new Set<Link>();
  dead = false;
  #paused = false;
  /** What came while it was paused. */
  readonly #inbox: (() => void)[] = [];

  constructor(name: string, scheduler: Scheduler, random: Random) {
    this.name = name;
    this.#scheduler = scheduler;
    this.#rate = (random.chance(500) ? random.pick([900, 1_100]) : random.between(900, 1_100)) / 1_000;
    this.#offsetMs = random.below(1_000_000);
  }

  /** Its own clock, ms. */
  get nowMs(): number {
    return this.#offsetMs + (this.#scheduler.nowUs / US_PER_MS) * this.#rate;
  }

  /** Runs when the process does; never when it is dead. */
  run(work: () => void): void {
    if (this.dead) return;
    if (this.#paused) this.#inbox.push(work);
    else work();
  }

  /** Every so often by its own clock, a bit irregularly; not twice for a pause. */
  every(ms: number, random: Random, work: () => void): void {
    let due = false;
    const again = (): void => {
      if (this.dead) return;
      this.#scheduler.after(((ms * US_PER_MS) / this.#rate) * (0.8 + random.fraction() * 0.6), again);
      if (due) return;
      due = true;
      this.run(() => {
        due = false;
        work();
      });
    };
    again();
  }

  pause(): void {
    this.#paused = true;
  }

  /** Does what has come meanwhile, in its order; a timer that was due may come first or last. */
  resume(): void {
    this.#paused = false;
    for (const work of this.#inbox.splice(0)) if (!this.dead) work();
  }

  /** The system closes its connections. */
  kill(): void {
    this.dead = true;
    for (const link of this.links) link.close(this, true);
  }
}

/** What one end of a connection does with what comes. */
export interface End {
  process: Process;
  message(message: object): void;
  closed(): void;
}

/** Which ways are cut or slow, by `from>to`. */
export class Network {
  readonly scheduler: Scheduler;
  readonly #random: Random;
  readonly #cut = new Set<string>();
  readonly #slow = new Set<string>();
  readonly #waiting: (() => void)[] = [];

  constructor(scheduler: Scheduler, random: Random) {
    this.scheduler = scheduler;
    this.#random = random;
  }

  cut(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`);
  }

  slow(from: string, to: string): void {
    this.#slow.add(`${from}>${to}`);
  }

  /** What waited goes on its way now, as it would by retransmission. */
  heal(): void {
    this.#cut.clear();
    this.#slow.clear();
    for (const go of this.#waiting.splice(0)) go();
  }

  isCut(from: string, to: string): boolean {
    return this.#cut.has(`${from}>${to}`);
  }

  delayUs(from: string, to: string): number {
    const [least, most] = this.#slow.has(`${from}>${to}`) ? DELAY_US.slow : DELAY_US.fast;
    return this.#random.between(least, most);
  }

  /** Calls at the next healing. */
  wait(go: () => void): void {
    this.#waiting.push(go);
  }

  /** Whether what a dying process has sent is lost. */
  losesInFlight(): boolean {
    return this.#random.chance(500);
  }
}

/** One direction of a connection. */
class Way {
  readonly #network: Network;
  readonly #from: Process;
  readonly #to: Process;
  readonly #queue: (() => void)[] = [];
  #moving = false;

  constructor(network: Network, from: Process, to: Process) {
    this.#network = network;
    this.#from = from;
    this.#to = to;
  }

  send(deliver: () => void): void {
    this.#queue.push(deliver);
    this.#move();
  }

  lose(): void {
    this.#queue.splice(0);
  }

  #move(): void {
    if (this.#moving || this.#queue.length === 0) return;
    this.#moving = true;
    const { name: from } = this.#from;
    const { name: to } = this.#to;
    this.#network.scheduler.after(this.#network.delayUs(from, to), () => this.#arrive(from, to));
  }

  #arrive(from: string, to: string): void {
    this.#moving = false;
    if (this.#network.isCut(from, to)) {
      this.#moving = true;
      this.#network.wait(() => {
        this.#moving = false;
        this.#move();
      });
      return;
    }
    const item = this.#queue.shift();
    if (item) this.#to.run(item);
    this.#move();
  }
}

/** A connection. */
export class Link {
  readonly #network: Network;
  readonly #ends: readonly [End, End];
  readonly #ways: readonly [Way, Way];
  /** Which ends have closed it or seen it closed. */
  readonly #closed = [false, false];

  constructor(network: Network, a: End, b: End) {
    this.#network = network;
    this.#ends = [a, b];
    this.#ways = [new Way(network, a.process, b.process), new Way(network, b.process, a.process)];
    a.process.links.add(this);
    b.process.links.add(this);
  }

  #side(process: Process): 0 | 1 {
    return this.#ends[0].process === process ? 0 : 1;
  }

  isOpen(process: Process): boolean {
    return !this.#closed[this.#side(process)];
  }

  send(from: Process, message: object): void {
    const side = this.#side(from);
    const other = side === 0 ? 1 : 0;
    if (this.#closed[side]) return;
    this.#ways[side].send(() => {
      if (!this.#closed[other]) this.#ends[other].message(message);
    });
  }

  /** One end closes; the other one learns of it after what was sent before, unless that is lost. */
  close(by: Process, dying = false): void {
    const side = this.#side(by);
    const other = side === 0 ? 1 : 0;
    if (this.#closed[side]) return;
    this.#closed[side] = true;
    by.links.delete(this);
    if (dying && this.#network.losesInFlight()) this.#ways[side].lose();
    this.#ways[side].send(() => {
      if (this.#closed[other]) return;
      this.#closed[other] = true;
      this.#ends[other].process.links.delete(this);
      this.#ends[other].closed();
    });
  }
}
