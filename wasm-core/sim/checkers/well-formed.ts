/** Every message that a node sends can be read, and says the truth about its body (RFC 3261 7, 8.1.1, 20.14). */
import type { CheckerKind } from './checkers.ts';
import { firstLine, type Traffic } from './traffic.ts';

const NEEDED = ['via', 'from', 'to', 'call-id', 'cseq', 'content-length'] as const;

/** What the switch says to a malformed request has what that had. */
const BAD_REQUEST = 400;

export const wellFormed =
  (traffic: Traffic): CheckerKind =>
  (_sim, fail) => ({
    name: 'well-formed',
    sent(node, packet) {
      const message = packet.sip;
      if (message === null) return fail(`${node.name} sent what can't be read: ${firstLine(packet)}`);
      // What was damaged is passed on, or answered, as it came.
      if (traffic.isTainted(message.callId)) return;
      if (traffic.hasHostile && !/^[!-~]+$/.test(message.callId)) return;
      const where = `${node.name}: ${message.startLine}`;
      for (const name of message.status === BAD_REQUEST ? [] : NEEDED) {
        const count = message.names.filter((each) => each === name).length;
        if (count === 0) return fail(`${where}: no ${name}`);
        if (count > 1 && name !== 'via') return fail(`${where}: ${name} is there ${count} times`);
      }
      if (Number(message.header('content-length')) !== message.bodyBytes)
        return fail(
          `${where}: Content-Length ${message.header('content-length')}, but ${message.bodyBytes} bytes of body`,
        );
      const method = message.header('cseq').split(/\s+/)[1];
      if (message.isRequest && method !== message.method) fail(`${where}: CSeq says ${method}`);
    },
  });
