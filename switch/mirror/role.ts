/**
 * The role of a node: a state machine without clock, socket or timer. Events go in with the time in ms of the node's own clock;
 * actions come out, to be done in their order. docs/availability.md has the table of its states.
 *
 * A node is entitled to serve while it is active and its clock has not reached the end of its lease. The machine keeps to
 * that, and so does the core by itself (EV_LEASE), as it may be stopped between any two instructions.
 */
import { RENEWALS, renewEveryMs } from './lease-time.ts';

export type Role = 'standby' | 'asking' | 'active' | 'fenced';

/** Why a node has stopped being active. */
export type StepDownReason =
  | 'the lease has ended'
  | 'the lease was refused'
  | 'a newer epoch is out'
  | 'the grantor is not understood'
  | 'switchover'
  | 'stop';

export type RoleEvent =
  /** The link to the peer is up, the peer was heard again after a silence, or its role has changed. */
  | { type: 'peer'; role: Role; epoch: number }
  /** Heartbeats of the peer are missing. */
  | { type: 'peerSilent' }
  /** The link to the peer is closed. */
  | { type: 'peerDown' }
  /** Connected to the grantor. */
  | { type: 'grantorUp' }
  /** The connection to the grantor is closed, by the other side: a node that is active never closes it. */
  | { type: 'grantorDown' }
  /** What the grantor sends is no message: the connection is of no use, but can be closed only after `stepDown`. */
  | { type: 'garbled' }
  /** Nobody listens where the grantor should: an attempt to connect that began at `sinceMs` was refused. */
  | { type: 'grantorAbsent'; sinceMs: number }
  /** Answers to the request with that number. */
  | { type: 'granted'; request: number; epoch: number }
  | { type: 'refused'; request: number; epoch: number }
  /** The grantor tells all that nobody has the lease. */
  | { type: 'free' }
  /** A command of this node was refused because of a newer epoch. */
  | { type: 'outdated'; epoch: number }
  /** Time passes; wanted every leaseMs / 10 or more often. */
  | { type: 'tick' }
  /** The operator wants the standby to take over. Without one on a live link, nothing happens. */
  | { type: 'switchover' }
  /** After `drain`: the core takes nothing more, and the standby has acknowledged everything. */
  | { type: 'drained' }
  /** After `stepDown`: the host has thrown the old core away and begins with an empty one. */
  | { type: 'restarted' }
  /** The process ends; after that nothing happens. */
  | { type: 'stop' };

export type RoleAction =
  /** Tell the grantor; the answer comes back with the number. */
  | { type: 'ask'; request: number; seen: number }
  | { type: 'renew'; request: number; epoch: number }
  | { type: 'release'; epoch: number }
  /** Serve, until the lease ends; infinite for a single node. */
  | { type: 'promote'; epoch: number; leaseUntilMs: number }
  /** The lease ends later now. */
  | { type: 'lease'; untilMs: number }
  /** Serve no longer; the core is of no more use. */
  | { type: 'stepDown'; reason: StepDownReason }
  /** Try to connect to the peer. */
  | { type: 'connectPeer' }
  /** Take no more messages and wait until the standby has acknowledged everything; then `drained`. */
  | { type: 'drain' }
  /** The switchover can't be: take messages again. */
  | { type: 'resume' };

export interface RoleOptions {
  /** Length of a lease, ms. */
  leaseMs: number;
  /**
   * Whether this node is one of a pair. A single one asks without waiting, and its lease has no end: it steps down only when it is
   * refused, as there is nobody to make room for.
   */
  peer: boolean;
}

/** What is known of the peer while its link is up and heartbeats come. */
interface Peer {
  role: Role;
  epoch: number;
}

