/**
 * Builds a bank: everything of the configuration that the core looks up, as one block of bytes that it can use
 * where it lies. Layout: BANK_* in ../assembly/routing/layout.ts. Pure, for Node and for a browser.
 */
import * as layout from '../assembly/routing/layout.ts';
import { checkBankConfig } from './bank-check.ts';
import { parseAddress } from './address.ts';

export interface BankUser {
  /** User part, unescaped, 1 to 128 bytes; compared with case (RFC 3261 19.1.4). */
  user: string;
  /** MD5 and SHA-256 of `user:realm:password` (RFC 7616 3.4.2), 16 and 32 bytes. */
  ha1Md5: Uint8Array;
  ha1Sha256: Uint8Array;
}

export interface BankGateway {
  /** TRANSPORT_*. */
  transport: number;
  /** IP address. */
  address: string;
  /** 1 to 65535. */
  port: number;
  /** Lower is tried first, 0 to 1000. */
  priority: number;
}

export interface BankTrunk {
  /** 1 to 64 bytes. */
  name: string;
  gateways: readonly BankGateway[];
}

export interface BankRoute {
  /** Leading characters of the number; '' = all numbers. Visual separators don't count. */
  prefix: string;
  /** Name of a trunk. */
  trunk: string;
  /** Characters to take off the front of the number. */
  strip: number;
  /** What to put in front then, at most 32 bytes. */
  prepend: string;
}

export interface BankConfig {
  /** Realm of digest authentication, 1 to 128 printable characters; `ha1Md5` and `ha1Sha256` are made with it. */
  realm: string;
  /** Algorithms that are offered and accepted, most preferred first; at least one. */
  digest: readonly ('sha-256' | 'md5')[];
  /** Names and IP addresses that users register under; all mean the same. */
  domains: readonly string[];
  users: readonly BankUser[];
  /** Networks whose requests need no digest: address/prefix length, IPv4 and IPv6. */
  trusted: readonly string[];
  trunks: readonly BankTrunk[];
  routes: readonly BankRoute[];
}

class Writer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  #at = layout.BANK_HEADER_BYTES;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Room for a section, aligned to 8; returns its offset. */
  take(size: number): number {
    const at = this.#at;
    this.#at = (at + size + 7) & ~7;
    return at;
  }

  u32(at: number, value: number): void {
    this.view.setUint32(at, value, true);
  }
}

/** Strings of a bank, one after the other. */
class Strings {
  readonly #parts: Uint8Array[] = [];
  #length = 0;
  readonly #encoder = new TextEncoder();

  add(text: string): { offset: number; length: number } {
    const bytes = this.#encoder.encode(text);
    const offset = this.#length;
    this.#parts.push(bytes);
    this.#length += bytes.length;
    return { offset, length: bytes.length };
  }

  get length(): number {
    return this.#length;
  }

  writeTo(target: Uint8Array, at: number): void {
    let to = at;
    for (const part of this.#parts) {
      target.set(part, to);
      to += part.length;
    }
  }
}

interface TrieNode {
  children: Map<number, TrieNode>;
  route: BankRoute | null;
}

/**
 * @throws RangeError, which says what is wrong: a value out of its range, a route to a trunk that is not there, or two
 * users, trunks or routes of the same name.
 */
