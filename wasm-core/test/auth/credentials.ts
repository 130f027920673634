/** What a phone answers to a challenge (RFC 7616 3.4.1), computed by Node's own hashes: the oracle of these tests. */
import { createHash } from 'node:crypto';
import { header } from '../support/driver.ts';

export const ALGORITHMS = ['MD5', 'SHA-256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

export interface Proof {
  method: string;
  uri: string;
  user: string;
  realm: string;
  password: string;
  nonce: string;
  algorithm: Algorithm;
  /** null: without qop, as RFC 2069. */
  qop: string | null;
  nc: string;
  cnonce: string;
}

export function hashOf(algorithm: Algorithm, text: string): string {
  return createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
    .update(text)
    .digest('hex');
}

export function responseOf(proof: Proof): string {
  const h = (text: string) => hashOf(proof.algorithm, text);
  const ha1 = h(`${proof.user}:${proof.realm}:${proof.password}`);
  const ha2 = h(`${proof.method}:${proof.uri}`);
  if (proof.qop === null) return h(`${ha1}:${proof.nonce}:${ha2}`);
  return h(`${ha1}:${proof.nonce}:${proof.nc}:${proof.cnonce}:${proof.qop}:${ha2}`);
}

/** A proof of 1002's for a REGISTER. */
export function proofOf(nonce: string, changes: Partial<Proof> = {}): Proof {
  const user = changes.user ?? '1002';
  return {
    method: 'REGISTER',
    uri: 'sip:strowger.test',
    user,
    realm: 'strowger.test',
    password: `pw-${user}`,
    nonce,
    algorithm: 'MD5',
    qop: 'auth',
    nc: '00000001',
    cnonce: 'c1',
    ...changes,
  };
}

/** The header line; `more` replaces or adds parameters, '' leaves one out. */
export function credentials(proof: Proof, more: Record<string, string> = {}, name = 'Authorization'): string {
  const params: Record<string, string> = {
    username: `"${proof.user}"`,
    realm: `"${proof.realm}"`,
    nonce: `"${proof.nonce}"`,
    uri: `"${proof.uri}"`,
    response: `"${responseOf(proof)}"`,
    algorithm: proof.algorithm,
    ...(proof.qop === null ? {} : { qop: proof.qop, nc: proof.nc, cnonce: `"${proof.cnonce}"` }),
    ...more,
  };
  const list = Object.entries(params).filter(([, value]) => value !== '');
  return `${name}: Digest ${list.map(([key, value]) => `${key}=${value}`).join(', ')}`;
}

/** The nonce that an answer offers for an algorithm. */
export function nonceOf(answer: string, algorithm: Algorithm = 'MD5'): string {
  const challenge = header(answer, 'WWW-Authenticate').find((line) =>
    line.includes(`algorithm=${algorithm},`),
  );
  const nonce = /nonce="([^"]+)"/.exec(challenge ?? '')?.[1];
  if (nonce === undefined) throw new Error(`no nonce for ${algorithm} in\n${answer}`);
  return nonce;
}