export class RoleMachine {
  readonly #leaseMs: number;
  readonly #everyMs: number;
  readonly #hasPeer: boolean;
  #role: Role = 'standby';
  /** Of this node while it is active, else 0. */
  #epoch = 0;
  /** Newest epoch heard of. */
  #newest = 0;
  #leaseUntilMs = Number.NEGATIVE_INFINITY;
  #peer: Peer | null = null;
  /** The link is up, silent or not. */
  #linked = false;
  #connectPeerMs = Number.NEGATIVE_INFINITY;
  /** Until then a node that sees no active peer gives it the time to appear, or to take over. */
  #patientUntilMs: number;
  #grantor = false;
  /** The grantor has said that the lease is free, and no answer came since. */
  #free = false;
  #nextRequest = 1;
  /** When requests without an answer were sent, by number. */
  readonly #sentMs = new Map<number, number>();
  /** When to ask or renew next. */
  #requestMs = Number.NEGATIVE_INFINITY;
  /** A switchover that is not drained by then is given up; null while there is none. */
  #drainUntilMs: number | null = null;
  #stopped = false;
  #actions: RoleAction[] = [];

  constructor(options: RoleOptions, nowMs: number) {
    this.#leaseMs = options.leaseMs;
    this.#everyMs = renewEveryMs(options.leaseMs);
    this.#hasPeer = options.peer;
    this.#patientUntilMs = nowMs + this.#leaseMs;
  }

  get role(): Role {
    return this.#role;
  }

  /** Epoch with which this node serves, 0 = it does not. */
  get epoch(): number {
    return this.#epoch;
  }

  /** When the lease ends if it is not renewed, ms of the node's clock. */
  get leaseUntilMs(): number {
    return this.#leaseUntilMs;
  }

  /** Whether a switchover can begin now. */
  get canSwitchOver(): boolean {
    return this.#role === 'active' && this.#peer?.role === 'standby' && this.#drainUntilMs === null;
  }

  /** Whether this node may serve. */
  entitled(nowMs: number): boolean {
    return this.#role === 'active' && nowMs < this.#leaseUntilMs;
  }

