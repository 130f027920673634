/** Whether two SIP URIs are the same (RFC 3261 19.1.4). */
import { findParam, pvLen, pvPtr } from './param';
import { equalsIgnoreCase } from './scan';
import {
  hexDigit,
  parseUri,
  uHeadersLen,
  uHostLen,
  uHostPtr,
  uParamsLen,
  uParamsPtr,
  uPort,
  uScheme,
  uUserLen,
  uUserPtr,
} from './uri';

const MUST_MATCH: StaticArray<string> = ['user', 'ttl', 'method', 'maddr', 'transport'];
const nameBytes: usize = memory.data(16, 8);

let nextChar: usize = 0;

/** The character at `at`, an escape being one (255 + value: an escaped reserved character is not the plain one). */
function charAt(at: usize, end: usize): u32 {
  const c = load<u8>(at) as u32;
  nextChar = at + 1;
  if (c != 37 || at + 2 >= end) return c;
  const high = hexDigit(load<u8>(at + 1));
  const low = hexDigit(load<u8>(at + 2));
  if (high < 0 || low < 0) return c;
  nextChar = at + 3;
  return ((high << 4) | low) as u32;
}

function sameEscaped(a: usize, aLen: u32, b: usize, bLen: u32): bool {
  const aEnd = a + aLen;
  const bEnd = b + bLen;
  let p = a;
  let q = b;
  while (p < aEnd && q < bEnd) {
    const c = charAt(p, aEnd);
    p = nextChar;
    if (c != charAt(q, bEnd)) return false;
    q = nextChar;
  }
  return p == aEnd && q == bEnd;
}

/** Parameters in both have the same value; those of MUST_MATCH are in both or in neither. */
function sameParams(a: usize, aLen: u32, b: usize, bLen: u32): bool {
  for (let i = 0; i < MUST_MATCH.length; i++) {
    const name = MUST_MATCH[i];
    for (let j = 0; j < name.length; j++) store<u8>(nameBytes + j, name.charCodeAt(j));
    const inA = aLen > 0 && findParam(a, aLen, nameBytes, name.length);
    const inB = bLen > 0 && findParam(b, bLen, nameBytes, name.length);
    if (inA != inB) return false;
  }
  const end = a + aLen;
  let p = a;
  while (p < end) {
    const name = p + 1;
    p = name;
    while (p < end && load<u8>(p) != 59 && load<u8>(p) != 61) p++;
    const nameLen = (p - name) as u32;
    let value = p;
    if (p < end && load<u8>(p) == 61) {
      value++;
      while (p < end && load<u8>(p) != 59) p++;
    }
    const len = (p - value) as u32;
    if (nameLen == 0 || bLen == 0 || !findParam(b, bLen, name, nameLen)) continue;
    if (pvLen != len || !equalsIgnoreCase(pvPtr, value, len)) return false;
  }
  return true;
}

export function sameUri(a: usize, aLen: u32, b: usize, bLen: u32): bool {
  if (aLen == bLen && memory.compare(a, b, aLen) == 0) return true;
  if (!parseUri(a, aLen)) return false;
  const scheme = uScheme;
  const user = uUserPtr;
  const userLen = uUserLen;
  const host = uHostPtr;
  const hostLen = uHostLen;
  const port = uPort;
  const params = uParamsPtr;
  const paramsLen = uParamsLen;
  const headersLen = uHeadersLen;
  if (!parseUri(b, bLen) || scheme != uScheme || port != uPort) return false;
  if (hostLen != uHostLen || !equalsIgnoreCase(host, uHostPtr, hostLen)) return false;
  // Header parts are never left out of the comparison: what is not the same to the letter is different.
  if (headersLen != 0 || uHeadersLen != 0) return false;
  return (
    sameEscaped(user, userLen, uUserPtr, uUserLen) && sameParams(params, paramsLen, uParamsPtr, uParamsLen)
  );
}
