/** Settings of a simulated node: what its core is started with, and its users, trunks and routes. */
import { md5 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import * as abi from '../assembly/abi.ts';
import { type BankUser, buildBank } from '../host/bank.ts';
import type { CoreInit } from '../host/core.ts';
import { SIP_PORT, WS_PORT } from './node.ts';
import type { NodeSpec, Scenario } from './scenario.ts';

export const DOMAIN = 'strowger.test';
/** Key of cookies and nonces of all nodes: nothing here is secret. */
const SECRET = Uint8Array.from({ length: 16 }, (_, i) => i * 17);
/** Messages that wait for the media service at a time. */
export const PENDING_MAX = 256;
const BANK_BYTES = 256 << 10;

/** Users by name: the same in all simulations. */
const users = new Map<string, BankUser>();

/** Password of a user, for its phones. */
export function passwordOf(user: string): string {
  return `pw-${user}`;
}

function bankUser(user: string): BankUser {
  const known = users.get(user);
  if (known !== undefined) return known;
  const text = utf8ToBytes(`${user}:${DOMAIN}:${passwordOf(user)}`);
  const made = { user, ha1Md5: md5(text), ha1Sha256: sha256(text) };
  users.set(user, made);
  return made;
}

/** All events of calls, and tables as small as the scenario wants them. */
export function coreInit(spec: NodeSpec): CoreInit {
  return {
    secret: SECRET,
    listeners: [
      { transport: abi.TRANSPORT_UDP, host: spec.ip, port: SIP_PORT },
      { transport: abi.TRANSPORT_TCP, host: spec.ip, port: SIP_PORT },
      { transport: abi.TRANSPORT_WS, host: spec.ip, port: WS_PORT },
    ],
    callsMax: spec.callsMax,
    transactionsMax: spec.transactionsMax,
    branchesMax: spec.transactionsMax * 4,
    bindingsMax: spec.bindingsMax,
    aorsMax: spec.bindingsMax,
    pendingMax: PENDING_MAX,
    blocks256: spec.transactionsMax * 4,
    blocks1k: spec.transactionsMax * 4 + spec.bindingsMax,
    blocks4k: spec.transactionsMax * 2,
    blocks64k: 4,
    bankBytes: BANK_BYTES,
    anchor: spec.anchor,
    callEvents: 0xff,
    callDurationMaxS: spec.callDurationMaxS,
    overloadTargetUs: spec.overloadTargetUs,
    sourcePerS: spec.sourcePerS,
    sourceBurst: spec.sourcePerS,
    bucketBits: 8,
  };
}

/** The users of all phones; the other nodes are trunks, and need no digest. */
export function bankOf(scenario: Scenario, spec: NodeSpec): Uint8Array {
  const others = scenario.nodes.filter(({ name }) => name !== spec.name);
  return buildBank({
    realm: DOMAIN,
    digest: ['sha-256', 'md5'],
    domains: [DOMAIN, spec.ip],
    users: [...new Set(scenario.phones.map(({ user }) => user))].map(bankUser),
    trusted: others.map(({ ip }) => `${ip}/32`),
    trunks: others.map(({ name, ip }) => ({
      name,
      gateways: [{ transport: abi.TRANSPORT_UDP, address: ip, port: SIP_PORT, priority: 0 }],
    })),
    // A scenario that was shrunk may have lost the node of a route.
    routes: spec.routes
      .filter(({ node }) => others.some(({ name }) => name === node))
      .map(({ prefix, node, strip, prepend }) => ({ prefix, trunk: node, strip, prepend })),
  });
}
