/**
 * Digest authentication (RFC 7616, RFC 8760) for sip.js, which by itself answers MD5 challenges only and sees
 * no more than the topmost challenge of a response.
 */
import { Core } from 'sip.js';
import { sha256Hex } from './sha256.ts';

/** A challenge as sip.js parses it. */
export interface Challenge {
  realm?: string;
  nonce?: string;
  opaque?: string;
  /** Absent means MD5 (RFC 7616 3.3). */
  algorithm?: string;
  qop?: string[];
  stale?: boolean;
}

/** What of a request enters the digest. */
export interface DigestRequest {
  method: string;
  /** Request-URI. */
  uri: string;
}

/**
 * The value of an Authorization header for a SHA-256 challenge (RFC 7616 3.4).
 *
 * @param nc how often this nonce was used, this time included; from 1
 * @returns null when the challenge is not one we can answer: another algorithm, or only `auth-int`
 */
export function sha256Authorization(
  request: DigestRequest,
  challenge: Challenge,
  credentials: { user: string; password: string },
  cnonce: string,
  nc: number,
): string | null {
  const { realm, nonce, opaque, qop } = challenge;
  if (challenge.algorithm?.toUpperCase() !== 'SHA-256' || realm === undefined || !nonce) return null;
  if (qop !== undefined && !qop.includes('auth')) return null;
  const ha1 = sha256Hex(`${credentials.user}:${realm}:${credentials.password}`);
  const ha2 = sha256Hex(`${request.method}:${request.uri}`);
  const count = nc.toString(16).padStart(8, '0');
  const response = qop
    ? sha256Hex(`${ha1}:${nonce}:${count}:${cnonce}:auth:${ha2}`)
    : sha256Hex(`${ha1}:${nonce}:${ha2}`);
  const quoted = { username: credentials.user, realm, nonce, uri: request.uri, response };
  const params = Object.entries(quoted).map(([name, value]) => `${name}="${value}"`);
  if (opaque) params.push(`opaque="${opaque}"`);
  if (qop) params.push('qop=auth', `cnonce="${cnonce}"`, `nc=${count}`);
  return `Digest algorithm=SHA-256, ${params.join(', ')}`;
}

/** 128 random bits, in hexadecimal. */
function clientNonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Answers SHA-256 challenges, and leaves MD5 to sip.js. One is made per request; its nonce count begins at 1. */
export class Credentials extends Core.DigestAuthentication {
  readonly #user: string;
  readonly #password: string;
  #header: string | null = null;
  #uses = 0;

  constructor(loggers: Core.LoggerFactory, user: string, password: string) {
    super(loggers, undefined, user, password);
    this.#user = user;
    this.#password = password;
  }

  /** @returns false when the challenge can't be answered; the request then fails with the challenge's status */
  override authenticate(request: Core.OutgoingRequestMessage, challenge: Challenge, body?: string): boolean {
    if (challenge.algorithm === undefined || challenge.algorithm.toUpperCase() === 'MD5') {
      this.#header = null;
      return super.authenticate(request, challenge, body);
    }
    this.#uses++;
    this.#header = sha256Authorization(
      { method: request.method, uri: String(request.ruri) },
      challenge,
      { user: this.#user, password: this.#password },
      clientNonce(),
      this.#uses,
    );
    return this.#header !== null;
  }

  override toString(): string {
    return this.#header ?? super.toString();
  }
}
