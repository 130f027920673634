/** Two nodes and a grantor on a simulated network: what the hosts of the state machines do in production, in short. */
import type { Random } from '../../../wasm-core/sim/random.ts';
import type { Scheduler } from '../../../wasm-core/sim/scheduler.ts';
import { Grantor, type LeaseAnswer } from '../../mirror/grantor.ts';
import { LEASE_MS, renewEveryMs } from '../../mirror/lease-time.ts';
import { type Role, type RoleAction, type RoleEvent, RoleMachine } from '../../mirror/role.ts';
import { type End, Link, type Network, Process } from './network.ts';

const TICK_MS = LEASE_MS / 10;
const HEARTBEAT_MS = 50;
const SILENT_MS = 200;
const GRANTOR = 'grantor';

interface LeaseMessage {
  op: 'ask' | 'renew' | 'release';
  request: number;
  epoch: number;
}

/** One life of the media process, as far as it grants. */
export class SimGrantor {
  readonly process: Process;
  readonly machine: Grantor;
  readonly #links = new Map<number, Link>();
  #nextConnection = 1;

  constructor(cluster: Cluster, generation: number) {
    this.process = new Process(GRANTOR, cluster.scheduler, cluster.random);
    this.machine = new Grantor({ leaseMs: LEASE_MS, generation });
    this.machine.opened(this.process.nowMs);
    this.process.every(TICK_MS, cluster.random, () => {
      if (this.machine.tick(this.process.nowMs)) this.#free();
    });
  }

  accept(network: Network, node: End): Link {
    const connection = this.#nextConnection++;
    const link = new Link(network, node, {
      process: this.process,
      message: (message) => this.#take(connection, node.process.name, message as LeaseMessage),
      closed: () => {
        this.#links.delete(connection);
        if (this.machine.closed(connection)) this.#free();
      },
    });
    this.#links.set(connection, link);
    return link;
  }

  /** Closes the connections from its own side, as if they were of no more use. */
  drop(): void {
    this.process.run(() => {
      for (const link of this.#links.values()) link.close(this.process);
      this.#links.clear();
    });
  }

  #take(connection: number, node: string, { op, request, epoch }: LeaseMessage): void {
    const { machine } = this;
    const { nowMs } = this.process;
    if (op === 'release') {
      if (machine.release(connection, epoch)) this.#free();
      return;
    }
    const answer: LeaseAnswer = machine[op](connection, node, epoch, nowMs);
    const type = answer.granted ? 'granted' : 'refused';
    this.#links.get(connection)?.send(this.process, { type, request, epoch: answer.epoch });
  }

  #free(): void {
    for (const link of this.#links.values()) link.send(this.process, { type: 'free' });
  }
}

/** One life of a node. */
export class SimNode {
  readonly process: Process;
  readonly machine: RoleMachine;
  readonly #cluster: Cluster;
  #grantor: Link | null = null;
  #connecting = false;
  #nextAttemptMs = Number.NEGATIVE_INFINITY;
  #peer: Link | null = null;
  /** What the peer said last, '' when it is not heard. */
  #heard = '';
  #heardMs = 0;
  #told = '';
  #toldMs = 0;
  #drain = 0;

  constructor(cluster: Cluster, name: string) {
    this.#cluster = cluster;
    this.process = new Process(name, cluster.scheduler, cluster.random);
    this.machine = new RoleMachine({ leaseMs: LEASE_MS, peer: true }, this.process.nowMs);
    this.process.every(TICK_MS, cluster.random, () => this.#tick());
  }

  get entitled(): boolean {
    return !this.process.dead && this.machine.entitled(this.process.nowMs);
  }

  switchover(): void {
    this.process.run(() => this.#feed({ type: 'switchover' }));
  }

  #tick(): void {
    const { nowMs } = this.process;
    this.#feed({ type: 'tick' });
    if (this.#grantor === null && !this.#connecting && nowMs >= this.#nextAttemptMs) this.#connectGrantor();
    if (this.#peer && this.#heard !== '' && nowMs > this.#heardMs + SILENT_MS) {
      this.#heard = '';
      this.#feed({ type: 'peerSilent' });
    }
    this.#tell(nowMs >= this.#toldMs + HEARTBEAT_MS);
  }

  /** Heartbeats, and changes of the role. */
  #tell(always: boolean): void {
    const { role, epoch } = this.machine;
    const telling = `${role} ${epoch}`;
    if (this.#peer === null || (!always && telling === this.#told)) return;
    this.#told = telling;
    this.#toldMs = this.process.nowMs;
    this.#peer.send(this.process, { role, epoch });
  }

  #feed(event: RoleEvent): void {
    for (const action of this.machine.handle(event, this.process.nowMs)) this.#act(action);
    this.#tell(false);
    this.#cluster.check();
  }

  #act(action: RoleAction): void {
    const { random } = this.#cluster;
    switch (action.type) {
      case 'ask':
        this.#toGrantor({ op: 'ask', request: action.request, epoch: action.seen });
        break;
      case 'renew':
        this.#toGrantor({ op: 'renew', request: action.request, epoch: action.epoch });
        break;
      case 'release':
        this.#toGrantor({ op: 'release', request: 0, epoch: action.epoch });
        break;
      case 'promote':
        this.#cluster.promoted(this, action.epoch);
        break;
      case 'stepDown':
        this.#cluster.steppedDown(action.reason);
        this.#later(random.between(1, 50), () => this.#feed({ type: 'restarted' }));
        break;
      case 'connectPeer':
        this.#cluster.connectPeers(this);
        break;
      case 'drain': {
        const drain = ++this.#drain;
        const ms = random.chance(this.#cluster.neverDrains) ? 10_000 : random.between(0, 20);
        this.#later(ms, () => drain === this.#drain && this.#feed({ type: 'drained' }));
        break;
      }
      case 'resume':
        this.#drain++;
        break;
      case 'lease':
    }
  }

  #later(ms: number, work: () => void): void {
    this.#cluster.scheduler.after(ms * 1_000, () => this.process.run(work));
  }

