/**
 * Writing messages: a cursor that moves forward over memory. Every writer is called with room for the
 * largest message (MESSAGE_BYTES_MAX) and some slack behind it, so writing does not check for room;
 * what can be large is bounded where it comes in.
 */

import { copyShort } from './mem/copy';

/** Where the next byte goes. */
export let cursor: usize = 0;

export function writeAt(ptr: usize): void {
  cursor = ptr;
}

/** An ASCII text of our own. */
export function text(s: string): void {
  const src = changetype<usize>(s);
  const chars = s.length as usize;
  if (ASC_FEATURE_SIMD) {
    for (let i: usize = 0; i < chars; i += 16) {
      const at = src + (i << 1);
      v128.store(cursor + i, i8x16.narrow_i16x8_u(v128.load(at), v128.load(at, 16)));
    }
  } else {
    for (let i: usize = 0; i < chars; i++) store<u8>(cursor + i, load<u16>(src + (i << 1)));
  }
  cursor += chars;
}

export function bytes(src: usize, len: u32): void {
  copyShort(cursor, src, len);
  cursor += len;
}

export function byte(c: u32): void {
  store<u8>(cursor, c);
  cursor++;
}

export function crlf(): void {
  store<u16>(cursor, 0x0a0d);
  cursor += 2;
}

/** A number in decimal. */
export function decimal(n: u32): void {
  let digits: u32 = 1;
  for (let m = n; m >= 10; m /= 10) digits++;
  let at = cursor + digits;
  cursor = at;
  let rest = n;
  do {
    at--;
    store<u8>(at, 48 + (rest % 10));
    rest /= 10;
  } while (rest != 0);
}

/** 16 lower-case hexadecimal digits. */
export function hex64(n: u64): void {
  for (let shift: i32 = 60; shift >= 0; shift -= 4) {
    const d = ((n >> (shift as u64)) & 15) as u32;
    byte(d < 10 ? 48 + d : 87 + d);
  }
}

/** A 16-byte address as text: dotted for IPv4-mapped, else full hexadecimal groups; brackets on request (IPv6 only). */
export function address(addr: usize, brackets: bool): void {
  if (load<u64>(addr) == 0 && load<u32>(addr + 8) == 0xffff0000) {
    for (let i: usize = 12; i < 16; i++) {
      if (i > 12) byte(46);
      decimal(load<u8>(addr + i));
    }
    return;
  }
  if (brackets) byte(91);
  for (let i: usize = 0; i < 16; i += 2) {
    if (i > 0) byte(58);
    hexGroup(((load<u8>(addr + i) as u32) << 8) | load<u8>(addr + i + 1));
  }
  if (brackets) byte(93);
}

function hexGroup(n: u32): void {
  let shown = false;
  for (let shift: i32 = 12; shift >= 0; shift -= 4) {
    const d = (n >> (shift as u32)) & 15;
    if (d == 0 && !shown && shift > 0) continue;
    shown = true;
    byte(d < 10 ? 48 + d : 87 + d);
  }
}
