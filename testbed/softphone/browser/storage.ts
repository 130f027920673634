/**
 * What the browser remembers: accounts, settings and history in localStorage, for all tabs; who is signed in and
 * which instance this is in sessionStorage, for one tab.
 */
import type { Account } from '../phone/account.ts';
import type { Outcome } from '../phone/call.ts';
import type { FailureCode } from '../phone/failure.ts';

/** The part of the Storage API that is used. */
export type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** An account as remembered: with its password only if the person wished so. */
export type SavedAccount = Omit<Account, 'password'> & { password?: string };

export interface Settings {
  /** Device ids as of enumerateDevices; empty: the system's choice. */
  microphoneId: string;
  speakerId: string;
  /** Echo cancellation, noise suppression and gain control by the browser. */
  voiceProcessing: boolean;
}

export interface HistoryEntry {
  id: string;
  direction: 'in' | 'out';
  number: string;
  name: string;
  outcome: Outcome;
  /** Begin, ms since 1970. */
  atMs: number;
  /** From answer to end; 0 when it wasn't answered. */
  durationMs: number;
  /** Why it failed. */
  why?: FailureCode;
}

export const DEFAULT_SETTINGS: Settings = {
  microphoneId: '',
  speakerId: '',
  voiceProcessing: true,
};

const ACCOUNTS_MAX = 5;
const HISTORY_MAX = 100;
const KEYS = {
  accounts: 'strowger.accounts',
  settings: 'strowger.settings',
  history: 'strowger.history',
  session: 'strowger.session',
  instance: 'strowger.instance',
} as const;

/** What is stored may be of an older version or edited by hand: anything unreadable counts as absent. */
function read<T>(store: Store, key: string): T | null {
  try {
    return JSON.parse(store.getItem(key) ?? 'null') as T | null;
  } catch {
    return null;
  }
}

function write(store: Store, key: string, value: unknown): void {
  try {
    store.setItem(key, JSON.stringify(value));
  } catch {
    // Full, or forbidden in this mode: the phone works without.
  }
}

const sameLine = (a: SavedAccount, b: SavedAccount): boolean => a.user === b.user && a.domain === b.domain;

/** Accounts used before, the latest first. */
export function savedAccounts(local: Store): SavedAccount[] {
  const list = read<SavedAccount[]>(local, KEYS.accounts);
  return Array.isArray(list) ? list.filter((one) => typeof one?.user === 'string') : [];
}

/** @param withPassword the person asked for it; otherwise one that was kept is forgotten */
export function saveAccount(local: Store, account: Account, withPassword: boolean): void {
  const { password, ...rest } = account;
  const saved: SavedAccount = withPassword ? { ...rest, password } : rest;
  const others = savedAccounts(local).filter((one) => !sameLine(one, saved));
  write(local, KEYS.accounts, [saved, ...others].slice(0, ACCOUNTS_MAX));
}

/** Who is signed in in this tab; survives a reload, so that the tab comes back as it was. */
export function readSession(session: Store): Account | null {
  const account = read<Account>(session, KEYS.session);
  return typeof account?.user === 'string' && typeof account.password === 'string' ? account : null;
}

export function writeSession(session: Store, account: Account | null): void {
  if (account === null) session.removeItem(KEYS.session);
  else write(session, KEYS.session, account);
}

export function readSettings(local: Store): Settings {
  return { ...DEFAULT_SETTINGS, ...read<Partial<Settings>>(local, KEYS.settings) };
}

export function writeSettings(local: Store, settings: Settings): void {
  write(local, KEYS.settings, settings);
}

/** Calls of one line, the latest first. */
export function readHistory(local: Store, aor: string): HistoryEntry[] {
  const list = read<HistoryEntry[]>(local, `${KEYS.history}.${aor}`);
  return Array.isArray(list) ? list : [];
}

/** @returns the history with the call in it */
export function addToHistory(local: Store, aor: string, entry: HistoryEntry): HistoryEntry[] {
  // Of two calls at once the first may end last.
  const entries = [entry, ...readHistory(local, aor)].sort((a, b) => b.atMs - a.atMs).slice(0, HISTORY_MAX);
  write(local, `${KEYS.history}.${aor}`, entries);
  return entries;
}

export function clearHistory(local: Store, aor: string): void {
  local.removeItem(`${KEYS.history}.${aor}`);
}

/**
 * The instance id of this tab (RFC 5626 4.1), the same after a reload. A duplicated tab inherits the sessionStorage
 * of the first, so that `isFree` decides whether the id may be used.
 *
 * @param isFree claims an id for this tab; false when another one has it
 */
export async function claimInstanceId(
  session: Store,
  isFree: (id: string) => Promise<boolean>,
  create: () => string,
): Promise<string> {
  const stored = session.getItem(KEYS.instance);
  if (stored !== null && (await isFree(stored))) return stored;
  const id = create();
  await isFree(id);
  session.setItem(KEYS.instance, id);
  return id;
}
