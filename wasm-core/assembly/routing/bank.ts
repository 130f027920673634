/**
 * Banks: what the configuration says of domains, users, networks, trunks and routes, read where it lies
 * (layout.ts). There are two; the host writes the idle one, and `bankCommit` checks it and swaps.
 */
import { I_BANK_BYTES, TRANSPORT_UDP } from '../abi';
import { initU32 } from '../config';
import { alloc } from '../mem/arena';
import { equalsIgnoreCase } from '../sip/scan';
import { parseIp } from '../sip/uri';
import { sameAddress } from '../target';
import {
  BANK_DIGEST,
  BANK_DIGEST_MAX,
  BANK_DOMAINS,
  BANK_EDGES,
  BANK_GATEWAYS,
  BANK_HEADER_BYTES,
  BANK_NODES,
  BANK_REALM,
  BANK_TRUNKS,
  BANK_TRUSTED,
  BANK_USERS,
  BANK_USER_HEADS,
  GATEWAY_ADDRESS,
  GATEWAY_BYTES,
  GATEWAY_PORT,
  GATEWAY_PRIORITY,
  GATEWAY_TRANSPORT,
  NETWORK_BITS,
  NETWORK_BYTES,
  NODE_BYTES,
  NODE_EDGES,
  NODE_EDGE_COUNT,
  NODE_PREPEND,
  NODE_STRIP,
  NODE_TRUNK,
  TRUNK_BYTES,
  TRUNK_COUNT,
  TRUNK_FIRST,
  TRUNK_NAME,
  USER_BYTES,
  USER_NAME,
  USER_NEXT,
} from './layout';
import { numberInto, NUMBER_BYTES_MAX } from './number';
import { bankValid, itemAt, itemCount } from './validate';

let active: usize = 0;
let idle: usize = 0;
let loaded: bool = false;

export function bankInit(): void {
  const size = initU32(I_BANK_BYTES) as usize;
  active = alloc(size);
  idle = alloc(size);
  loaded = false;
}

/** Where the host writes the next bank; 0 when `size` is more than a bank may have. */
export function bankStage(size: u32): usize {
  return size <= initU32(I_BANK_BYTES) ? idle : 0;
}

/** Checks the staged bank of `size` bytes and takes it into use; false: refused, the old one stays. */
export function bankCommit(size: u32): bool {
  if (size > initU32(I_BANK_BYTES) || size < BANK_HEADER_BYTES || !bankValid(idle, size)) return false;
  const old = active;
  active = idle;
  idle = old;
  loaded = true;
  return true;
}

// --- reading ------------------------------------------------------------------------------------------

/** The `i`th digest algorithm to offer (DIGEST_*), 0 after the last. */
export function digestAlgorithm(i: u32): u32 {
  return i < BANK_DIGEST_MAX ? load<u8>(active + BANK_DIGEST + i) : 0;
}

/** Address and length of the realm. */
export function realmPtr(): usize {
  return active + load<u32>(active + BANK_REALM);
}

export function realmLen(): u32 {
  return load<u32>(active + BANK_REALM, 4);
}

const askedAddress: usize = memory.data(16, 16);
const domainAddress: usize = memory.data(16, 16);

/** Whether a host is one of the configured domains: names without case, addresses by value. */
export function isLocalDomain(hostPtr: usize, hostLen: u32): bool {
  if (!loaded) return false;
  const isIp = parseIp(hostPtr, hostLen, askedAddress);
  const n = itemCount(active, BANK_DOMAINS);
  for (let i: u32 = 0; i < n; i++) {
    const domain = itemAt(active, BANK_DOMAINS, 8, i);
    const ptr = active + load<u32>(domain);
    const len = load<u32>(domain, 4);
    if (len == hostLen && equalsIgnoreCase(ptr, hostPtr, len)) return true;
    if (isIp && parseIp(ptr, len, domainAddress) && sameAddress(askedAddress, domainAddress)) return true;
  }
  return false;
}

/** FNV-1a, as in host/bank.ts. */
function hash(ptr: usize, len: u32): u32 {
  let h: u32 = 0x811c9dc5;
  for (let i: u32 = 0; i < len; i++) h = (h ^ (load<u8>(ptr + i) as u32)) * 0x01000193;
  return h;
}

/** Entry of the user with that (unescaped) user part, or 0. */
export function userFind(ptr: usize, len: u32): usize {
  if (!loaded) return 0;
  const bucket = hash(ptr, len) & (itemCount(active, BANK_USER_HEADS) - 1);
  let i = load<u32>(itemAt(active, BANK_USER_HEADS, 4, bucket));
  while (i != 0) {
    const user = itemAt(active, BANK_USERS, USER_BYTES, i - 1);
    if (userNameLen(user) == len && memory.compare(userName(user), ptr, len) == 0) return user;
    i = load<u32>(user + USER_NEXT);
  }
  return 0;
}

export function userName(user: usize): usize {
  return active + load<u32>(user + USER_NAME);
}