  /** @returns what is to be done, in this order. */
  handle(event: RoleEvent, nowMs: number): RoleAction[] {
    this.#actions = [];
    if (this.#stopped) return this.#actions;
    // Before anything else: whatever comes, it came too late.
    if (this.#role === 'active' && nowMs >= this.#leaseUntilMs) this.#stepDown('the lease has ended');
    this.#take(event, nowMs);
    this.#goOn(nowMs);
    return this.#actions;
  }

  #take(event: RoleEvent, nowMs: number): void {
    switch (event.type) {
      case 'peer':
        this.#linked = true;
        this.#peer = { role: event.role, epoch: event.epoch };
        this.#heardOf(event.epoch);
        break;
      case 'peerDown':
      case 'peerSilent':
        this.#lostPeer(event.type === 'peerSilent', nowMs);
        break;
      case 'grantorUp':
        this.#grantor = true;
        this.#requestMs = nowMs;
        break;
      case 'grantorDown':
        this.#grantor = false;
        this.#free = false;
        this.#sentMs.clear();
        break;
      case 'garbled':
        if (this.#role === 'active') this.#stepDown('the grantor is not understood');
        break;
      case 'grantorAbsent':
        this.#extend(event.sinceMs + this.#leaseMs);
        break;
      case 'granted':
      case 'refused':
        this.#answered(event, nowMs);
        break;
      case 'free':
        this.#free = this.#role === 'standby' || this.#role === 'asking';
        if (this.#free) this.#requestMs = nowMs;
        break;
      case 'outdated':
        this.#heardOf(event.epoch);
        break;
      case 'switchover':
        if (!this.canSwitchOver) break;
        this.#drainUntilMs = nowMs + this.#leaseMs;
        this.#actions.push({ type: 'drain' });
        break;
      case 'drained':
        this.#handOver();
        break;
      case 'restarted':
        if (this.#role !== 'fenced') break;
        this.#role = 'standby';
        this.#patientUntilMs = nowMs + this.#leaseMs;
        break;
      case 'stop':
        if (this.#role === 'active') this.#stepDown('stop');
        this.#role = 'fenced';
        this.#stopped = true;
        break;
      case 'tick':
    }
  }

  /** What time alone may ask for. */
  #goOn(nowMs: number): void {
    if (this.#stopped || this.#role === 'fenced') return;
    if (this.#drainUntilMs !== null && nowMs >= this.#drainUntilMs) this.#resume();
    if (this.#role !== 'active') this.#seek(nowMs);
    if (!this.#grantor || nowMs < this.#requestMs) return;
    // No more than one lease can use; a grantor that hangs answers none of them.
    if (this.#role === 'active' && this.#sentMs.size < RENEWALS) this.#request(nowMs, 'renew');
    // One at a time: a second one would give up what the first is granted.
    else if (this.#role === 'asking' && this.#sentMs.size === 0) this.#request(nowMs, 'ask');
  }

  /** Looks for the peer, and decides whether to ask for the lease. */
  #seek(nowMs: number): void {
    if (this.#hasPeer && !this.#linked && nowMs >= this.#connectPeerMs) {
      this.#connectPeerMs = nowMs + this.#everyMs;
      this.#actions.push({ type: 'connectPeer' });
    }
    // With a request under way it may be the holder already.
    if (this.#wanted(nowMs)) this.#role = 'asking';
    else if (this.#sentMs.size === 0) this.#role = 'standby';
  }

  /** Whether this node should ask; whether it may serve is the grantor's to say. */
  #wanted(nowMs: number): boolean {
    if (!this.#hasPeer || this.#free) return true;
    return this.#peer?.role !== 'active' && nowMs >= this.#patientUntilMs;
  }

  #request(nowMs: number, type: 'ask' | 'renew'): void {
    const request = this.#nextRequest++;
    this.#sentMs.set(request, nowMs);
    this.#requestMs = nowMs + this.#everyMs;
    if (type === 'ask') this.#actions.push({ type, request, seen: this.#newest });
    else this.#actions.push({ type, request, epoch: this.#epoch });
  }

  #answered(event: { type: 'granted' | 'refused'; request: number; epoch: number }, nowMs: number): void {
    const sentMs = this.#sentMs.get(event.request);
    if (sentMs === undefined) return;
    this.#sentMs.delete(event.request);
    if (event.type === 'refused') this.#refused(event.epoch);
    else if (this.#role === 'active') this.#extend(sentMs + this.#leaseMs);
    else if (this.#role === 'asking') this.#granted(event.epoch, sentMs + this.#leaseMs, nowMs);
  }

  #granted(epoch: number, untilMs: number, nowMs: number): void {
    this.#free = false;
    // Too late, or from a grantor that knows less than this node: it asks again.
    if (nowMs >= untilMs || epoch <= this.#newest) return;
    this.#role = 'active';
    this.#epoch = epoch;
    this.#newest = epoch;
    this.#leaseUntilMs = this.#hasPeer ? untilMs : Number.POSITIVE_INFINITY;
    this.#actions.push({ type: 'promote', epoch, leaseUntilMs: this.#leaseUntilMs });
  }

  #refused(newest: number): void {
    this.#free = false;
    if (this.#role === 'active') this.#stepDown('the lease was refused');
    this.#newest = Math.max(this.#newest, newest);
  }

  #heardOf(epoch: number): void {
    this.#newest = Math.max(this.#newest, epoch);
    if (this.#role === 'active' && epoch > this.#epoch) this.#stepDown('a newer epoch is out');
  }

  /** Only ever later, and only while it lasts. */
  #extend(untilMs: number): void {
    if (this.#role !== 'active' || untilMs <= this.#leaseUntilMs) return;
    this.#leaseUntilMs = untilMs;
    this.#actions.push({ type: 'lease', untilMs });
  }

  #lostPeer(silent: boolean, nowMs: number): void {
    // It was there and served: no reason to wait.
    if (this.#peer?.role === 'active') this.#patientUntilMs = nowMs;
    this.#peer = null;
    this.#linked = silent;
    if (this.#drainUntilMs !== null) this.#resume();
  }

  #resume(): void {
    this.#drainUntilMs = null;
    this.#actions.push({ type: 'resume' });
  }

  /** The core is still, so that nothing is lost between the two. */
  #handOver(): void {
    if (this.#drainUntilMs === null) return;
    const epoch = this.#epoch;
    this.#stepDown('switchover');
    this.#actions.push({ type: 'release', epoch });
  }

  #stepDown(reason: StepDownReason): void {
    this.#role = 'fenced';
    this.#epoch = 0;
    this.#drainUntilMs = null;
    this.#leaseUntilMs = Number.NEGATIVE_INFINITY;
    this.#sentMs.clear();
    this.#actions.push({ type: 'stepDown', reason });
  }
}
