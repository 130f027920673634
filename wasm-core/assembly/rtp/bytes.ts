/**
 * Numbers in network byte order, and 16-byte addresses.
 */

export function be16(ptr: usize): u32 {
  return bswap<u16>(load<u16>(ptr)) as u32;
}

export function be32(ptr: usize): u32 {
  return bswap<u32>(load<u32>(ptr));
}

export function putBe16(ptr: usize, value: u32): void {
  store<u16>(ptr, bswap<u16>(value as u16));
}

export function putBe32(ptr: usize, value: u32): void {
  store<u32>(ptr, bswap<u32>(value));
}

export function sameAddress(a: usize, b: usize): bool {
  return load<u64>(a) == load<u64>(b) && load<u64>(a, 8) == load<u64>(b, 8);
}

export function copyAddress(to: usize, from: usize): void {
  store<u64>(to, load<u64>(from));
  store<u64>(to, load<u64>(from, 8), 8);
}
