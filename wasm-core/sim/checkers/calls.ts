/** Calls as a node tells of them (EF_CALL): their states in a legal order, their end told once. */
import * as abi from '../../assembly/abi.ts';
import { nameOf, CALL_STATE_NAMES } from '../../host/names.ts';
import { decodeCall } from '../../host/records.ts';
import type { CheckerKind } from './checkers.ts';

export const records: CheckerKind = (sim, fail) => {
  /** Last state by node, slot and generation. */
  const states = new Map<string, number>();
  return {
    name: 'records',
    effect(node, frame) {
      if (frame.kind !== abi.EF_CALL) return;
      const record = decodeCall(frame.payload);
      const key = `${node.name} ${record.slot}.${record.generation}`;
      const before = states.get(key) ?? abi.CALL_STATE_INVITED;
      const state = frame.arg(0);
      const where = `${node.name}: ${record.callId}`;
      const legal = state > before || (state === abi.CALL_STATE_ENDING && before === abi.CALL_STATE_ENDED);
      if (!legal)
        fail(`${where}: ${nameOf(CALL_STATE_NAMES, state)} after ${nameOf(CALL_STATE_NAMES, before)}`);
      states.set(key, Math.max(state, before));
      const times = [record.startedUs, record.ringingUs, record.answeredUs, record.endedUs].filter(Boolean);
      if (times.some((time, i) => i > 0 && time < times[i - 1]!)) fail(`${where}: its times go back`);
      if (state === abi.CALL_STATE_ENDED && record.cause < 200) fail(`${where}: ended without a cause`);
    },
    forgot({ name }) {
      // Its records begin again with the same names.
      for (const key of states.keys()) if (key.startsWith(`${name} `)) states.delete(key);
    },
    settled() {
      for (const [key, state] of states) {
        if (state < abi.CALL_STATE_ENDED && sim.nodes.some(({ state: up }) => up === 'up'))
          fail(`the end of call ${key} was never told`);
      }
    },
  };
};
