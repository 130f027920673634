/** User agents of the load scripts, in Node and on wires that are function calls. */
import { createHash } from 'node:crypto';
import type { Algorithm } from '../lib/digest.ts';
import { UserAgent } from '../lib/user-agent.ts';

export function hash(algorithm: Algorithm, text: string): string {
  return createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
    .update(text)
    .digest('hex');
}

/** A user agent whose messages go to `send`. Its clock goes on by 1 ms each time it is read. */
export function userAgent(user: string, send: (text: string) => void, prefer?: Algorithm): UserAgent {
  let ms = 0;
  const account = { user, password: `secret-${user}`, domain: 'example.org', ...(prefer && { prefer }) };
  return new UserAgent(account, { nowMs: () => ms++, hash, send });
}
