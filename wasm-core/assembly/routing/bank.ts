/**
 * Banks: what the configuration says of domains, users, networks, trunks and routes, read where it lies
 * (layout.ts). There are two; the host writes the idle one, and `bankCommit` checks it and swaps.
 */
import { I_BANK_BYTES } from '../abi';
import { initU32 } from '../config';
import { alloc } from '../mem/arena';
import { equalsIgnoreCase } from '../sip/scan';
import { parseIp } from '../sip/uri';
import { sameAddress } from '../target';
import {
  BANK_BYTES_AT,
  BANK_DIGEST,
  BANK_DIGEST_MAX,
  BANK_DOMAINS,
  BANK_EDGES,
  BANK_GATEWAYS,
  BANK_HEADER_BYTES,
  BANK_MAGIC,
  BANK_MAGIC_AT,
  BANK_NODES,
  BANK_REALM,
  BANK_STRINGS,
  BANK_TRUNKS,
  BANK_TRUSTED,
  BANK_USERS,
  BANK_USER_HEADS,
  BANK_VERSION,
  BANK_VERSION_AT,
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
  if (size > initU32(I_BANK_BYTES) || size < BANK_HEADER_BYTES || !valid(idle, size)) return false;
  const old = active;
  active = idle;
  idle = old;
  loaded = true;
  return true;
}

// --- validation: nothing read later leaves the bank -------------------------------------------------

function valid(bank: usize, size: u32): bool {
  if (load<u32>(bank + BANK_MAGIC_AT) != BANK_MAGIC || load<u32>(bank + BANK_VERSION_AT) != BANK_VERSION)
    return false;
  if (load<u32>(bank + BANK_BYTES_AT) != size) return false;
  return (
    fits(bank, BANK_DOMAINS, 8, size) &&
    fits(bank, BANK_USER_HEADS, 4, size) &&
    fits(bank, BANK_USERS, USER_BYTES, size) &&
    fits(bank, BANK_TRUSTED, NETWORK_BYTES, size) &&
    fits(bank, BANK_TRUNKS, TRUNK_BYTES, size) &&
    fits(bank, BANK_GATEWAYS, GATEWAY_BYTES, size) &&
    fits(bank, BANK_NODES, NODE_BYTES, size) &&
    fits(bank, BANK_EDGES, 4, size) &&
    fits(bank, BANK_STRINGS, 1, size) &&
    stringFits(bank + BANK_REALM, size) &&
    validDomains(bank, size) &&
    validUsers(bank, size) &&
    validTrunks(bank, size) &&
    validNodes(bank, size)
  );
}

function fits(bank: usize, section: u32, itemBytes: u32, size: u32): bool {
  const at = load<u32>(bank + section) as u64;
  const n = load<u32>(bank + section, 4) as u64;
  return at >= (BANK_HEADER_BYTES as u64) && at + n * (itemBytes as u64) <= (size as u64);
}

function stringFits(at: usize, size: u32): bool {
  return (load<u32>(at) as u64) + (load<u32>(at, 4) as u64) <= (size as u64);
}

function count(bank: usize, section: u32): u32 {
  return load<u32>(bank + section, 4);
}

function item(bank: usize, section: u32, itemBytes: u32, i: u32): usize {
  return bank + load<u32>(bank + section) + i * itemBytes;
}

function validDomains(bank: usize, size: u32): bool {
  for (let i: u32 = 0; i < count(bank, BANK_DOMAINS); i++) {
    if (!stringFits(item(bank, BANK_DOMAINS, 8, i), size)) return false;
  }
  return true;
}

function validUsers(bank: usize, size: u32): bool {
  const heads = count(bank, BANK_USER_HEADS);
  const users = count(bank, BANK_USERS);
  if (heads == 0 || popcnt(heads) != 1) return false;
  for (let i: u32 = 0; i < heads; i++) if (load<u32>(item(bank, BANK_USER_HEADS, 4, i)) > users) return false;
  for (let i: u32 = 0; i < users; i++) {
    const user = item(bank, BANK_USERS, USER_BYTES, i);
    // Chains lead to lower indexes only, so they end.
    if (!stringFits(user + USER_NAME, size) || load<u32>(user + USER_NEXT) > i) return false;
  }
  return true;
}

function validTrunks(bank: usize, size: u32): bool {
  for (let i: u32 = 0; i < count(bank, BANK_TRUNKS); i++) {
    const trunk = item(bank, BANK_TRUNKS, TRUNK_BYTES, i);
    const last = (load<u32>(trunk + TRUNK_FIRST) as u64) + (load<u32>(trunk + TRUNK_COUNT) as u64);
    if (!stringFits(trunk + TRUNK_NAME, size) || last > (count(bank, BANK_GATEWAYS) as u64)) return false;
  }
  return true;
}

function validNodes(bank: usize, size: u32): bool {
  const nodes = count(bank, BANK_NODES);
  const edges = count(bank, BANK_EDGES);
  if (nodes == 0) return false;
  for (let i: u32 = 0; i < nodes; i++) {
    const node = item(bank, BANK_NODES, NODE_BYTES, i);
    const last = (load<u32>(node + NODE_EDGES) as u64) + (load<u32>(node + NODE_EDGE_COUNT) as u64);
    if (last > (edges as u64) || load<u32>(node + NODE_TRUNK) > count(bank, BANK_TRUNKS)) return false;
    if (!stringFits(node + NODE_PREPEND, size)) return false;
  }
  for (let i: u32 = 0; i < edges; i++)
    if (load<u32>(item(bank, BANK_EDGES, 4, i)) >>> 8 >= nodes) return false;
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
  const n = count(active, BANK_DOMAINS);
  for (let i: u32 = 0; i < n; i++) {
    const domain = item(active, BANK_DOMAINS, 8, i);
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
  const bucket = hash(ptr, len) & (count(active, BANK_USER_HEADS) - 1);
  let i = load<u32>(item(active, BANK_USER_HEADS, 4, bucket));
  while (i != 0) {
    const user = item(active, BANK_USERS, USER_BYTES, i - 1);
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
  const n = count(active, BANK_TRUSTED);
  for (let i: u32 = 0; i < n; i++) {
    const network = item(active, BANK_TRUSTED, NETWORK_BYTES, i);
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

/** The trunk with a gateway at that address and port, or -1. */
export function trunkByAddress(addr: usize, port: u32): i32 {
  if (!loaded) return -1;
  const trunks = count(active, BANK_TRUNKS);
  for (let t: u32 = 0; t < trunks; t++) {
    const n = trunkGatewayCount(t as i32);
    for (let i: u32 = 0; i < n; i++) {
      if (gatewayPort(t as i32, i) == port && sameAddress(gatewayAddress(t as i32, i), addr)) return t as i32;
    }
  }
  return -1;
}

function trunk(t: i32): usize {
  return item(active, BANK_TRUNKS, TRUNK_BYTES, t as u32);
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
  return item(active, BANK_GATEWAYS, GATEWAY_BYTES, load<u32>(trunk(t) + TRUNK_FIRST) + i);
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

/** The route with the longest prefix of a number (rt*); false when there is none. */
export function routeFind(ptr: usize, len: u32): bool {
  if (!loaded) return false;
  let found: usize = 0;
  let node = item(active, BANK_NODES, NODE_BYTES, 0);
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
    const edge = load<u32>(item(active, BANK_EDGES, 4, first + i));
    if ((edge & 255) == byte) return item(active, BANK_NODES, NODE_BYTES, edge >>> 8);
  }
  return 0;
}
