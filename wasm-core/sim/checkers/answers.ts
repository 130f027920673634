/**
 * No request is met with silence, and no answer of a callee is lost: within a step, or once the media service has spoken, each is
 * answered, passed on or ended by the switch itself, or a counter says why it was dropped.
 */
import * as abi from '../../assembly/abi.ts';
import type { SimNode } from '../node.ts';
import type { SipMessage } from '../sip/message.ts';
import type { CheckerKind } from './checkers.ts';
import { OUR_BRANCH } from './traffic.ts';

/** What explains that nothing was sent. */
const REASONS = [
  abi.C_DROPPED,
  abi.C_RETRANSMITS_IN,
  abi.C_SHED_SILENT,
  abi.C_MALFORMED,
  abi.C_PENDING,
] as const;

function reasons(node: SimNode): number {
  return REASONS.reduce((sum, counter) => sum + node.core.counters[counter]!, 0);
}

/** A message that the core must do something with. */
function wantsAnswer(message: SipMessage): boolean {
  if (message.isRequest) return message.method !== 'ACK';
  return (
    message.status >= 200 &&
    message.status < 300 &&
    message.method === 'INVITE' &&
    message.branch.startsWith(OUR_BRANCH)
  );
}

export const noSilence: CheckerKind = (sim, fail) => {
  const honest = sim.scenario.phones.every(({ hostilePerMille }) => hostilePerMille === 0);
  let waiting: { node: SimNode; message: SipMessage; before: number } | undefined;
  return {
    name: 'no-silence',
    received(node, { packet: { sip } }) {
      waiting = sip !== null && wantsAnswer(sip) ? { node, message: sip, before: reasons(node) } : undefined;
    },
    sent() {
      waiting = undefined;
    },
    effect(_node, frame) {
      if (frame.kind === abi.EF_MEDIA) waiting = undefined;
    },
    stepped(node) {
      if (waiting === undefined || waiting.node !== node) return;
      const { message, before } = waiting;
      waiting = undefined;
      if (honest && reasons(node) === before)
        fail(
          `${node.name}: nothing came of ${message.startLine} (${message.callId} ${message.header('cseq')})`,
        );
    },
  };
};
