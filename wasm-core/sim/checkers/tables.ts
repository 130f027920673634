/** Tables: bounded all the time, and empty when all is over. */
import * as abi from '../../assembly/abi.ts';
import { PENDING_MAX } from '../bank.ts';
import type { CheckerKind } from './checkers.ts';

/** What is left when nothing goes on, by name. */
const EMPTY: Record<string, number> = {
  calls: abi.C_CALLS_ACTIVE,
  transactions: abi.C_TRANSACTIONS,
  branches: abi.C_BRANCHES,
  'pending messages': abi.C_PENDING,
  bindings: abi.C_BINDINGS,
  'addresses of record': abi.C_AORS,
  blocks: abi.C_BLOCKS_USED,
  timers: abi.C_TIMERS,
};

/** What each binding has. */
const OF_BINDINGS = [abi.C_BINDINGS, abi.C_AORS, abi.C_BLOCKS_USED, abi.C_TIMERS];

export const tablesEmpty: CheckerKind = (sim, fail) => ({
  name: 'tables-empty',
  settled() {
    // A REGISTER that was damaged on its way can ask for hours.
    const hostile = sim.scenario.phones.some(({ hostilePerMille }) => hostilePerMille > 0);
    for (const node of sim.nodes) {
      const bindings = hostile ? node.core.counters[abi.C_BINDINGS]! : 0;
      for (const [what, counter] of Object.entries(EMPTY)) {
        const left = node.core.counters[counter]!;
        if (left > (OF_BINDINGS.includes(counter) ? bindings : 0))
          fail(`${node.name}: ${left} ${what} are left`);
      }
      if (node.media.calls.length > 0)
        fail(`${node.name}: the media service still has ${node.media.calls.join()}`);
    }
  },
});

export const bounded: CheckerKind = (_sim, fail) => ({
  name: 'bounded',
  stepped({ name, spec, core: { counters } }) {
    const check = (what: string, counter: number, most: number) => {
      if (counters[counter]! > most) fail(`${name}: ${counters[counter]} ${what}, at most ${most}`);
    };
    check('calls', abi.C_CALLS_ACTIVE, spec.callsMax);
    check('transactions', abi.C_TRANSACTIONS, spec.transactionsMax);
    check('bindings', abi.C_BINDINGS, spec.bindingsMax);
    check('addresses of record', abi.C_AORS, spec.bindingsMax);
    check('pending messages', abi.C_PENDING, PENDING_MAX);
  },
});

/** After a step, nothing that is due is left undone: the next deadline is not in the past. */
export const deadlines: CheckerKind = (_sim, fail) => ({
  name: 'deadlines',
  stepped(node) {
    const deadlineMs = node.core.nextDeadlineMs();
    const nowMs = Math.floor(node.clockUs() / 1_000);
    if (deadlineMs > 0 && deadlineMs < nowMs - LATE_MS && node.core.effectsLength() < EFFECTS_LOW)
      fail(`${node.name}: a timer is ${nowMs - deadlineMs} ms late`);
  },
});

const LATE_MS = 10;
/** With more effects than this a step may have stopped early. */
const EFFECTS_LOW = 1_000;
