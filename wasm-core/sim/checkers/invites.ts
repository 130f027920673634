/**
 * INVITE contexts of nodes as they show on the wire: which INVITE a node took in, the branches it made of it, and what came of
 * them. Several checkers look at this one model.
 */
import { C_MALFORMED } from '../../assembly/abi.ts';
import type { SimNode } from '../node.ts';
import type { SipMessage } from '../sip/message.ts';
import { OUR_BRANCH, originOf, type Traffic } from './traffic.ts';

/** One INVITE that a node has taken in hand: it has answered 100, or sent it on. */
export interface Invite {
  node: SimNode;
  /** Call-ID and the branch of the caller. */
  key: string;
  callId: string;
  /** Virtual time, µs. */
  beganUs: number;
  /** The node's clock, µs. */
  beganClockUs: number;
  /** Outside of a dialog: it is this node that finds the targets, and holds a context. */
  initial: boolean;
  byUdp: boolean;
  branches: Map<string, Branch>;
  /** Final responses that were sent towards the caller: status and To tag. */
  finals: { status: number; toTag: string; atUs: number; clockUs: number }[];
  acknowledged: boolean;
  /** By the clock of the node that the ACK came to, µs. */
  acknowledgedClockUs: number;
  /** A hostile phone has had a say in it, or a node has lost its memory or its time meanwhile. */
  readonly isTainted: boolean;
}

export interface Branch {
  /** By the clock of the node, µs. */
  sentClockUs: number;
  provisional: boolean;
  final: number;
  cancelled: boolean;
}

/** How long an INVITE is remembered after its first final response: at least as its context is, whatever the clock's rate. */
const KEPT_US = 70_000_000;
/** As long as this its context is kept, whatever the clock's rate. */
export const CONTEXT_US = 16_000_000;
/** A provisional response that comes later may find the branch given up (timer B), whatever the clock's rate. */
const GIVEN_UP_US = 16_000_000;

export function inviteKey(message: SipMessage, branch: string): string {
  return `${message.callId} ${branch}`;
}

/** What happened to an INVITE. */
export interface InviteWatcher {
  /** A final response was sent towards the caller; it is the last of `invite.finals`. */
  answered?(invite: Invite): void;
  /** A request of the node's own went to a branch that it doesn't have. */
  strangeBranch?(message: SipMessage, node: SimNode): void;
  /** The ACK of a failure was passed on. */
  ackPassedOn?(invite: Invite, message: SipMessage): void;
  /** An event in which something changed is done. */
  settledStep?(invite: Invite): void;
  /** It is forgotten. `survived`: its node was not killed meanwhile. */
  forgotten?(invite: Invite, survived: boolean): void;
}

export class Invites {
  readonly #traffic: Traffic;
  readonly #byKey = new Map<string, Map<string, Invite>>();
  readonly #byBranch = new Map<string, Invite>();
  /** In the order of being answered, with the time at which they are forgotten. */
  readonly #leaving: { invite: Invite; atUs: number }[] = [];
  #changed: Invite[] = [];
  /** What the core of a node is dealing with. */
  #response: { invite: Invite; branch: string; status: number; malformed: number } | undefined;
  readonly watchers: InviteWatcher[] = [];

  constructor(traffic: Traffic) {
    this.#traffic = traffic;
  }

  /** Those that wait for a final response. */
  *open(): Iterable<Invite> {
    for (const invites of this.#byKey.values()) {
      for (const invite of invites.values()) if (invite.finals.length === 0) yield invite;
    }
  }

  /** See Traffic.isUntimely; a call of which a hostile phone had a say, too. */
  isUntimely(callId: string): boolean {
    return this.#traffic.isUntimely(callId) || this.#traffic.isTainted(callId);
  }

  /** The INVITE that has a branch. */
  ofBranch(branch: string): Invite | undefined {
    return this.#byBranch.get(branch);
  }