export function buildBank(config: BankConfig): Uint8Array {
  checkBankConfig(config);
  const strings = new Strings();
  const realm = strings.add(config.realm);
  const domains = config.domains.map((domain) => strings.add(domain.toLowerCase()));
  const names = config.users.map(({ user }) => strings.add(user));
  const trunkNames = config.trunks.map(({ name }) => strings.add(name));
  const nodes = flatten(buildTrie(config));
  const prepends = nodes.map(({ route }) => strings.add(route?.prepend ?? ''));
  const gateways = config.trunks.flatMap((trunk) => trunk.gateways);
  const buckets = powerOfTwo(config.users.length);
  const edges = nodes.reduce((sum, node) => sum + node.children.size, 0);

  const sizes = {
    domains: domains.length * 8,
    heads: buckets * 4,
    users: config.users.length * layout.USER_BYTES,
    trusted: config.trusted.length * layout.NETWORK_BYTES,
    trunks: config.trunks.length * layout.TRUNK_BYTES,
    gateways: gateways.length * layout.GATEWAY_BYTES,
    nodes: nodes.length * layout.NODE_BYTES,
    edges: edges * 4,
    strings: strings.length,
  };
  const total = Object.values(sizes).reduce((sum, size) => sum + ((size + 7) & ~7), layout.BANK_HEADER_BYTES);
  const out = new Writer(total);
  const section = (header: number, size: number, count: number): number => {
    const at = out.take(size);
    out.u32(header, at);
    out.u32(header + 4, count);
    return at;
  };
  out.u32(layout.BANK_MAGIC_AT, layout.BANK_MAGIC);
  out.u32(layout.BANK_VERSION_AT, layout.BANK_VERSION);
  out.u32(layout.BANK_BYTES_AT, total);
  config.digest.forEach((algorithm, i) => {
    out.bytes[layout.BANK_DIGEST + i] = algorithm === 'md5' ? layout.DIGEST_MD5 : layout.DIGEST_SHA256;
  });
  const domainsAt = section(layout.BANK_DOMAINS, sizes.domains, domains.length);
  const headsAt = section(layout.BANK_USER_HEADS, sizes.heads, buckets);
  const usersAt = section(layout.BANK_USERS, sizes.users, config.users.length);
  const trustedAt = section(layout.BANK_TRUSTED, sizes.trusted, config.trusted.length);
  const trunksAt = section(layout.BANK_TRUNKS, sizes.trunks, config.trunks.length);
  const gatewaysAt = section(layout.BANK_GATEWAYS, sizes.gateways, gateways.length);
  const nodesAt = section(layout.BANK_NODES, sizes.nodes, nodes.length);
  const edgesAt = section(layout.BANK_EDGES, sizes.edges, edges);
  const stringsAt = section(layout.BANK_STRINGS, sizes.strings, sizes.strings);
  strings.writeTo(out.bytes, stringsAt);
  const string = (at: number, text: { offset: number; length: number }) => {
    out.u32(at, stringsAt + text.offset);
    out.u32(at + 4, text.length);
  };
  string(layout.BANK_REALM, realm);
  domains.forEach((domain, i) => {
    string(domainsAt + i * 8, domain);
  });
  writeUsers(out, config.users, names, string, headsAt, buckets, usersAt);
  config.trusted.forEach((network, i) => {
    writeNetwork(out, trustedAt + i * layout.NETWORK_BYTES, network);
  });
  let gateway = 0;
  config.trunks.forEach((trunk, i) => {
    const at = trunksAt + i * layout.TRUNK_BYTES;
    string(at, trunkNames[i]!);
    out.u32(at + layout.TRUNK_FIRST, gateway);
    out.u32(at + layout.TRUNK_COUNT, trunk.gateways.length);
    for (const one of trunk.gateways) writeGateway(out, gatewaysAt + gateway++ * layout.GATEWAY_BYTES, one);
  });
  writeNodes(out, config, nodes, prepends, string, nodesAt, edgesAt);
  return out.bytes;
}

function ipBytes(address: string): Uint8Array {
  const bytes = parseAddress(address);
  if (bytes === null) throw new RangeError(`'${address}' is not an IP address`);
  return bytes;
}

function powerOfTwo(n: number): number {
  let size = 1;
  while (size < n) size *= 2;
  return size;
}

