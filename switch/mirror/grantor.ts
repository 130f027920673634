/**
 * Grants the lease: a state machine without clock, socket or timer. Each method is an event, with the time in ms of the
 * grantor's own clock; what it returns is the answer. docs/availability.md has the table of its states.
 *
 * Connections are numbers that the caller gives. What one connection carries arrives in order.
 */
import { heldMs } from './lease-time.ts';

/** Answer to an ask, a renewal or a release. */
export interface LeaseAnswer {
  granted: boolean;
  /** The epoch that was granted; in a refusal, the newest one that the grantor knows of. */
  epoch: number;
}

export interface GrantorOptions {
  /** Length of a lease, ms; the same as that of the nodes, or longer. */
  leaseMs: number;
  /**
   * How often a grantor was started, this time included: 1 and up. Before the first, no node can have a lease; before a later one
   * there may be a holder that lives and claims it. Each one has epochs of its own, so that none is given twice.
   */
  generation: number;
}

/** Epochs of one generation. */
const EPOCHS = 1 << 16;

/** Who has the lease. */
interface Holder {
  node: string;
  connection: number;
  epoch: number;
  /** From here on another node may have the next epoch. */
  untilMs: number;
}

export class Grantor {
  readonly #heldMs: number;
  /** What this generation grants is newer. */
  readonly #base: number;
  #holder: Holder | null = null;
  /** Newest epoch that was granted or heard of. */
  #newest = 0;
  /** There may be a holder from before the grantor started. Ends with the first grant. */
  #unknown: boolean;
  /** Until then, one that is unknown counts as one that lives; infinite before {@link opened}. */
  #unknownUntilMs = Number.POSITIVE_INFINITY;
  /** Whether {@link tick} has told of the lease's end. */
  #told = false;

  constructor(options: GrantorOptions) {
    this.#heldMs = heldMs(options.leaseMs);
    this.#base = (options.generation - 1) * EPOCHS;
    this.#unknown = options.generation > 1;
  }

  /** Newest epoch granted or heard of, 0 = none. */
  get epoch(): number {
    return this.#newest;
  }

  /** Whether a command with this epoch is to be obeyed: it is the holder's, and no newer one was granted. */
  admits(epoch: number): boolean {
    return this.#holder !== null && this.#holder.epoch === epoch;
  }

  /** Whether the node on this connection is the holder. */
  holds(connection: number): boolean {
    return this.#holder?.connection === connection;
  }

  /**
   * Nodes can connect from now on. Not earlier: a holder that finds nobody to connect to takes that for a renewal,
   * so the time in which an unknown holder may live is counted from here.
   */
  opened(nowMs: number): void {
    this.#unknownUntilMs = nowMs + this.#heldMs;
  }

  /**
   * A node that is not active wants the next epoch.
   * @param seen newest epoch that it has heard of, so that no older one is granted.
   */
  ask(connection: number, node: string, seen: number, nowMs: number): LeaseAnswer {
    this.#newest = Math.max(this.#newest, seen);
    // Who asks is not active: if it is the holder itself, it has given up what it held.
    const others = this.#holder !== null && !this.holds(connection);
    if (nowMs < this.freeAtMs && (others || this.#unknown)) return this.#refused();
    return this.#grant(connection, node, Math.max(this.#newest, this.#base) + 1, nowMs);
  }

  /** The active node goes on with the epoch that it has; when the grantor knows of no holder, this is a claim. */
  renew(connection: number, node: string, epoch: number, nowMs: number): LeaseAnswer {
    const holder = this.#holder;
    const own = holder !== null && holder.node === node && holder.epoch === epoch;
    const claim = holder === null && epoch > 0 && epoch >= this.#newest;
    return own || claim ? this.#grant(connection, node, epoch, nowMs) : this.#refused();
  }

  /** The holder has stopped serving. @returns whether the lease became free by that. */
  release(connection: number, epoch: number): boolean {
    if (!this.holds(connection) || !this.admits(epoch)) return false;
    this.#holder = null;
    return true;
  }

  /**
   * A node has closed its connection, that is: its process is dead. Not to be called when it was the grantor's side that
   * closed: then the node lives and connects again.
   * @returns whether the lease became free by that.
   */
  closed(connection: number): boolean {
    if (!this.holds(connection)) return false;
    this.#holder = null;
    return true;
  }

  /** Time passes. @returns whether the lease became free by that; told once. */
  tick(nowMs: number): boolean {
    if (this.#told || nowMs < this.freeAtMs || (this.#holder === null && !this.#unknown)) return false;
    this.#told = true;
    return true;
  }

  /** When the next ask will be granted if nothing else happens; in the past when one would be at once. */
  get freeAtMs(): number {
    if (this.#holder !== null) return this.#holder.untilMs;
    return this.#unknown ? this.#unknownUntilMs : Number.NEGATIVE_INFINITY;
  }

  #grant(connection: number, node: string, epoch: number, nowMs: number): LeaseAnswer {
    this.#holder = { node, connection, epoch, untilMs: nowMs + this.#heldMs };
    this.#newest = Math.max(this.#newest, epoch);
    this.#unknown = false;
    this.#told = false;
    return { granted: true, epoch };
  }

  #refused(): LeaseAnswer {
    return { granted: false, epoch: this.#newest };
  }
}
