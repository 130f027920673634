/** URIs (RFC 3261 19.1, RFC 3966) and IP addresses in them. */
import {
  equalsIgnoreCase,
  findByte,
  hostCharsEnd,
  isDigit,
  numberValue,
  readNumber,
  uriCharsEnd,
} from './scan';
import { copy16 } from '../mem/copy';
import { findParam } from './param';

export const URI_OTHER: u32 = 0;
export const URI_SIP: u32 = 1;
export const URI_SIPS: u32 = 2;
export const URI_TEL: u32 = 3;

// parts of the URI last parsed; lengths 0 where absent
export let uScheme: u32 = 0;
export let uUserPtr: usize = 0;
export let uUserLen: u32 = 0;
/** Host, without the brackets of an IPv6 address. */
export let uHostPtr: usize = 0;
export let uHostLen: u32 = 0;
/** 0: absent. */
export let uPort: u32 = 0;
/** From the first semicolon on. */
export let uParamsPtr: usize = 0;
export let uParamsLen: u32 = 0;
/** Behind the question mark; 0 when there is none. */
export let uHeadersPtr: usize = 0;
export let uHeadersLen: u32 = 0;

/** `sip:` as it lies in memory. */
const SIP_COLON: u32 = 0x3a706973;
const SIP: usize = memory.data<u8>([115, 105, 112]);
const SIPS: usize = memory.data<u8>([115, 105, 112, 115]);
const TEL: usize = memory.data<u8>([116, 101, 108]);

function schemeOf(ptr: usize, len: usize): u32 {
  if (len == 3 && equalsIgnoreCase(ptr, SIP, 3)) return URI_SIP;
  if (len == 4 && equalsIgnoreCase(ptr, SIPS, 4)) return URI_SIPS;
  if (len == 3 && equalsIgnoreCase(ptr, TEL, 3)) return URI_TEL;
  return URI_OTHER;
}

/** Takes a URI apart; false when it is malformed. Of unknown schemes only the scheme is read. */
export function parseUri(ptr: usize, len: u32): bool {
  const end = ptr + len;
  uScheme = URI_OTHER;
  uUserPtr = uHostPtr = uParamsPtr = uHeadersPtr = 0;
  uUserLen = uHostLen = uPort = uParamsLen = uHeadersLen = 0;
  const colon = schemeEnd(ptr, end);
  if (colon == 0) return false;
  if (uriCharsEnd(colon, end) != end) return false;
  uScheme = schemeOf(ptr, colon - ptr);
  const rest = colon + 1;
  if (uScheme == URI_OTHER) return rest < end;
  if (uScheme == URI_TEL) return parseTel(rest, end);
  return parseSip(rest, end);
}

/** The colon behind the scheme that begins at `at` (RFC 3986 3.1), or 0 when none does. */
export function schemeEnd(at: usize, end: usize): usize {
  if ((load<u32>(at) | 0x202020) == SIP_COLON && at + 4 <= end) return at + 3;
  let p = at;
  while (p < end && isSchemeChar(load<u8>(p))) p++;
  if (p == at || p >= end || load<u8>(p) != 58 || isDigit(load<u8>(at))) return 0;
  return p;
}

function isSchemeChar(c: u32): bool {
  return isDigit(c) || (c | 32) - 97 < 26 || c == 43 || c == 45 || c == 46;
}

function parseTel(at: usize, end: usize): bool {
  const p = findByte(at, end, 59);
  uUserPtr = at;
  uUserLen = (p - at) as u32;
  uParamsPtr = p;
  uParamsLen = (end - p) as u32;
  return uUserLen > 0;
}

function parseSip(at: usize, end: usize): bool {
  let host = at;
  // '@' can't stand unescaped anywhere but behind the user part; ';' and '?' may stand in it.
  const sign = findByte(at, end, 64);
  if (sign < end) {
    if (!takeUser(at, sign)) return false;
    host = sign + 1;
  }
  let p = takeHost(host, end);
  if (p == 0) return false;
  if (p < end && load<u8>(p) == 58) {
    const digits = p + 1;
    p = digits;
    while (p < end && isDigit(load<u8>(p))) p++;
    if (!readNumber(digits, p) || numberValue > 65535) return false;
    uPort = numberValue;
  }
  return takeTail(p, end);
}

function takeUser(at: usize, end: usize): bool {
  let p = at;
  while (p < end && load<u8>(p) != 58) {
    if (load<u8>(p) == 37 && !isEscape(p, end)) return false;
    p++;
  }
  uUserPtr = at;
  uUserLen = (p - at) as u32;
  return uUserLen > 0;
}

function isEscape(p: usize, end: usize): bool {
  return p + 2 < end && hexDigit(load<u8>(p + 1)) >= 0 && hexDigit(load<u8>(p + 2)) >= 0;
}

/** Reads the host; returns what is behind it, or 0. */
function takeHost(at: usize, end: usize): usize {
  let p = at;
  if (p < end && load<u8>(p) == 91) {
    p++;
    uHostPtr = p;
    while (p < end && isIpv6Char(load<u8>(p))) p++;
    uHostLen = (p - uHostPtr) as u32;
    return p < end && load<u8>(p) == 93 && uHostLen >= 2 ? p + 1 : 0;
  }
  p = hostCharsEnd(p, end);
  uHostPtr = at;
  uHostLen = (p - at) as u32;
  return uHostLen > 0 ? p : 0;
}

