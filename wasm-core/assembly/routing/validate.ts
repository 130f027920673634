/**
 * Checks a bank before it is used, so that reading it needs no checks: no offset leads out of it, no chain goes in
 * circles, no value is out of its range.
 */
import { TRANSPORT_COUNT } from '../abi';
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
  DIGEST_SHA256,
  DOMAIN_BYTES_MAX,
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
  NODE_TRUNK,
  PREPEND_BYTES_MAX,
  PRIORITY_MAX,
  REALM_BYTES_MAX,
  TRUNK_BYTES,
  TRUNK_COUNT,
  TRUNK_FIRST,
  TRUNK_NAME,
  TRUNK_NAME_BYTES_MAX,
  USER_BYTES,
  USER_BYTES_MAX,
  USER_NAME,
  USER_NEXT,
} from './layout';

/** Whether the `size` bytes at `bank` (at least BANK_HEADER_BYTES) are a sound bank of this version. */
export function bankValid(bank: usize, size: u32): bool {
  if (load<u32>(bank + BANK_MAGIC_AT) != BANK_MAGIC) return false;
  if (load<u32>(bank + BANK_VERSION_AT) != BANK_VERSION || load<u32>(bank + BANK_BYTES_AT) != size)
    return false;
  return (
    sectionsFit(bank, size) &&
    stringFits(bank + BANK_REALM, REALM_BYTES_MAX, size) &&
    validDigest(bank) &&
    validDomains(bank, size) &&
    validUsers(bank, size) &&
    validNetworks(bank) &&
    validTrunks(bank, size) &&
    validGateways(bank) &&
    validNodes(bank, size)
  );
}

/** Entries of a section (BANK_* of layout.ts). */
export function itemCount(bank: usize, section: u32): u32 {
  return load<u32>(bank + section, 4);
}

/** Address of the `i`th entry of a section. */
export function itemAt(bank: usize, section: u32, itemBytes: u32, i: u32): usize {
  return bank + load<u32>(bank + section) + i * itemBytes;
}

function sectionsFit(bank: usize, size: u32): bool {
  return (
    fits(bank, BANK_DOMAINS, 8, size) &&
    fits(bank, BANK_USER_HEADS, 4, size) &&
    fits(bank, BANK_USERS, USER_BYTES, size) &&
    fits(bank, BANK_TRUSTED, NETWORK_BYTES, size) &&
    fits(bank, BANK_TRUNKS, TRUNK_BYTES, size) &&
    fits(bank, BANK_GATEWAYS, GATEWAY_BYTES, size) &&
    fits(bank, BANK_NODES, NODE_BYTES, size) &&
    fits(bank, BANK_EDGES, 4, size) &&
    fits(bank, BANK_STRINGS, 1, size)
  );
}

function fits(bank: usize, section: u32, itemBytes: u32, size: u32): bool {
  const at = load<u32>(bank + section) as u64;
  const n = itemCount(bank, section) as u64;
  return at >= (BANK_HEADER_BYTES as u64) && at + n * (itemBytes as u64) <= (size as u64);
}

function stringFits(at: usize, most: u32, size: u32): bool {
  const len = load<u32>(at, 4);
  return len <= most && (load<u32>(at) as u64) + (len as u64) <= (size as u64);
}

function validDigest(bank: usize): bool {
  if (load<u8>(bank + BANK_DIGEST) == 0) return false;
  for (let i: u32 = 0; i < BANK_DIGEST_MAX; i++) {
    if ((load<u8>(bank + BANK_DIGEST + i) as u32) > DIGEST_SHA256) return false;
  }
  return true;
}

function validDomains(bank: usize, size: u32): bool {
  for (let i: u32 = 0; i < itemCount(bank, BANK_DOMAINS); i++) {
    if (!stringFits(itemAt(bank, BANK_DOMAINS, 8, i), DOMAIN_BYTES_MAX, size)) return false;
  }
  return true;
}

function validUsers(bank: usize, size: u32): bool {
  const heads = itemCount(bank, BANK_USER_HEADS);
  const users = itemCount(bank, BANK_USERS);
  if (popcnt(heads) != 1) return false;
  for (let i: u32 = 0; i < heads; i++)
    if (load<u32>(itemAt(bank, BANK_USER_HEADS, 4, i)) > users) return false;
  for (let i: u32 = 0; i < users; i++) {
    const user = itemAt(bank, BANK_USERS, USER_BYTES, i);
    // Chains lead to lower indexes only, so they end.
    if (!stringFits(user + USER_NAME, USER_BYTES_MAX, size) || load<u32>(user + USER_NEXT) > i) return false;
  }
  return true;
}

function validNetworks(bank: usize): bool {
  for (let i: u32 = 0; i < itemCount(bank, BANK_TRUSTED); i++) {
    if (load<u32>(itemAt(bank, BANK_TRUSTED, NETWORK_BYTES, i) + NETWORK_BITS) > 128) return false;
  }
  return true;
}

function validTrunks(bank: usize, size: u32): bool {
  const gateways = itemCount(bank, BANK_GATEWAYS) as u64;
  for (let i: u32 = 0; i < itemCount(bank, BANK_TRUNKS); i++) {
    const trunk = itemAt(bank, BANK_TRUNKS, TRUNK_BYTES, i);
    const last = (load<u32>(trunk + TRUNK_FIRST) as u64) + (load<u32>(trunk + TRUNK_COUNT) as u64);
    if (last > gateways || !stringFits(trunk + TRUNK_NAME, TRUNK_NAME_BYTES_MAX, size)) return false;
  }
  return true;
}

function validGateways(bank: usize): bool {
  for (let i: u32 = 0; i < itemCount(bank, BANK_GATEWAYS); i++) {
    const gateway = itemAt(bank, BANK_GATEWAYS, GATEWAY_BYTES, i);
    if (load<u32>(gateway + GATEWAY_TRANSPORT) >= TRANSPORT_COUNT) return false;
    if (load<u32>(gateway + GATEWAY_PORT) - 1 >= 0xffff) return false;
    if (load<u32>(gateway + GATEWAY_PRIORITY) > PRIORITY_MAX) return false;
  }
  return true;
}

function validNodes(bank: usize, size: u32): bool {
  const nodes = itemCount(bank, BANK_NODES);
  const edges = itemCount(bank, BANK_EDGES);
  if (nodes == 0) return false;
  for (let i: u32 = 0; i < nodes; i++) {
    const node = itemAt(bank, BANK_NODES, NODE_BYTES, i);
    const last = (load<u32>(node + NODE_EDGES) as u64) + (load<u32>(node + NODE_EDGE_COUNT) as u64);
    if (last > (edges as u64) || load<u32>(node + NODE_TRUNK) > itemCount(bank, BANK_TRUNKS)) return false;
    if (!stringFits(node + NODE_PREPEND, PREPEND_BYTES_MAX, size)) return false;
  }
  for (let i: u32 = 0; i < edges; i++)
    if (load<u32>(itemAt(bank, BANK_EDGES, 4, i)) >>> 8 >= nodes) return false;
  return true;
}