  /** A response came to a branch, or an ACK to a failure. */
  received(node: SimNode, message: SipMessage | null): void {
    if (message === null) return;
    if (message.isRequest) {
      if (message.method !== 'ACK') return;
      for (const invites of this.#byKey.values()) {
        const invite = invites.get(inviteKey(message, message.branch));
        if (invite && !invite.acknowledged) {
          invite.acknowledged = true;
          invite.acknowledgedClockUs = node.clockReadingUs;
        }
      }
      return;
    }
    const branch = message.branch;
    if (!branch.startsWith(OUR_BRANCH) || message.method !== 'INVITE') return;
    const invite = this.#byBranch.get(branch);
    if (invite === undefined || invite.callId !== message.callId) return;
    // Whether the core could read it shows in the step.
    this.#response = {
      invite,
      branch,
      status: message.status,
      malformed: node.core.counters[C_MALFORMED]!,
    };
  }

  sent(node: SimNode, message: SipMessage | null, nowUs: number, byUdp: boolean): void {
    if (message === null) return;
    this.#forget(nowUs);
    if (message.isRequest) this.#requestSent(node, message, nowUs);
    else if (message.method === 'INVITE') this.#responseSent(node, message, nowUs, byUdp);
  }

  #requestSent(node: SimNode, message: SipMessage, nowUs: number): void {
    const { method } = message;
    const [ours = '', callers] = message.headers('via').map((via) => branchIn(via));
    if (method === 'INVITE' && callers !== undefined) {
      const invite = this.#take(node, message, callers, nowUs);
      if (!invite.branches.has(ours)) {
        invite.branches.set(ours, {
          sentClockUs: node.clockUs(),
          provisional: false,
          final: 0,
          cancelled: false,
        });
        this.#byBranch.set(ours, invite);
      }
    } else if (method === 'CANCEL' && callers === undefined) {
      const invite = this.#byBranch.get(ours);
      const branch = invite?.branches.get(ours);
      if (branch === undefined) this.#tellStrange(message, node);
      else branch.cancelled = true;
    } else if (method === 'ACK' && callers !== undefined) {
      const invite = this.#of(node).get(inviteKey(message, callers));
      // In a dialog the switch keeps no context: it passes on what comes (16.11).
      const failed = invite?.initial && invite.finals.some(({ status }) => status >= 300);
      if (invite && failed) for (const watcher of this.watchers) watcher.ackPassedOn?.(invite, message);
    }
  }

  #responseSent(node: SimNode, message: SipMessage, nowUs: number, byUdp: boolean): void {
    const { status } = message;
    const key = inviteKey(message, message.branch);
    const own = originOf(message, this.#traffic.current) === 'own';
    let invite = this.#of(node).get(key);
    if (status < 200) {
      // Our own 100 says that there is a context.
      if (invite === undefined && own && status === 100)
        invite = this.#take(node, message, message.branch, nowUs);
      if (invite) invite.byUdp = byUdp;
      return;
    }
    if (invite === undefined) return; // refused without a context
    invite.finals.push({ status, toTag: message.toTag, atUs: nowUs, clockUs: node.clockUs() });
    if (invite.finals.length === 1) this.#leaving.push({ invite, atUs: nowUs + KEPT_US });
    this.#changed.push(invite);
    for (const watcher of this.watchers) watcher.answered?.(invite);
  }

  stepped(node: SimNode): void {
    const response = this.#response;
    this.#response = undefined;
    if (response && node.core.counters[C_MALFORMED] === response.malformed) {
      const branch = response.invite.branches.get(response.branch)!;
      const inTime = node.clockUs() - branch.sentClockUs < GIVEN_UP_US;
      if (response.status < 200) branch.provisional ||= inTime;
      else branch.final ||= response.status;
      this.#changed.push(response.invite);
    }
    if (this.#changed.length === 0) return;
    for (const invite of this.#changed) for (const watcher of this.watchers) watcher.settledStep?.(invite);
    this.#changed = [];
  }

  /** A node was killed, and all it knew of contexts is gone. */
  nodeLost(name: string): void {
    const invites = this.#byKey.get(name);
    if (invites === undefined) return;
    for (const invite of invites.values()) this.#drop(invite, false);
    invites.clear();
  }

  #take(node: SimNode, message: SipMessage, branch: string, nowUs: number): Invite {
    const key = inviteKey(message, branch);
    const invites = this.#of(node);
    const known = invites.get(key);
    const old = known?.finals[0];
    // With the same branch after the end of its context: another one.
    if (known !== undefined && (old === undefined || nowUs - old.atUs < CONTEXT_US)) return known;
    if (known !== undefined) this.#drop(known, true);
    const traffic = this.#traffic;
    const invite: Invite = {
      get isTainted() {
        return traffic.isTainted(this.callId) || traffic.isUntimely(this.callId);
      },
      node,
      key,
      callId: message.callId,
      beganUs: nowUs,
      beganClockUs: node.clockUs(),
      initial: message.toTag === '',
      byUdp: true,
      branches: new Map(),
      finals: [],
      acknowledged: false,
      acknowledgedClockUs: 0,
    };
    invites.set(key, invite);
    return invite;
  }

  #forget(nowUs: number): void {
    while (this.#leaving.length > 0 && this.#leaving[0]!.atUs <= nowUs) {
      const { invite } = this.#leaving.shift()!;
      const invites = this.#of(invite.node);
      if (invites.get(invite.key) !== invite) continue; // lost with its node
      invites.delete(invite.key);
      this.#drop(invite, true);
    }
  }

  #drop(invite: Invite, survived: boolean): void {
    for (const branch of invite.branches.keys()) this.#byBranch.delete(branch);
    for (const watcher of this.watchers) watcher.forgotten?.(invite, survived);
  }

  #tellStrange(message: SipMessage, node: SimNode): void {
    for (const watcher of this.watchers) watcher.strangeBranch?.(message, node);
  }

  #of(node: SimNode): Map<string, Invite> {
    let invites = this.#byKey.get(node.name);
    if (invites === undefined) {
      invites = new Map();
      this.#byKey.set(node.name, invites);
    }
    return invites;
  }
}

function branchIn(via: string): string {
  const at = via.indexOf('branch=');
  if (at < 0) return '';
  const end = via.indexOf(';', at);
  return via.slice(at + 7, end < 0 ? undefined : end);
}