/** Characters of an IPv6 address without its brackets. */
export function isIpv6Char(c: u32): bool {
  return hexDigit(c) >= 0 || c == 58 || c == 46;
}

function takeTail(at: usize, end: usize): bool {
  let p = at;
  if (p < end && load<u8>(p) == 59) {
    uParamsPtr = p;
    p = findByte(p, end, 63);
    uParamsLen = (p - uParamsPtr) as u32;
  }
  if (p < end && load<u8>(p) == 63) {
    uHeadersPtr = p + 1;
    uHeadersLen = (end - p - 1) as u32;
    p = end;
  }
  return p == end;
}

/** Finds a parameter of the URI last parsed (pv* in param.ts). */
export function uriParam(namePtr: usize, nameLen: u32): bool {
  return uParamsLen > 0 && findParam(uParamsPtr, uParamsLen, namePtr, nameLen);
}

/** Value of a hexadecimal digit, or -1. */
export function hexDigit(c: u32): i32 {
  if (isDigit(c)) return (c - 48) as i32;
  const l = c | 32;
  return l - 97 < 6 ? ((l - 87) as i32) : -1;
}

/** Copies with %hh undone; returns the length. Malformed escapes are copied as they are. */
export function unescapeInto(dst: usize, src: usize, len: u32): u32 {
  const end = src + len;
  let out = dst;
  for (let p = src; p < end; p++) {
    if (load<u8>(p) == 37 && isEscape(p, end)) {
      store<u8>(out++, (hexDigit(load<u8>(p + 1)) << 4) | hexDigit(load<u8>(p + 2)));
      p += 2;
    } else store<u8>(out++, load<u8>(p));
  }
  return (out - dst) as u32;
}

/** Reads an IPv4 (as IPv4-mapped) or IPv6 address, with or without brackets, into 16 bytes. */
export function parseIp(ptr: usize, len: u32, dst16: usize): bool {
  let at = ptr;
  let end = ptr + len;
  if (len > 2 && load<u8>(at) == 91 && load<u8>(end - 1) == 93) {
    at++;
    end--;
  }
  if (len == 0 || len > 47) return false;
  store<u64>(dst16, 0);
  store<u64>(dst16, 0, 8);
  const first = load<u8>(at);
  if (hexDigit(first) < 0 && first != 58) return false;
  if (findByte(at, end, 58) < end) return parseIpv6(at, end, dst16);
  store<u16>(dst16, 0xffff, 10);
  return parseIpv4(at, end, dst16 + 12);
}

function parseIpv4(at: usize, end: usize, dst: usize): bool {
  let p = at;
  for (let i: usize = 0; i < 4; i++) {
    let n: u32 = 0;
    let digits = 0;
    while (p < end && isDigit(load<u8>(p)) && digits < 3) {
      n = n * 10 + (load<u8>(p) - 48);
      p++;
      digits++;
    }
    if (digits == 0 || n > 255) return false;
    store<u8>(dst + i, n);
    if (i < 3) {
      if (p >= end || load<u8>(p) != 46) return false;
      p++;
    }
  }
  return p == end;
}

const groups: usize = memory.data(16, 8);

function parseIpv6(at: usize, end: usize, dst: usize): bool {
  let n: u32 = 0; // groups so far
  let gap: i32 = -1; // where :: stands
  let p = at;
  if (p + 1 < end && load<u8>(p) == 58) {
    if (load<u8>(p + 1) != 58) return false;
    gap = 0;
    p += 2;
  }
  while (p < end) {
    if (n == 8) return false;
    const start = p;
    let value: u32 = 0;
    while (p < end && hexDigit(load<u8>(p)) >= 0 && p - start < 5) {
      value = (value << 4) | (hexDigit(load<u8>(p)) as u32);
      p++;
    }
    if (p < end && load<u8>(p) == 46) {
      // IPv4 at the end
      if (n > 6 || !parseIpv4(start, end, groups + n * 2)) return false;
      n += 2;
      p = end;
      break;
    }
    if (p == start || p - start > 4) return false;
    store<u16>(groups + n * 2, bswap<u16>(value as u16));
    n++;
    if (p == end) break;
    if (load<u8>(p) != 58) return false;
    p++;
    if (p < end && load<u8>(p) == 58) {
      if (gap >= 0) return false;
      gap = n as i32;
      p++;
      // RFC 5118 4.10: a third colon, which a fault in an old grammar produced, is passed over.
      if (p < end && load<u8>(p) == 58) p++;
    } else if (p == end) return false;
  }
  if (gap < 0) {
    copy16(dst, groups);
    return n == 8;
  }
  if (n > 7) return false;
  const tail = n - (gap as u32);
  memory.copy(dst, groups, (gap as u32) * 2);
  memory.copy(dst + 16 - tail * 2, groups + (gap as u32) * 2, tail * 2);
  return true;
}