export function userNameLen(user: usize): u32 {
  return load<u32>(user + USER_NAME, 4);
}

/** Whether an address lies in a trusted network. */
export function isTrusted(addr: usize): bool {
  if (!loaded) return false;
  const n = itemCount(active, BANK_TRUSTED);
  for (let i: u32 = 0; i < n; i++) {
    const network = itemAt(active, BANK_TRUSTED, NETWORK_BYTES, i);
    if (samePrefix(addr, network, load<u32>(network + NETWORK_BITS))) return true;
  }
  return false;
}

function samePrefix(a: usize, b: usize, bits: u32): bool {
  const whole = bits >>> 3;
  if (whole > 0 && memory.compare(a, b, whole) != 0) return false;
  const rest = bits & 7;
  return rest == 0 || ((load<u8>(a + whole) ^ load<u8>(b + whole)) as u32) >> (8 - rest) == 0;
}

/**
 * The trunk that a message from there comes from, or -1. Over UDP it comes from a gateway's address and port; a
 * connection comes from its address and any port, if the gateway is one that uses connections.
 */
export function trunkByAddress(addr: usize, transport: u32, port: u32): i32 {
  if (!loaded) return -1;
  const trunks = itemCount(active, BANK_TRUNKS);
  for (let t: u32 = 0; t < trunks; t++) {
    const n = trunkGatewayCount(t as i32);
    for (let i: u32 = 0; i < n; i++) {
      if (!sameAddress(gatewayAddress(t as i32, i), addr)) continue;
      if (gatewayTransport(t as i32, i) != transport) continue;
      if (transport != TRANSPORT_UDP || gatewayPort(t as i32, i) == port) return t as i32;
    }
  }
  return -1;
}

function trunk(t: i32): usize {
  return itemAt(active, BANK_TRUNKS, TRUNK_BYTES, t as u32);
}

export function trunkName(t: i32): usize {
  return active + load<u32>(trunk(t) + TRUNK_NAME);
}

export function trunkNameLen(t: i32): u32 {
  return load<u32>(trunk(t) + TRUNK_NAME, 4);
}

export function trunkGatewayCount(t: i32): u32 {
  return load<u32>(trunk(t) + TRUNK_COUNT);
}

function gateway(t: i32, i: u32): usize {
  return itemAt(active, BANK_GATEWAYS, GATEWAY_BYTES, load<u32>(trunk(t) + TRUNK_FIRST) + i);
}

/** 16 bytes. */
export function gatewayAddress(t: i32, i: u32): usize {
  return gateway(t, i) + GATEWAY_ADDRESS;
}

export function gatewayTransport(t: i32, i: u32): u32 {
  return load<u32>(gateway(t, i) + GATEWAY_TRANSPORT);
}

export function gatewayPort(t: i32, i: u32): u32 {
  return load<u32>(gateway(t, i) + GATEWAY_PORT);
}

export function gatewayPriority(t: i32, i: u32): u32 {
  return load<u32>(gateway(t, i) + GATEWAY_PRIORITY);
}

// what the last `routeFind` found
export let rtTrunk: i32 = -1;
export let rtStrip: u32 = 0;
export let rtPrependPtr: usize = 0;
export let rtPrependLen: u32 = 0;

/** The number that was looked up, as `numberInto` writes it: what strip and prepend apply to. */
export const rtNumberPtr: usize = memory.data(128, 16);
export let rtNumberLen: u32 = 0;

/**
 * The route with the longest prefix of the number in a user part (unescaped, at most NUMBER_BYTES_MAX bytes), in rt*;
 * false when there is none.
 */
export function routeFind(userPtr: usize, userLen: u32): bool {
  if (!loaded || userLen > NUMBER_BYTES_MAX) return false;
  const ptr = rtNumberPtr;
  const len = numberInto(ptr, userPtr, userLen);
  rtNumberLen = len;
  let found: usize = 0;
  let node = itemAt(active, BANK_NODES, NODE_BYTES, 0);
  for (let i: u32 = 0; ; i++) {
    if (load<u32>(node + NODE_TRUNK) != 0) found = node;
    const next: usize = i < len ? child(node, load<u8>(ptr + i)) : 0;
    if (next == 0) break;
    node = next;
  }
  if (found == 0) return false;
  rtTrunk = (load<u32>(found + NODE_TRUNK) as i32) - 1;
  rtStrip = load<u32>(found + NODE_STRIP);
  rtPrependPtr = active + load<u32>(found + NODE_PREPEND);
  rtPrependLen = load<u32>(found + NODE_PREPEND, 4);
  return true;
}

function child(node: usize, byte: u32): usize {
  const first = load<u32>(node + NODE_EDGES);
  const n = load<u32>(node + NODE_EDGE_COUNT);
  for (let i: u32 = 0; i < n; i++) {
    const edge = load<u32>(itemAt(active, BANK_EDGES, 4, first + i));
    if ((edge & 255) == byte) return itemAt(active, BANK_NODES, NODE_BYTES, edge >>> 8);
  }
  return 0;
}