  #toGrantor(message: LeaseMessage): void {
    this.#grantor?.send(this.process, message);
  }

  #connectGrantor(): void {
    const sinceMs = this.process.nowMs;
    this.#connecting = true;
    this.#nextAttemptMs = sinceMs + renewEveryMs(LEASE_MS);
    this.#cluster.connectGrantor(this.#grantorEnd(), (link) => {
      this.#connecting = false;
      this.#grantor = link?.isOpen(this.process) ? link : null;
      if (this.#grantor) this.#feed({ type: 'grantorUp' });
      else if (!link) this.#feed({ type: 'grantorAbsent', sinceMs });
    });
  }

  #grantorEnd(): End {
    return {
      process: this.process,
      message: (message) => this.#feed(message as RoleEvent),
      closed: () => {
        if (this.#grantor === null) return;
        this.#grantor = null;
        this.#feed({ type: 'grantorDown' });
        if (!this.#connecting) this.#connectGrantor();
      },
    };
  }

  get hasPeer(): boolean {
    return this.#peer !== null;
  }

  peerEnd(): End {
    return {
      process: this.process,
      message: (message) => this.#hear(message as { role: Role; epoch: number }),
      closed: () => {
        this.#peer = null;
        this.#heard = '';
        this.#feed({ type: 'peerDown' });
      },
    };
  }

  linked(link: Link): void {
    this.#peer = link;
    this.#told = '';
    this.process.run(() => this.#tell(true));
  }

  #hear({ role, epoch }: { role: Role; epoch: number }): void {
    this.#heardMs = this.process.nowMs;
    const heard = `${role} ${epoch}`;
    if (heard === this.#heard) return;
    this.#heard = heard;
    this.#feed({ type: 'peer', role, epoch });
  }
}

/** Everything, and what must always hold. */
export class Cluster {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly network: Network;
  readonly nodes: (SimNode | null)[] = [null, null];
  grantor: SimGrantor | null = null;
  /** Switchovers of 1,000 that are never drained. */
  neverDrains = 100;
  /** What happened how often, to see that the runs reach it. */
  readonly counts: Record<string, number> = {};
  /** What was broken, empty when nothing was. */
  violation = '';
  #generation = 0;
  #newestEpoch = 0;

  constructor(scheduler: Scheduler, random: Random, network: Network) {
    this.scheduler = scheduler;
    this.random = random;
    this.network = network;
  }

  startGrantor(): void {
    this.grantor ??= new SimGrantor(this, ++this.#generation);
  }

  startNode(index: number): void {
    this.nodes[index] ??= new SimNode(this, index === 0 ? 'a' : 'b');
  }

  killGrantor(): void {
    this.grantor?.process.kill();
    this.grantor = null;
  }

  killNode(index: number): void {
    this.nodes[index]?.process.kill();
    this.nodes[index] = null;
  }

  get entitled(): SimNode[] {
    return this.nodes.filter((node) => node?.entitled === true) as SimNode[];
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  check(): void {
    const { entitled } = this;
    if (entitled.length < 2) return;
    const epochs = entitled.map((node) => `${node.process.name} with epoch ${node.machine.epoch}`);
    this.#violated(`both serve: ${epochs.join(', ')}`);
  }

  promoted(node: SimNode, epoch: number): void {
    this.count('promote');
    if (epoch <= this.#newestEpoch) this.#violated(`${node.process.name} was given epoch ${epoch} again`);
    this.#newestEpoch = epoch;
  }

  steppedDown(reason: string): void {
    this.count(reason);
  }

  #violated(what: string): void {
    this.violation ||= `${what}, at ${this.scheduler.nowUs} µs`;
  }

  /** Calls back with a connection, or null when nobody listened. A way that is cut delays either. */
  connectGrantor(node: End, done: (link: Link | null) => void): void {
    this.#travel(node.process.name, GRANTOR, () => {
      const link = this.grantor && !node.process.dead ? this.grantor.accept(this.network, node) : null;
      this.#travel(GRANTOR, node.process.name, () => node.process.run(() => done(link)));
    });
  }

  #travel(from: string, to: string, arrive: () => void): void {
    this.scheduler.after(this.network.delayUs(from, to), () => {
      if (this.network.isCut(from, to)) this.network.wait(() => this.#travel(from, to, arrive));
      else arrive();
    });
  }

  connectPeers(node: SimNode): void {
    const other = this.nodes.find((peer) => peer !== node);
    if (!other || this.network.isCut('a', 'b') || this.network.isCut('b', 'a')) return;
    if (node.hasPeer || other.hasPeer) return;
    const link = new Link(this.network, node.peerEnd(), other.peerEnd());
    node.linked(link);
    other.linked(link);
  }
}
