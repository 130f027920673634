/** Nobody is let in without credentials, and credentials open the door once (RFC 7616 3.4, 3.3; RFC 3261 22.3). */
import { md5 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { DOMAIN, passwordOf } from '../bank.ts';
import type { SimNode } from '../node.ts';
import { type SipMessage, uriOf, userOf } from '../sip/message.ts';
import type { Simulation } from '../simulation.ts';
import type { CheckerKind } from './checkers.ts';
import { isOf, keyOf, originOf, type Traffic } from './traffic.ts';

interface Credentials {
  user: string;
  nonce: string;
  count: string;
  isRight: boolean;
}

const COUNTS_MAX = 20_000;

/** By algorithm and user: HA1 in hexadecimal. */
const ha1s = new Map<string, string>();

/** Value of a parameter, without its quotes; '' when absent. */
function field(value: string, name: string): string {
  const found = new RegExp(`(?:^|[\\s,])${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^,\\s]+))`, 'i').exec(
    value,
  );
  return found?.[1] ?? found?.[2] ?? '';
}

function credentialsOf(request: SipMessage, name: string): Credentials[] {
  const found: Credentials[] = [];
  for (let i = 0; i < request.names.length; i++) {
    if (request.names[i] === name) found.push(read(request.values[i]!, request.method));
  }
  return found;
}

function read(value: string, method: string): Credentials {
  const user = field(value, 'username');
  const algorithm = field(value, 'algorithm').toUpperCase() || 'MD5';
  const hash = (text: string) => bytesToHex((algorithm === 'MD5' ? md5 : sha256)(utf8ToBytes(text)));
  const nonce = field(value, 'nonce');
  const count = field(value, 'nc');
  const known = `${algorithm} ${user}`;
  let ha1 = ha1s.get(known);
  if (ha1 === undefined) {
    ha1 = hash(`${user}:${DOMAIN}:${passwordOf(user)}`);
    ha1s.set(known, ha1);
  }
  const ha2 = hash(`${method}:${field(value, 'uri')}`);
  const wanted = hash(`${ha1}:${nonce}:${count}:${field(value, 'cnonce')}:auth:${ha2}`);
  return { user, nonce, count, isRight: wanted === field(value, 'response').toLowerCase() };
}

export function credentialCheckers(traffic: Traffic): CheckerKind[] {
  /** Which transaction has used a nonce and its count, by node. */
  const used = new Map<string, string>();
  /** Branches whose request has been checked: repetitions are not checked again. */
  const seen = new Set<string>();

  /** What is wrong with the credentials that a request was let in with; '' when all is well. */
  function wrong(sim: Simulation, node: SimNode, message: SipMessage, header: string): string {
    const received = traffic.find(node, message);
    if (received === undefined) return traffic.hasHostile ? '' : 'never came'; // or can be read in two ways
    if (sim.nodes.some(({ ip }) => received.ips.has(ip))) return ''; // a trunk
    let reused = '';
    for (const request of received.variants) {
      // Whose bindings a REGISTER changes stands in To; From may be somebody else (RFC 3261 10.2).
      const user = userOf(uriOf(request.header(request.method === 'REGISTER' ? 'to' : 'from')));
      const right = credentialsOf(request, header).find((each) => each.isRight && each.user === user);
      if (right === undefined) continue;
      const key = `${node.name} ${right.nonce} ${right.count}`;
      const transaction = keyOf(request);
      const before = used.get(key);
      if (before !== undefined && before !== transaction) {
        reused = `was let in with the credentials of ${before}`; // another message of that name may have had its own
        continue;
      }
      used.set(key, transaction);
      if (used.size > COUNTS_MAX) used.delete(used.keys().next().value!);
      return '';
    }
    return reused || 'no credentials of its user, or wrong ones';
  }

  return [
    (sim, fail) => ({
      name: 'no-open-relay',
      forgot() {
        used.clear(); // counts are of a node's memory
      },
      sent(node, packet) {
        const { sip } = packet;
        if (!sip) return;
        const own = originOf(sip, traffic.current) === 'own';
        const header = sip.isRequest ? 'proxy-authorization' : 'authorization';
        const letIn = sip.isRequest
          ? !own &&
            sip.toTag === '' &&
            sip.method !== 'ACK' &&
            sip.method !== 'CANCEL' &&
            !seen.has(sip.branch)
          : own && sip.status === 200 && sip.method === 'REGISTER';
        // On the strength of a dialog's cookie: see `cookies`.
        const request = traffic.current?.packet.sip;
        if (sip.isRequest && request?.headers('route').some((route) => isOf(node, route))) return;
        if (!letIn) return;
        if (sip.isRequest) seen.add(sip.branch);
        if (seen.size > COUNTS_MAX) seen.delete(seen.values().next().value!);
        const found = wrong(sim, node, sip, header);
        if (found !== '') fail(`${node.name}: ${sip.startLine} (${keyOf(sip)}): ${found}`);
      },
    }),
  ];
}
