/**
 * The role of a node that is one of a pair: leads what is heard of the peer, the grantor and the core to the role machine, and does what
 * that says. A node that has stopped being active ends; the supervisor starts it again, as a standby.
 */
import * as abi from '../../wasm-core/assembly/abi.ts';
import type { Frame } from '../../wasm-core/host/frames.ts';
import type { MediaClient } from '../../media/client.ts';
import { renewEveryMs } from '../mirror/lease-time.ts';
import type { PeerAddress, PeerIdentity } from '../mirror/peer-channel.ts';
import { PeerChannel } from '../mirror/peer-channel.ts';
import type { Role, StepDownReason } from '../mirror/role.ts';
import {
  LINK_BEAT,
  LINK_CLOSED,
  LINK_END_FAILED,
  LINK_END_GARBAGE,
  LINK_HOLD,
  LINK_OPEN,
} from '../realtime/link-frames.ts';
import { msToUs } from './clock.ts';
import type { CoreLink } from './core-link.ts';
import type { Logger } from './log.ts';
import type { RealtimePort } from './realtime-port.ts';
import { callNames } from './call-names.ts';
import { type HostAction, RoleKeeper } from './role-keeper.ts';
import { takeOver } from './take-over.ts';

const ROLES: readonly Role[] = ['standby', 'asking', 'active', 'fenced'];
/** Calls in one page of the core's. */
const DRAIN_LOOK_MS = 5;

export interface PairRoleOptions {
  /** Name of this node, different from its peer's. */
  node: string;
  /** Whether it calls its peer; one of the two does. */
  calls: boolean;
  leaseMs: number;
  secret: Buffer;
  link: CoreLink;
  realtime: RealtimePort;
  media: MediaClient;
  /** This node has the lease and is about to take over. `mirrored`: it has all that the active one had. */
  prepared: (mirrored: boolean) => Promise<void>;
  /** The core works, its sockets are open: everything else may begin. */
  promoted: (epoch: number) => Promise<void>;
  /** This node has to end; it may not send anything any more. */
  ended: (reason: StepDownReason | 'takeover failed') => void;
}

/** What is known of the other node. */
export interface PeerView extends PeerIdentity {
  role: Role;
  epoch: number;
}

export class PairRole {
  readonly #options: PairRoleOptions;
  readonly #log: Logger;
  readonly #channel: PeerChannel;
  readonly #keeper: RoleKeeper;
  readonly #timer: NodeJS.Timeout;
  #peer: PeerView | null = null;
  #heardMs = 0;
  /** Heartbeats are missing. */
  #silent = false;
  #drain: NodeJS.Timeout | null = null;
  #ended = false;
  /** When this node became active, ms since the epoch; 0 = it is not. */
  activeSinceMs = 0;
  /** How long that took, from the decision to the open sockets, ms. */
  takeoverMs = 0;

