/**
 * struct sockaddr_in and sockaddr_in6 of Linux, written from the 16-byte addresses of frames.
 */

export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCKADDR_IN_BYTES = 16;
export const SOCKADDR_IN6_BYTES = 28;
/** Room for either. */
export const SOCKADDR_BYTES_MAX = SOCKADDR_IN6_BYTES;

function isMapped(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 10; i++) if (bytes[at + i] !== 0) return false;
  return bytes[at + 10] === 0xff && bytes[at + 11] === 0xff;
}

/**
 * Writes the sockaddr of the address at `from[address]` (16 bytes, IPv4 mapped) and `port` to `to[at]`.
 * @returns its length.
 */
export function writeSocketAddress(
  to: Uint8Array,
  at: number,
  from: Uint8Array,
  address: number,
  port: number,
): number {
  const v4 = isMapped(from, address);
  to[at] = v4 ? AF_INET : AF_INET6;
  to[at + 1] = 0;
  to[at + 2] = port >> 8;
  to[at + 3] = port & 255;
  if (v4) {
    for (let i = 0; i < 4; i++) to[at + 4 + i] = from[address + 12 + i]!;
    return SOCKADDR_IN_BYTES;
  }
  for (let i = 0; i < 4; i++) to[at + 4 + i] = 0; // flow information
  for (let i = 0; i < 16; i++) to[at + 8 + i] = from[address + i]!;
  for (let i = 0; i < 4; i++) to[at + 24 + i] = 0; // scope
  return SOCKADDR_IN6_BYTES;
}
