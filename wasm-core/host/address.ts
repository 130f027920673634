/**
 * IP addresses between their text form and the 16 bytes they have in frames and records: an IPv6 address,
 * or an IPv4 address mapped into IPv6 (`::ffff:a.b.c.d`, RFC 4291 2.5.5.2). No host names, no zones.
 */

/** Bytes of an address in frames, records and banks. */
export const ADDRESS_BYTES = 16;

/** Writes the 4 bytes of dotted-quad `text` at `offset`; false when it is not an IPv4 address. */
function parseIPv4(text: string, target: Uint8Array, offset: number): boolean {
  const parts = text.split('.');
  if (parts.length !== 4) return false;
  for (let i = 0; i < 4; i++) {
    const part = parts[i] ?? '';
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return false;
    target[offset + i] = Number(part);
  }
  return true;
}

/** The 16-bit groups of one side of `::`, an IPv4 tail counting as two; null when malformed. */
function parseGroups(text: string): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const quad = new Uint8Array(4);
      if (i !== parts.length - 1 || !parseIPv4(part, quad, 0)) return null;
      groups.push((quad[0]! << 8) | quad[1]!, (quad[2]! << 8) | quad[3]!);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return null;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

/**
 * Reads an IPv4 or IPv6 address (RFC 4291 2.2; brackets around an IPv6 address are accepted).
 * @returns 16 bytes, or null when `text` is not an address.
 */
export function parseAddress(text: string): Uint8Array | null {
  const bytes = new Uint8Array(ADDRESS_BYTES);
  if (!text.includes(':')) {
    bytes[10] = 0xff;
    bytes[11] = 0xff;
    return parseIPv4(text, bytes, 12) ? bytes : null;
  }
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  const sides = bare.split('::');
  if (sides.length > 2) return null;
  const head = parseGroups(sides[0] ?? '');
  const tail = sides.length === 2 ? parseGroups(sides[1] ?? '') : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (sides.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  for (const [i, group] of groups.entries()) {
    bytes[i * 2] = group >> 8;
    bytes[i * 2 + 1] = group & 0xff;
  }
  return bytes;
}

/** True for `::ffff:a.b.c.d`. */
export function isMappedIPv4(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

/** Where the longest run of two or more zero groups begins and its length (RFC 5952 4.2). */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: -1, length: 1 };
  for (let i = 0; i < groups.length; i++) {
    let length = 0;
    while (groups[i + length] === 0) length++;
    if (length > best.length) best = { start: i, length };
    i += length;
  }
  return best;
}

/** Text form of 16 address bytes: dotted quad for a mapped IPv4 address, RFC 5952 form for IPv6, without brackets. */
export function formatAddress(bytes: Uint8Array): string {
  if (isMappedIPv4(bytes)) return `${bytes[12]}.${bytes[13]}.${bytes[14]}.${bytes[15]}`;
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[i * 2]! << 8) | bytes[i * 2 + 1]!);
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  const run = longestZeroRun(groups);
  if (run.start < 0) return hex(0, 8);
  return `${hex(0, run.start)}::${hex(run.start + run.length, 8)}`;
}

/** `host:port` as written in URIs: an IPv6 host in brackets. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** True for 127.0.0.0/8 and ::1. */
export function isLoopback(bytes: Uint8Array): boolean {
  if (isMappedIPv4(bytes)) return bytes[12] === 127;
  for (let i = 0; i < 15; i++) if (bytes[i] !== 0) return false;
  return bytes[15] === 1;
}

/** True for 0.0.0.0 and ::, which as a listener mean every address of the machine. */
export function isUnspecified(bytes: Uint8Array): boolean {
  return bytes.subarray(isMappedIPv4(bytes) ? 12 : 0).every((byte) => byte === 0);
}
