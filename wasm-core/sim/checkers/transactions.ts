/** Rules of INVITE contexts (RFC 3261 16, 17.2.1; RFC 6026), checked on the model of invites.ts. */
import type { Simulation } from '../simulation.ts';
import type { Checker, CheckerKind, Fail } from './checkers.ts';
import { CONTEXT_US, type Invite, type Invites } from './invites.ts';

/**
 * Longest life of an INVITE by the node's clock: timer C and the answer to the CANCEL, for each of four groups of targets, and the
 * media service before.
 */
const LONGEST_US = (4 * (181 + 32) + 10) * 1_000_000;
/** Repetitions of a failure that is not acknowledged in 16 s: after 0.5, 1.5, 3.5, 7.5, 11.5 s; some are late when a clock is slow. */
const REPETITIONS_MIN = 3;

function make(name: string, invites: Invites, rules: Parameters<Invites['watchers']['push']>[0]): Checker {
  invites.watchers.push(rules);
  return { name };
}

const where = ({ node, callId }: Invite): string => `${node.name}: INVITE of ${callId}`;

/** A caller hears one answer: no second final response of another kind, no 2xx with another tag. */
const oneAnswer = (invites: Invites) => (_sim: Simulation, fail: Fail) =>
  make('one-answer', invites, {
    answered(invite) {
      if (!invite.initial || invite.isTainted) return; // repeated to a stateless proxy, it is another request
      const [first, last] = [invite.finals[0]!, invite.finals.at(-1)!];
      // Forgotten by then, maybe: after the ACK of a failure it is so after 5 s (timer I), whatever the clock says.
      const tookUs = Math.max(last.atUs - first.atUs, last.clockUs - first.clockUs); // a clock that jumps ends timers
      if (tookUs > CONTEXT_US || (first.status >= 300 && invite.acknowledged)) return;
      const success = first.status < 300;
      if (success !== last.status < 300 || (!success && last.status !== first.status))
        fail(`${where(invite)} was answered ${first.status} and then ${last.status}`);
      else if (success && last.toTag !== first.toTag)
        fail(`${where(invite)} was answered by ${first.toTag} and then by ${last.toTag}`);
    },
  });

/** Once the caller has an answer, all other branches that ring are cancelled (16.7 step 10). */
const branchesEnd = (invites: Invites) => (_sim: Simulation, fail: Fail) =>
  make('branches-end', invites, {
    settledStep(invite) {
      if (invite.finals.length === 0 || !invite.initial || invite.isTainted || invite.node.state !== 'up')
        return;
      for (const [branch, { provisional, final, cancelled }] of invite.branches) {
        if (provisional && final === 0 && !cancelled)
          fail(`${where(invite)} was answered ${invite.finals[0]!.status}, but branch ${branch} rings on`);
      }
    },
  });

/** CANCEL goes to the branch of its INVITE (9.1). */
const cancelBranch = (invites: Invites) => (_sim: Simulation, fail: Fail) =>
  make('cancel-branch', invites, {
    strangeBranch(message, node) {
      if (invites.isUntimely(message.callId)) return;
      fail(`${node.name}: CANCEL of ${message.callId} has the branch of no INVITE: ${message.branch}`);
    },
  });

/** The ACK of a failure ends at the next hop (17.2.1). */
const ackIsForUs = (invites: Invites) => (_sim: Simulation, fail: Fail) =>
  make('ack-hop', invites, {
    ackPassedOn(invite) {
      if (invite.isTainted) return;
      fail(`${where(invite)} was answered ${invite.finals[0]!.status}, and the ACK was passed on`);
    },
  });

/** A failure is repeated until it is acknowledged (timer G, 17.2.1). */
const failureRepeats = (invites: Invites) => (sim: Simulation, fail: Fail) => {
  // The ACK of a hostile phone may be readable in two ways.
  const honest = sim.scenario.phones.every(({ hostilePerMille }) => hostilePerMille === 0);
  /** When each node was last disturbed. */
  const disturbedUs = new Map<string, number>();
  const checker = make('failure-repeats', invites, {
    answered(invite) {
      const last = invite.finals.at(-1)!;
      if (!honest || !invite.initial || invite.isTainted || !invite.acknowledged || last.status < 300) return;
      const afterUs = last.clockUs - invite.acknowledgedClockUs;
      // The context is kept for timer I, 5 s; then the INVITE is a new one.
      if (afterUs > 0 && afterUs < 4_000_000 && (disturbedUs.get(invite.node.name) ?? -1) < invite.beganUs)
        fail(`${where(invite)}: ${last.status} was sent again although its ACK has come`);
    },
    forgotten(invite, survived) {
      if (!honest || !survived) return;
      const [first] = invite.finals;
      if (
        !first ||
        first.status < 300 ||
        invite.acknowledged ||
        !invite.byUdp ||
        !invite.initial ||
        invite.isTainted
      )
        return;
      if ((disturbedUs.get(invite.node.name) ?? -1) >= first.atUs - 60_000_000 || sim.faults.open.length > 0)
        return;
      // A clock that was put back stands still for a while, and so do timers.
      if (invite.node.clockReadingUs - first.clockUs < CONTEXT_US) return;
      const sent = invite.finals.filter(({ clockUs }) => clockUs - first.clockUs <= CONTEXT_US).length;
      if (sent <= REPETITIONS_MIN)
        fail(`${where(invite)}: ${first.status} was sent ${sent} times in 16 s without an ACK`);
    },
  });
  return {
    ...checker,
    fault(fault: { kind: string; node?: string }) {
      if (fault.node !== undefined) disturbedUs.set(fault.node, sim.nowUs);
    },
  };
};

/** Every INVITE is answered at last. */
const inviteEnds = (invites: Invites) => (sim: Simulation, fail: Fail) => {
  let lookedUs = 0;
  const look = (all: boolean) => {
    for (const invite of invites.open()) {
      if (!invite.initial || invite.isTainted || invite.node.state !== 'up') continue;
      if (all || invite.node.clockUs() - invite.beganClockUs > LONGEST_US)
        return fail(
          `${where(invite)} has no final response after ${Math.round((sim.nowUs - invite.beganUs) / 1e6)} s`,
        );
    }
  };
  return {
    name: 'invite-ends',
    stepped() {
      if (sim.nowUs - lookedUs < LOOK_EVERY_US) return;
      lookedUs = sim.nowUs;
      look(false);
    },
    settled: () => look(true),
  };
};

const LOOK_EVERY_US = 60_000_000;

export function inviteCheckers(invites: Invites): CheckerKind[] {
  return [oneAnswer, branchesEnd, cancelBranch, ackIsForUs, failureRepeats, inviteEnds].map((kind) =>
    kind(invites),
  );
}
