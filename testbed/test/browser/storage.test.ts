import { beforeEach, describe, expect, test } from 'vitest';
import {
  addToHistory,
  claimInstanceId,
  clearHistory,
  DEFAULT_SETTINGS,
  type HistoryEntry,
  readHistory,
  readSession,
  readSettings,
  saveAccount,
  savedAccounts,
  type Store,
  writeSession,
  writeSettings,
} from '../../softphone/browser/storage.ts';

class Memory implements Store {
  readonly entries = new Map<string, string>();
  getItem(key: string): string | null {
    return this.entries.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.entries.set(key, value);
  }
  removeItem(key: string): void {
    this.entries.delete(key);
  }
}

const account = (user: string) => ({
  server: 'ws://x/sip',
  user,
  password: `demo-${user}`,
  domain: 'strowger.test',
});
let store: Memory;
beforeEach(() => {
  store = new Memory();
});

describe('accounts', () => {
  test('the password is kept only if the person chose so, and is forgotten when they choose otherwise', () => {
    saveAccount(store, account('1001'), false);
    expect([...store.entries.values()].join()).not.toContain('demo-1001');
    saveAccount(store, account('1001'), true);
    expect(savedAccounts(store)).toEqual([account('1001')]);
    saveAccount(store, account('1001'), false);
    expect([...store.entries.values()].join()).not.toContain('demo-1001');
  });

  test('the latest is first, five are kept', () => {
    for (const user of ['1', '2', '3', '4', '5', '6', '3']) saveAccount(store, account(user), false);
    expect(savedAccounts(store).map(({ user }) => user)).toEqual(['3', '6', '5', '4', '2']);
  });

  test.each(['nonsense', '{"user":1}', '[null, 3, {"user":7}]'])(
    'what is unreadable counts as absent: %s',
    (text) => {
      store.setItem('strowger.accounts', text);
      expect(savedAccounts(store)).toEqual([]);
    },
  );

  test('a tab remembers who is signed in in it', () => {
    expect(readSession(store)).toBeNull();
    writeSession(store, account('1001'));
    expect(readSession(store)).toEqual(account('1001'));
    writeSession(store, null);
    expect(readSession(store)).toBeNull();
  });
});

describe('history', () => {
  const entry = (atMs: number): HistoryEntry => ({
    id: `${atMs}`,
    direction: 'in',
    number: '1002',
    name: '',
    outcome: 'missed',
    atMs,
    durationMs: 0,
  });

  test('is kept per line, the latest first, bounded', () => {
    for (let i = 0; i < 150; i++) addToHistory(store, 'a@x', entry(i));
    expect(readHistory(store, 'a@x').map(({ atMs }) => atMs)).toEqual(
      Array.from({ length: 100 }, (_, i) => 149 - i),
    );
    expect(readHistory(store, 'b@x')).toEqual([]);
    clearHistory(store, 'a@x');
    expect(readHistory(store, 'a@x')).toEqual([]);
  });

  test('of two calls at once the one that began later is first', () => {
    addToHistory(store, 'a@x', entry(2));
    expect(addToHistory(store, 'a@x', entry(1)).map(({ atMs }) => atMs)).toEqual([2, 1]);
  });
});

test('settings that are new have their default', () => {
  store.setItem('strowger.settings', '{"microphoneId":"m"}');
  expect(readSettings(store)).toEqual({ ...DEFAULT_SETTINGS, microphoneId: 'm' });
  writeSettings(store, { ...DEFAULT_SETTINGS, speakerId: 's' });
  expect(readSettings(store).speakerId).toBe('s');
});

test('a store that is full does not stop the phone', () => {
  const full: Store = {
    getItem: () => null,
    removeItem: () => undefined,
    setItem: () => {
      throw new DOMException('full', 'QuotaExceededError');
    },
  };
  expect(() => saveAccount(full, account('1001'), true)).not.toThrow();
});

describe('the instance id', () => {
  const ids = () => {
    let last = 0;
    return () => `id-${++last}`;
  };

  test('stays the same over a reload', async () => {
    const create = ids();
    const first = await claimInstanceId(store, async () => true, create);
    expect(await claimInstanceId(store, async () => true, create)).toBe(first);
  });

  test('a duplicated tab gets one of its own, and keeps it', async () => {
    const taken = new Set<string>();
    const isFree = async (id: string) => !taken.has(id) && Boolean(taken.add(id));
    const create = ids();
    await claimInstanceId(store, isFree, create);
    const copy = new Memory();
    for (const [key, value] of store.entries) copy.setItem(key, value);
    expect(await claimInstanceId(copy, isFree, create)).toBe('id-2');
    taken.delete('id-2');
    expect(await claimInstanceId(copy, isFree, create)).toBe('id-2');
  });
});
