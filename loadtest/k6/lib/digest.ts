/** The client's side of digest authentication: RFC 7616, with MD5 and SHA-256 as in RFC 8760. */
import { headers, type SipMessage, token } from './messages.ts';

export type Algorithm = 'MD5' | 'SHA-256';

/** Hash of a text as lower-case hex: k6 and Node each bring their own. */
export type Hash = (algorithm: Algorithm, text: string) => string;

export interface Credentials {
  user: string;
  password: string;
}

export interface Challenge {
  algorithm: Algorithm;
  realm: string;
  nonce: string;
  /** Undefined when the challenge has none. */
  opaque: string | undefined;
}

/** Challenges of a 401 or 407 that we can answer, in their order; those with other algorithms are left out. */
export function challengesOf(response: SipMessage): Challenge[] {
  return [...headers(response, 'www-authenticate'), ...headers(response, 'proxy-authenticate')].flatMap(
    (text) => {
      const algorithm = (field(text, 'algorithm') ?? 'MD5').toUpperCase();
      if (algorithm !== 'MD5' && algorithm !== 'SHA-256') return [];
      const opaque = field(text, 'opaque');
      return [{ algorithm, realm: field(text, 'realm') ?? '', nonce: field(text, 'nonce') ?? '', opaque }];
    },
  );
}

/**
 * The challenge to answer: of the preferred algorithm, else the first, which the server prefers
 * (RFC 8760 2.4).
 */
export function chooseChallenge(challenges: Challenge[], preferred?: Algorithm): Challenge | undefined {
  return challenges.find(({ algorithm }) => algorithm === preferred) ?? challenges[0];
}

function field(text: string, name: string): string | undefined {
  const match = new RegExp(`(?:^|[\\s,])${name}\\s*=\\s*(?:"([^"]*)"|([^",\\s]+))`, 'i').exec(text);
  return match?.[1] ?? match?.[2];
}

/**
 * Value of the Authorization or Proxy-Authorization header that answers a challenge for the first time
 * (nc=1), with qop=auth (RFC 7616 3.4).
 */
export function credentialsFor(
  { algorithm, realm, nonce, opaque }: Challenge,
  { user, password }: Credentials,
  request: { method: string; uri: string },
  hash: Hash,
  cnonce = token(),
): string {
  const nc = '00000001';
  const ha1 = hash(algorithm, `${user}:${realm}:${password}`);
  const ha2 = hash(algorithm, `${request.method}:${request.uri}`);
  const response = hash(algorithm, `${ha1}:${nonce}:${nc}:${cnonce}:auth:${ha2}`);
  const more = opaque === undefined ? '' : `, opaque="${opaque}"`;
  return (
    `Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${request.uri}", ` +
    `response="${response}", algorithm=${algorithm}, cnonce="${cnonce}", qop=auth, nc=${nc}${more}`
  );
}