/** FNV-1a, as in ../assembly/routing/bank.ts. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function writeUsers(
  out: Writer,
  users: readonly BankUser[],
  names: readonly { offset: number; length: number }[],
  string: (at: number, text: { offset: number; length: number }) => void,
  headsAt: number,
  buckets: number,
  usersAt: number,
): void {
  users.forEach((user, i) => {
    const at = usersAt + i * layout.USER_BYTES;
    string(at + layout.USER_NAME, names[i]!);
    const nameAt = out.view.getUint32(at + layout.USER_NAME, true);
    const head =
      headsAt + (hashOf(out.bytes.subarray(nameAt, nameAt + names[i]!.length)) & (buckets - 1)) * 4;
    out.u32(at + layout.USER_NEXT, out.view.getUint32(head, true));
    out.u32(head, i + 1);
    out.bytes.set(user.ha1Md5, at + layout.USER_HA1_MD5);
    out.bytes.set(user.ha1Sha256, at + layout.USER_HA1_SHA256);
  });
}

/** A decimal number, or -1. */
function numberOf(text: string): number {
  return /^\d{1,3}$/.test(text) ? Number(text) : -1;
}

function writeNetwork(out: Writer, at: number, network: string): void {
  const [address = '', bitsText] = network.split('/');
  const bytes = ipBytes(address);
  const v6 = address.includes(':');
  const bits = bitsText === undefined ? (v6 ? 128 : 32) : numberOf(bitsText);
  if (bits < 0 || bits > (v6 ? 128 : 32)) {
    throw new RangeError(`'${network}' is not a network: address/prefix length`);
  }
  out.bytes.set(bytes, at);
  out.u32(at + layout.NETWORK_BITS, v6 ? bits : 96 + bits);
}

function writeGateway(out: Writer, at: number, gateway: BankGateway): void {
  out.bytes.set(ipBytes(gateway.address), at);
  out.u32(at + layout.GATEWAY_TRANSPORT, gateway.transport);
  out.u32(at + layout.GATEWAY_PORT, gateway.port);
  out.u32(at + layout.GATEWAY_PRIORITY, gateway.priority);
}

/** Without visual separators, as the core looks numbers up (`numberInto` in ../assembly/routing/number.ts). */
function plainNumber(text: string): string {
  return /^[0-9a-dA-D+*#().-]*$/.test(text) && /\d/.test(text) ? text.replace(/[().-]/g, '') : text;
}

function buildTrie(config: BankConfig): TrieNode {
  const root: TrieNode = { children: new Map(), route: null };
  for (const route of config.routes) {
    let node = root;
    for (const byte of new TextEncoder().encode(plainNumber(route.prefix))) {
      let child = node.children.get(byte);
      if (child === undefined) {
        child = { children: new Map(), route: null };
        node.children.set(byte, child);
      }
      node = child;
    }
    if (node.route !== null) throw new RangeError(`two routes have the prefix '${route.prefix}'`);
    node.route = route;
  }
  return root;
}

/** Nodes in breadth-first order, so that a node's children lie together. */
function flatten(root: TrieNode): TrieNode[] {
  const nodes = [root];
  for (const node of nodes) nodes.push(...node.children.values());
  return nodes;
}

function writeNodes(
  out: Writer,
  config: BankConfig,
  nodes: readonly TrieNode[],
  prepends: readonly { offset: number; length: number }[],
  string: (at: number, text: { offset: number; length: number }) => void,
  nodesAt: number,
  edgesAt: number,
): void {
  const trunkIndex = new Map(config.trunks.map(({ name }, i) => [name, i]));
  let edge = 0;
  let child = 1;
  nodes.forEach((node, i) => {
    const at = nodesAt + i * layout.NODE_BYTES;
    if (node.route !== null) {
      out.u32(at + layout.NODE_TRUNK, trunkIndex.get(node.route.trunk)! + 1);
      out.u32(at + layout.NODE_STRIP, node.route.strip);
    }
    string(at + layout.NODE_PREPEND, prepends[i]!);
    out.u32(at + layout.NODE_EDGES, edge);
    out.u32(at + layout.NODE_EDGE_COUNT, node.children.size);
    for (const byte of node.children.keys()) {
      out.u32(edgesAt + edge * 4, byte | (child << 8));
      edge++;
      child++;
    }
  });
}
