/** One value of a Via header (RFC 3261 20.42). */
import { TRANSPORT_UDP, TRANSPORT_WSS } from '../abi';
import { checkParams } from './param';
import {
  equalsIgnoreCase,
  hostCharsEnd,
  isDigit,
  numberValue,
  readNumber,
  skipSpace,
  tokenEnd,
  trimEnd,
} from './scan';
import { isIpv6Char } from './uri';

/** A transport that is none of TRANSPORT_*. */
export const VIA_TRANSPORT_OTHER: u32 = 255;

// the value last parsed
export let vTransport: u32 = 0;
export let vHostPtr: usize = 0;
export let vHostLen: u32 = 0;
export let vPort: u32 = 0;
export let vParamsPtr: usize = 0;
export let vParamsLen: u32 = 0;
/** End of the value's own text, and the comma behind it or the end. */
export let vTextEnd: usize = 0;
export let vEnd: usize = 0;

const SIP20: usize = memory.data<u8>([83, 73, 80, 50, 46, 48]); // SIP 2.0
const TRANSPORTS: StaticArray<string> = ['UDP', 'TCP', 'TLS', 'WS', 'WSS'];

/** Parses the value at `ptr`, in a list that ends at `end`. */
export function parseVia(ptr: usize, end: usize): bool {
  let p = skipSpace(ptr, end);
  p = word(p, end, SIP20, 3);
  if (p == 0) return false;
  p = word(p, end, SIP20 + 3, 3);
  if (p == 0) return false;
  const transport = p;
  p = tokenEnd(p, end);
  if (p == transport) return false;
  vTransport = transportOf(transport, (p - transport) as u32);
  const host = skipSpace(p, end);
  if (host == p) return false;
  p = takeHost(host, end);
  return p != 0 && takeParams(p, end);
}

/** Passes over `len` given letters and the slash behind them. */
function word(at: usize, end: usize, text: usize, len: u32): usize {
  if (at + len > end || !equalsIgnoreCase(at, text, len)) return 0;
  const p = skipSpace(at + len, end);
  if (p >= end || load<u8>(p) != 47) return 0;
  return skipSpace(p + 1, end);
}

function transportOf(ptr: usize, len: u32): u32 {
  for (let t: u32 = TRANSPORT_UDP; t <= TRANSPORT_WSS; t++) {
    const name = TRANSPORTS[t];
    if ((name.length as u32) != len) continue;
    let i: u32 = 0;
    while (i < len && (load<u8>(ptr + i) & 0xdf) == (name.charCodeAt(i) as u32)) i++;
    if (i == len) return t;
  }
  return VIA_TRANSPORT_OTHER;
}

function takeHost(at: usize, end: usize): usize {
  let p = at;
  if (p < end && load<u8>(p) == 91) {
    p++;
    while (p < end && isIpv6Char(load<u8>(p))) p++;
    if (p >= end || load<u8>(p) != 93 || p - at < 3) return 0;
    p++;
  } else p = hostCharsEnd(p, end);
  vHostPtr = at;
  vHostLen = (p - at) as u32;
  vPort = 0;
  if (vHostLen == 0) return 0;
  p = skipSpace(p, end);
  if (p < end && load<u8>(p) == 58) {
    const digits = skipSpace(p + 1, end);
    p = digits;
    while (p < end && isDigit(load<u8>(p))) p++;
    if (!readNumber(digits, p) || numberValue > 65535) return 0;
    vPort = numberValue;
  }
  return skipSpace(p, end);
}

function takeParams(at: usize, end: usize): bool {
  const p = checkParams(at, end);
  if (p == 0) return false;
  vParamsPtr = at;
  vTextEnd = trimEnd(vHostPtr, p);
  if (vTextEnd < at) vParamsPtr = vTextEnd; // no parameters: white space between the host and the comma
  vParamsLen = (vTextEnd - vParamsPtr) as u32;
  vEnd = p;
  return true;
}
