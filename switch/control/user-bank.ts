/** The bank of the core, from the configuration: domains, users, trusted networks, trunks, routes. */
import { randomBytes } from 'node:crypto';
import { TRANSPORT_TCP, TRANSPORT_UDP } from '../../wasm-core/assembly/abi.ts';
import { type BankConfig, type BankTrunk, type BankUser, buildBank } from '../../wasm-core/host/bank.ts';
import { splitHostPort } from './config/endpoints.ts';
import type { Config, TrunkEntry } from './config/schema.ts';
import { expandUsers, realmOf, type UserCredential } from './config/users.ts';

const TRANSPORTS = { udp: TRANSPORT_UDP, tcp: TRANSPORT_TCP } as const;
const MD5_BYTES = 16;
const SHA256_BYTES = 32;

/**
 * The digest in bytes; for an algorithm that the user has no digest of, one that nobody can know. (Zeros would be
 * known to everybody.)
 */
function digest(hex: string, bytes: number): Uint8Array {
  return hex === '' ? randomBytes(bytes) : Buffer.from(hex, 'hex');
}

function bankUser({ user, md5, sha256 }: UserCredential): BankUser {
  return { user, ha1Md5: digest(md5, MD5_BYTES), ha1Sha256: digest(sha256, SHA256_BYTES) };
}

function bankTrunk({ name, gateways }: TrunkEntry): BankTrunk {
  return {
    name,
    gateways: gateways.map(({ address, transport, priority }) => {
      const { host, port } = splitHostPort(address);
      return { transport: TRANSPORTS[transport], address: host, port, priority };
    }),
  };
}

/** What the core looks up, with users written out and passwords made into digests. */
export function bankConfig(config: Config): BankConfig {
  return {
    realm: realmOf(config),
    digest: config.registration.digest,
    // URIs are compared without the brackets of an IPv6 address.
    domains: config.domains.map((domain) => domain.replace(/^\[|\]$/g, '')),
    users: expandUsers(config).map(bankUser),
    trusted: config.trusted,
    trunks: config.trunks.map(bankTrunk),
    routes: config.routes.map(({ prefix, trunk, strip, prepend }) => ({
      prefix,
      trunk,
      strip,
      prepend: prepend ?? '',
    })),
  };
}

/** The bank in shared memory, for the realtime thread. */
export function userBank(config: Config): SharedArrayBuffer {
  const bytes = buildBank(bankConfig(config));
  const shared = new SharedArrayBuffer(bytes.length);
  new Uint8Array(shared).set(bytes);
  return shared;
}
