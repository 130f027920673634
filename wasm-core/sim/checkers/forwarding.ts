/**
 * What a proxy may change in a message, and what not (RFC 3261 16.6, 16.7): Via stack, Route set, Max-Forwards, identity of the
 * request, body and the other header fields.
 */
import type { SimNode } from '../node.ts';
import type { SipMessage } from '../sip/message.ts';
import type { CheckerKind } from './checkers.ts';
import type { Invites } from './invites.ts';
import { branchOf, isOf, OUR_BRANCH, originOf, type Received, type Traffic } from './traffic.ts';

/** Header fields that change from hop to hop, or that are for the proxy. */
const CHANGING = new Set([
  'via',
  'route',
  'record-route',
  'max-forwards',
  'content-length',
  'proxy-authorization',
  'p-asserted-identity',
]);
const MAX_FORWARDS_DEFAULT = 70;

/** What is wrong with a request that came as `from` and left as `message`; '' when all is well. */
type Rule = (node: SimNode, message: SipMessage, from: SipMessage) => string;

const viaStack: Rule = (node, message, from) => {
  const [ours = '', ...rest] = message.headers('via');
  if (!isOf(node, ours) || !branchOf(ours).startsWith(OUR_BRANCH)) return `topmost Via is ${ours}`;
  const before = from.headers('via');
  if (rest.length !== before.length) return `${rest.length} Via values below ours, ${before.length} came`;
  const bad = rest.findIndex((via, i) =>
    i === 0 ? branchOf(via) !== branchOf(before[0]!) : via !== before[i],
  );
  return bad < 0 ? '' : `Via ${rest[bad]} came as ${before[bad]}`;
};

const routeSet: Rule = (node, message, from) => {
  const left = from.headers('route').filter((route) => !isOf(node, route));
  const sent = message.headers('route');
  return left.join() === sent.join()
    ? ''
    : `Route is ${sent.join() || 'empty'}, not ${left.join() || 'empty'}`;
};

const hops: Rule = (_node, message, from) => {
  const before = from.header('max-forwards');
  const wanted = before === '' ? MAX_FORWARDS_DEFAULT : Number(before) - 1;
  const sent = Number(message.header('max-forwards'));
  if (before !== '' && Number(before) === 0) return 'forwarded with Max-Forwards 0';
  return sent === wanted ? '' : `Max-Forwards ${sent}, came as ${before || 'nothing'}`;
};

const identity: Rule = (_node, message, from) => {
  for (const name of ['from', 'to', 'call-id', 'cseq']) {
    if (message.header(name) !== from.header(name))
      return `${name}: ${message.header(name)}, came as ${from.header(name)}`;
  }
  return '';
};

function others(message: SipMessage): string {
  return message.names.filter((name) => !CHANGING.has(name)).join();
}

const fields: Rule = (_node, message, from) =>
  others(message) === others(from) ? '' : `fields ${others(message)}, came as ${others(from)}`;

/** Without the session name, which the media service of a simulation replaces (media.ts). */
function nameless(sdp: string): string {
  const from = sdp.indexOf('\r\ns=');
  return from < 0 ? sdp : sdp.slice(0, from) + sdp.slice(sdp.indexOf('\r\n', from + 2));
}

const body: Rule = (node, message, from) => {
  const same =
    message.body === from.body || (node.spec.anchor && nameless(message.body) === nameless(from.body));
  return same ? '' : `another body than came (${message.bodyBytes} bytes)`;
};

/** A checker that holds a rule against every forwarded request; one of the variants that came must fit. */
function requestChecker(name: string, rule: Rule, traffic: Traffic): CheckerKind {
  return (_sim, fail) => ({
    name,
    sent(node, packet) {
      const message = packet.sip;
      if (!message?.isRequest || originOf(message, traffic.current) === 'own') return;
      if (traffic.isTainted(message.callId)) return;
      const received = traffic.find(node, message);
      if (received === undefined && traffic.hasHostile) return; // of a Call-ID or CSeq that can be read in two ways
      const wrong = received === undefined ? 'never came' : closest(node, message, received, rule);
      if (wrong !== '') fail(`${node.name}: ${message.startLine} (${message.callId}): ${wrong}`);
    },
  });
}

function closest(node: SimNode, message: SipMessage, { variants }: Received, rule: Rule): string {
  let wrong = '';
  for (const variant of variants) {
    const found = rule(node, message, variant);
    if (found === '') return '';
    wrong ||= found;
  }
  return wrong;
}

/** Responses: exactly the Via values below ours, and nothing else changed but the body. */
function responseChecker(traffic: Traffic): CheckerKind {
  return (_sim, fail) => ({
    name: 'response-path',
    sent(node, packet) {
      const message = packet.sip;
      if (message === null || message.isRequest || traffic.isTainted(message.callId)) return;
      const where = `${node.name}: ${message.startLine} (${message.callId} ${message.header('cseq')})`;
      const vias = message.headers('via');
      if (vias.some((via) => isOf(node, via) && branchOf(via).startsWith(OUR_BRANCH) && vias.length === 1))
        return fail(`${where}: still has our Via`);
      const requests = traffic.find(node, message)?.variants;
      if (requests === undefined) return; // after a restart, from the cookie alone
      const stack = vias.map(branchOf).join();
      if (!requests.some((request) => request.headers('via').map(branchOf).join() === stack))
        fail(`${where}: Via branches ${stack} are not those of the request`);
    },
  });
}

/** 100 is of one hop (16.7 step 5); so is the ACK of a failure, see `ack-hop`. */
function hopByHop(traffic: Traffic, invites: Invites): CheckerKind {
  return (_sim, fail) => ({
    name: 'hop-by-hop',
    sent(node, packet) {
      const message = packet.sip;
      if (message?.status !== 100 || originOf(message, traffic.current) === 'own') return;
      // In a dialog the switch keeps no context, and passes on what comes (16.11).
      if (invites.ofBranch(traffic.current!.packet.sip!.branch)?.initial)
        fail(`${node.name}: passed on 100 (${message.callId})`);
    },
  });
}

export function forwardingCheckers(traffic: Traffic, invites: Invites): CheckerKind[] {
  return [
    requestChecker('via-stack', viaStack, traffic),
    requestChecker('route-set', routeSet, traffic),
    requestChecker('max-forwards', hops, traffic),
    requestChecker('identity', identity, traffic),
    requestChecker('header-fields', fields, traffic),
    requestChecker('body', body, traffic),
    responseChecker(traffic),
    hopByHop(traffic, invites),
  ];
}
