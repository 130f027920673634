/** The client's side of digest authentication (RFC 7616, RFC 8760). */
import { createHash, randomBytes } from 'node:crypto';
import type { SipMessage } from './message.ts';

export interface Credentials {
  user: string;
  password: string;
}

/** One challenge of a 401 or 407. */
export interface Challenge {
  realm: string;
  nonce: string;
  /** `MD5` when the header names none. */
  algorithm: string;
  qop: string;
  opaque: string;
  stale: boolean;
}

/** The challenges of a response, in its order. */
export function challengesOf(response: SipMessage): Challenge[] {
  return [...response.headers('www-authenticate'), ...response.headers('proxy-authenticate')].map((text) => ({
    realm: field(text, 'realm'),
    nonce: field(text, 'nonce'),
    algorithm: field(text, 'algorithm') || 'MD5',
    qop: field(text, 'qop'),
    opaque: field(text, 'opaque'),
    stale: field(text, 'stale').toLowerCase() === 'true',
  }));
}

function field(text: string, name: string): string {
  const found = new RegExp(`(?:^|[\\s,])${name}\\s*=\\s*(?:"([^"]*)"|([^,\\s]+))`, 'i').exec(text);
  return found?.[1] ?? found?.[2] ?? '';
}

/** Value of the Authorization or Proxy-Authorization header that answers a challenge with qop=auth. */
export function authorization(
  challenge: Challenge,
  who: Credentials,
  method: string,
  uri: string,
  nonceCount = 1,
): string {
  const hash = (text: string) =>
    createHash(challenge.algorithm.toUpperCase() === 'SHA-256' ? 'sha256' : 'md5')
      .update(text)
      .digest('hex');
  const cnonce = randomBytes(8).toString('hex');
  const nc = nonceCount.toString(16).padStart(8, '0');
  const ha1 = hash(`${who.user}:${challenge.realm}:${who.password}`);
  const ha2 = hash(`${method}:${uri}`);
  const response = hash(`${ha1}:${challenge.nonce}:${nc}:${cnonce}:auth:${ha2}`);
  const fields = [
    `username="${who.user}"`,
    `realm="${challenge.realm}"`,
    `nonce="${challenge.nonce}"`,
    `uri="${uri}"`,
    `response="${response}"`,
    `algorithm=${challenge.algorithm}`,
    `cnonce="${cnonce}"`,
    'qop=auth',
    `nc=${nc}`,
  ];
  if (challenge.opaque) fields.push(`opaque="${challenge.opaque}"`);
  return `Digest ${fields.join(', ')}`;
}
