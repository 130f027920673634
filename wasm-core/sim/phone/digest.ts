/** Digest credentials of a phone (RFC 3261 22, RFC 7616). A nonce is used again, with a higher count, until it is refused. */
import { md5 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { passwordOf } from '../bank.ts';
import type { Random } from '../random.ts';
import type { SipMessage } from '../sip/message.ts';

/** Challenges that one request answers before it gives up. */
export const TRIES_MAX = 3;
/** Phones that know MD5 only. */
const OLD_PER_MILLE = 250;
const PARAMETER = /([a-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^",\s]+))/gi;

interface Challenge {
  realm: string;
  nonce: string;
  algorithm: string;
  qop: boolean;
  opaque: string | undefined;
  isStale: boolean;
}

export class Credentials {
  readonly #user: string;
  readonly #random: Random;
  readonly #algorithms: readonly string[];
  #challenge: Challenge | null = null;
  /** Of the user with its realm and password. */
  #ha1 = '';
  #count = 0;

  constructor(user: string, random: Random) {
    this.#user = user;
    this.#random = random;
    this.#algorithms = random.chance(OLD_PER_MILLE) ? ['MD5'] : ['SHA-256', 'MD5'];
  }

  /** The nonce that `line` uses; '': none has been seen. */
  get nonce(): string {
    return this.#challenge?.nonce ?? '';
  }

  /** All is forgotten, as when it was off. */
  forget(): void {
    this.#challenge = null;
  }

  /** The header line for a request, '' before the first challenge. */
  line(method: string, uri: string): string {
    const challenge = this.#challenge;
    if (challenge === null) return '';
    const { realm, nonce, algorithm, qop, opaque } = challenge;
    const hash = hashOf(algorithm);
    const ha2 = hash(`${method}:${uri}`);
    const name = method === 'REGISTER' ? 'Authorization' : 'Proxy-Authorization';
    const common =
      `${name}: Digest username="${this.#user}", realm="${realm}", nonce="${nonce}", uri="${uri}", algorithm=${algorithm}` +
      (opaque === undefined ? '' : `, opaque="${opaque}"`);
    if (!qop) return `${common}, response="${hash(`${this.#ha1}:${nonce}:${ha2}`)}"\r\n`;
    const count = (++this.#count).toString(16).padStart(8, '0');
    const cnonce = this.#random.word().toString(16);
    const response = hash(`${this.#ha1}:${nonce}:${count}:${cnonce}:auth:${ha2}`);
    return `${common}, qop=auth, nc=${count}, cnonce="${cnonce}", response="${response}"\r\n`;
  }

  /**
   * Takes the challenges of a 401 or 407.
   * @param used  nonce of the request that was refused, '' when it had no credentials
   * @returns false when trying again is of no use
   */
  challenged(response: SipMessage, used: string): boolean {
    const header = response.status === 401 ? 'www-authenticate' : 'proxy-authenticate';
    const challenges: Challenge[] = [];
    for (let i = 0; i < response.names.length; i++) {
      if (response.names[i] === header) challenges.push(readChallenge(response.values[i]!));
    }
    for (const algorithm of this.#algorithms) {
      const found = challenges.find((challenge) => challenge.algorithm.toUpperCase() === algorithm);
      if (found === undefined) continue;
      if (found.nonce === used && !found.isStale) return false; // refused for what it says, not for the nonce
      if (found.nonce === this.nonce) return true;
      this.#challenge = found;
      this.#ha1 = hashOf(algorithm)(`${this.#user}:${found.realm}:${passwordOf(this.#user)}`);
      this.#count = 0;
      return true;
    }
    return false;
  }
}

function readChallenge(value: string): Challenge {
  const found = new Map<string, string>();
  for (const [, name, quoted, plain] of value.matchAll(PARAMETER)) {
    found.set(name!.toLowerCase(), quoted ?? plain!);
  }
  return {
    realm: found.get('realm') ?? '',
    nonce: found.get('nonce') ?? '',
    algorithm: found.get('algorithm') ?? 'MD5',
    qop: (found.get('qop') ?? '').split(',').some((qop) => qop.trim() === 'auth'),
    opaque: found.get('opaque'),
    isStale: found.get('stale')?.toLowerCase() === 'true',
  };
}

function hashOf(algorithm: string): (text: string) => string {
  const hash = algorithm.toUpperCase() === 'SHA-256' ? sha256 : md5;
  return (text) => bytesToHex(hash(utf8ToBytes(text)));
}
