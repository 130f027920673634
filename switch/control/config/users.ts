/** Users of the configuration, ranges written out, passwords made into HA1 values. */
import { createHash } from 'node:crypto';
import * as crypto from 'node:crypto';
import type { Config, UserEntry } from './schema.ts';

/** First and last number of `first-last`, with leading zeros kept to `digits`; null when out of order or of different length. */
export function rangeOf(text: string): { first: number; count: number; digits: number } | null {
  const [first = '', last = ''] = text.split('-');
  const count = Number(last) - Number(first) + 1;
  return first.length === last.length && count > 0
    ? { first: Number(first), count, digits: first.length }
    : null;
}

/** One user as the core knows it. */
export interface UserCredential {
  user: string;
  /** H(user:realm:password), lower-case hex (RFC 7616 3.4.2); '' = this algorithm cannot be used. */
  md5: string;
  sha256: string;
}

type Hash = (algorithm: string, text: string) => string;
/** `crypto.hash` (Node 20.12 and later) is three times as fast as a Hash object on such short texts. */
const hash: Hash =
  typeof crypto.hash === 'function'
    ? (algorithm, text) => crypto.hash(algorithm, text, 'hex')
    : (algorithm, text) => createHash(algorithm).update(text).digest('hex');

function credential(user: string, realm: string, entry: UserEntry): UserCredential {
  if (entry.password === undefined)
    return { user, md5: entry.ha1?.md5 ?? '', sha256: entry.ha1?.sha256 ?? '' };
  const secret = `${user}:${realm}:${entry.password.replaceAll('<user>', user)}`;
  return { user, md5: hash('md5', secret), sha256: hash('sha256', secret) };
}

/** User names of an entry. */
function* namesOf(entry: UserEntry): Generator<string> {
  const range = entry.range === undefined ? null : rangeOf(entry.range);
  if (range === null) yield entry.user ?? '';
  else for (let i = 0; i < range.count; i++) yield String(range.first + i).padStart(range.digits, '0');
}

/** Every user once; a user listed alone overrides the same number in a range. */
export function expandUsers(config: Config): UserCredential[] {
  const realm = realmOf(config);
  const users = new Map<string, UserCredential>();
  const rangesFirst = [...config.users].sort(
    (a, b) => Number(a.user !== undefined) - Number(b.user !== undefined),
  );
  for (const entry of rangesFirst)
    for (const name of namesOf(entry)) users.set(name, credential(name, realm, entry));
  return [...users.values()];
}

/** Number of users, ranges counted in full. */
export function countUsers(config: Config): number {
  return config.users.reduce(
    (sum, entry) => sum + (entry.range === undefined ? 1 : (rangeOf(entry.range)?.count ?? 0)),
    0,
  );
}

/** Realm of digest authentication. */
export function realmOf(config: Config): string {
  return config.realm ?? config.domains[0] ?? 'strowger';
}