  constructor(options: PairRoleOptions, log: Logger) {
    this.#options = options;
    this.#log = log;
    const { node, calls, secret, link, media, leaseMs } = options;
    const linked = (fd: number, peer: PeerIdentity, ahead: Uint8Array): void => this.#linked(fd, peer, ahead);
    this.#channel = new PeerChannel({ node, calls, secret, linked }, log);
    link.on(LINK_BEAT, (frame) => this.#beat(frame));
    link.on(LINK_CLOSED, (frame) => this.#unlinked(frame));
    link.on(abi.EF_FENCED, () => this.#end('the lease has ended'));
    this.#keeper = new RoleKeeper({ leaseMs, peer: true }, media, (action) => this.#act(action));
    this.#timer = setInterval(() => this.#sendBeat(), renewEveryMs(leaseMs));
  }

  get role(): Role {
    return this.#keeper.machine.role;
  }

  get epoch(): number {
    return this.#keeper.machine.epoch;
  }

  /** Null while there is no link. */
  get peer(): PeerView | null {
    return this.#peer;
  }

  /** Whether an operator's switchover can begin. */
  get canSwitchOver(): boolean {
    return this.#keeper.machine.canSwitchOver && this.#counter(abi.C_MIRROR_SYNCED) === 1;
  }

  /** @returns the port at which the peer can call. */
  listen(host: string): Promise<number> {
    return this.#channel.listen(host);
  }

  setPeer(peer: PeerAddress | null): void {
    this.#channel.setPeer(peer);
  }

  switchOver(): void {
    this.#keeper.feed({ type: 'switchover' });
  }

  close(): void {
    this.#ended = true;
    clearInterval(this.#timer);
    if (this.#drain) clearInterval(this.#drain);
    this.#channel.close();
    this.#keeper.close();
  }

  // --- the peer -----------------------------------------------------------------------------------

  #linked(fd: number, peer: PeerIdentity, ahead: Uint8Array): void {
    this.#log.info({ peer: peer.node, pid: peer.pid }, 'linked with the peer');
    this.#peer = { ...peer, role: 'standby', epoch: 0 };
    this.#heardMs = performance.now();
    this.#silent = false;
    this.#options.link.post({ kind: LINK_OPEN, args: [fd] }, ahead);
    this.#sendBeat();
  }

  #beat(frame: Frame): void {
    const role = ROLES[frame.arg(0)] ?? 'standby';
    const epoch = frame.arg(1);
    const peer = this.#peer;
    if (peer === null) return;
    this.#heardMs = performance.now();
    this.#silent = false;
    Object.assign(peer, { role, epoch });
    this.#keeper.feed({ type: 'peer', role, epoch });
  }

  #unlinked(frame: Frame): void {
    const end = frame.arg(0);
    const reason =
      end === LINK_END_GARBAGE
        ? 'what came is not of the protocol'
        : end === LINK_END_FAILED
          ? `what came can't be applied (${frame.arg(1)})`
          : 'closed';
    this.#log.warn({ peer: this.#peer?.node, reason }, 'link to the peer lost');
    this.#peer = null;
    this.#keeper.feed({ type: 'peerDown' });
  }

  #sendBeat(): void {
    if (this.#peer === null) {
      this.#channel.connect();
      return;
    }
    const { machine } = this.#keeper;
    this.#options.link.post({ kind: LINK_BEAT, args: [ROLES.indexOf(machine.role), machine.epoch] });
    if (this.#silent || performance.now() - this.#heardMs < this.#options.leaseMs) return;
    this.#silent = true;
    this.#keeper.feed({ type: 'peerSilent' });
  }

  // --- acts ---------------------------------------------------------------------------------------

  #act(action: HostAction): void {
    switch (action.type) {
      case 'promote':
        void this.#promote(action.epoch, action.leaseUntilMs);
        break;
      case 'lease':
        this.#lease(action.untilMs);
        break;
      case 'stepDown':
        this.#end(action.reason);
        break;
      case 'connectPeer': // tried all the time, whatever the role
        break;
      case 'drain':
        this.#hold(true);
        this.#drain = setInterval(() => this.#look(), DRAIN_LOOK_MS);
        break;
      case 'resume':
        this.#hold(false);
        break;
    }
  }

  async #promote(epoch: number, leaseUntilMs: number): Promise<void> {
    const { link, media, prepared, promoted } = this.#options;
    const sinceMs = performance.now();
    try {
      const calls = await callNames(link); // those that the mirror brought
      if (this.#ended) return;
      media.activate(epoch, calls);
      this.#lease(Math.max(leaseUntilMs, this.#keeper.machine.leaseUntilMs));
      await prepared(this.#counter(abi.C_MIRROR_WHOLE) === 1);
      if (this.#ended) return;
      await takeOver(link, epoch);
      this.takeoverMs = performance.now() - sinceMs;
      this.activeSinceMs = Date.now();
      this.#sendBeat();
      await promoted(epoch);
      const tookMs = Math.round(this.takeoverMs * 10) / 10;
      this.#log.info({ epoch, calls: calls.length, tookMs }, 'this node is active');
    } catch (error) {
      this.#log.fatal({ err: error }, 'this node can not take over');
      this.#end('takeover failed');
    }
  }

  #lease(untilMs: number): void {
    const bits = new Uint32Array(new Float64Array([msToUs(untilMs)]).buffer);
    this.#options.link.post({ kind: abi.EV_LEASE, args: [0, 0, bits[0]!, bits[1]!] });
  }

  #hold(on: boolean): void {
    if (this.#drain) clearInterval(this.#drain);
    this.#drain = null;
    this.#options.link.post({ kind: LINK_HOLD, args: [on ? 1 : 0] });
  }

  /** Whether the standby has everything, now that nothing more comes. */
  #look(): void {
    if (this.#counter(abi.C_MIRROR_DIRTY) > 0 || this.#counter(abi.C_MIRROR_UNACKED) > 0) return;
    if (this.#drain) clearInterval(this.#drain);
    this.#drain = null;
    this.#keeper.feed({ type: 'drained' });
  }

  #counter(index: number): number {
    return this.#options.realtime.read().counters[index] ?? 0;
  }

  #end(reason: StepDownReason | 'takeover failed'): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#lease(0.001); // in the past: the core does nothing more
    this.#options.media.deactivate();
    this.#log.warn({ reason }, 'this node is no longer active: it begins anew, as a standby');
    this.#options.ended(reason);
  }
}
