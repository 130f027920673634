/** Accounts given in the page's address, for demos: `/?user=1001&password=demo-1001` or the same after `#`. */
import type { Account } from '../phone/account.ts';

export const DEFAULT_DOMAIN = 'strowger.test';

export interface Prefill {
  account: Partial<Account>;
  /** `connect=1`: sign in at once. */
  connect: boolean;
  /** `processing=off`: the microphone unchanged, for tests with tones. */
  voiceProcessing: boolean | null;
}

export function readPrefill(location: Pick<Location, 'search' | 'hash'>): Prefill {
  const params = new URLSearchParams(location.search);
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) params.set(name, value);
  const account: Partial<Account> = {};
  for (const name of ['user', 'password', 'domain', 'server', 'displayName'] as const) {
    const value = params.get(name);
    if (value) account[name] = value;
  }
  const processing = params.get('processing');
  return {
    account,
    connect: params.get('connect') === '1' && account.user !== undefined && account.password !== undefined,
    voiceProcessing: processing === null ? null : processing !== 'off',
  };
}

/** The same address without its password, which shouldn't stay in the history or be shared with a link. */
export function withoutPassword(href: string): string {
  const url = new URL(href);
  url.searchParams.delete('password');
  const inHash = new URLSearchParams(url.hash.slice(1));
  if (inHash.has('password')) {
    inHash.delete('password');
    url.hash = inHash.toString();
  }
  return url.href;
}

/** Where the page came from also answers SIP, at `/sip`. */
export function defaultServer(location: Pick<Location, 'protocol' | 'host'>): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/sip`;
}

/** Demo accounts exist on loopback only: the switch refuses them elsewhere. */
export function isDemo(location: Pick<Location, 'hostname'>): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);
}

/** The lines of config/demo.yaml. */
export const DEMO_LINES: readonly { user: string; password: string }[] = Array.from(
  { length: 10 },
  (_, i) => ({
    user: String(1001 + i),
    password: `demo-${1001 + i}`,
  }),
);
