/** The identity of this tab towards the registrar. */
import { claimInstanceId } from './storage.ts';

/** Holds a lock with the id's name as long as the tab lives. Without the Locks API (no TLS) every id is free. */
function claimLock(id: string): Promise<boolean> {
  if (navigator.locks === undefined) return Promise.resolve(true);
  return new Promise((resolve) => {
    void navigator.locks.request(`strowger.instance.${id}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise(() => undefined);
    });
  });
}

/** A random UUID (RFC 9562 5.4); `crypto.randomUUID` is missing on pages served without TLS. */
export function newUuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** A UUID for this tab, kept over reloads. */
export function tabInstanceId(): Promise<string> {
  return claimInstanceId(sessionStorage, claimLock, newUuid);
}
