/** Who signs in, and where. */
import { UserAgent, type URI } from 'sip.js';

export interface Account {
  /** SIP over WebSocket (RFC 7118), `ws://` or `wss://`. */
  server: string;
  user: string;
  password: string;
  domain: string;
  /** Shown to those who are called; optional. */
  displayName?: string;
}

/** Address of record, as people read it. */
export function aorOf(account: Pick<Account, 'user' | 'domain'>): string {
  return `${account.user}@${account.domain}`;
}

/** @returns null when user and domain don't make a SIP URI */
export function accountUri(account: Pick<Account, 'user' | 'domain'>): URI | null {
  if (!/^[^\s@]+$/.test(account.user) || !/^[^\s@/]+$/.test(account.domain)) return null;
  return UserAgent.makeURI(`sip:${encodeURIComponent(account.user)}@${account.domain}`) ?? null;
}

/** Whether this is an address a WebSocket can be opened to. */
export function isServerAddress(server: string): boolean {
  try {
    const { protocol, host } = new URL(server);
    return (protocol === 'ws:' || protocol === 'wss:') && host !== '';
  } catch {
    return false;
  }
}
