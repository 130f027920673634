/** The parameters of a Digest credential (RFC 7616 3.4): where each lies in the header. */
import { DIGEST_MD5, DIGEST_SHA256 } from '../routing/layout';
import { equalsIgnoreCase, isSpace, skipQuoted, skipSpace, trimEnd } from '../sip/scan';

export const DG_USERNAME: u32 = 0;
export const DG_REALM: u32 = 1;
export const DG_NONCE: u32 = 2;
export const DG_URI: u32 = 3;
export const DG_RESPONSE: u32 = 4;
export const DG_ALGORITHM: u32 = 5;
export const DG_QOP: u32 = 6;
export const DG_NC: u32 = 7;
export const DG_CNONCE: u32 = 8;
const DG_COUNT: u32 = 9;
const NAMES: StaticArray<string> = [
  'username',
  'realm',
  'nonce',
  'uri',
  'response',
  'algorithm',
  'qop',
  'nc',
  'cnonce',
];

const spans: usize = memory.data(72, 8); // u32 address, u32 length by DG_*
const DIGEST: usize = memory.data<u8>([100, 105, 103, 101, 115, 116]);
const MD5: usize = memory.data<u8>([77, 68, 53]);
const SHA256: usize = memory.data<u8>([83, 72, 65, 45, 50, 53, 54]);

export function dgPtr(i: u32): usize {
  return load<u32>(spans + (i << 3));
}

/** 0: absent. */
export function dgLen(i: u32): u32 {
  return load<u32>(spans + (i << 3), 4);
}

/** DIGEST_* of routing/layout.ts, MD5 where none is named; 0: another. */
export function dgAlgorithm(): u32 {
  const len = dgLen(DG_ALGORITHM);
  if (len == 0) return DIGEST_MD5;
  if (len == 3 && equalsIgnoreCase(dgPtr(DG_ALGORITHM), MD5, 3)) return DIGEST_MD5;
  return len == 7 && equalsIgnoreCase(dgPtr(DG_ALGORITHM), SHA256, 7) ? DIGEST_SHA256 : 0;
}

/** Reads a header value; false when it is not a Digest credential. A parameter that is there twice counts once. */
export function parseDigest(ptr: usize, len: u32): bool {
  memory.fill(spans, 0, DG_COUNT << 3);
  const end = ptr + len;
  if (len < 7 || !equalsIgnoreCase(ptr, DIGEST, 6) || !isSpace(load<u8>(ptr + 6))) return false;
  let p = ptr + 6;
  while (p < end) {
    p = skipSpace(p, end);
    const name = p;
    while (p < end && load<u8>(p) != 61 && load<u8>(p) != 44) p++;
    const nameEnd = trimEnd(name, p);
    if (p >= end || load<u8>(p) != 61) return nameEnd == name;
    p = skipSpace(p + 1, end);
    let value = p;
    let valueEnd = p;
    if (p < end && load<u8>(p) == 34) {
      p = skipQuoted(p, end);
      if (p == 0) return false;
      value++;
      valueEnd = p - 1;
    } else {
      while (p < end && load<u8>(p) != 44) p++;
      valueEnd = trimEnd(value, p);
    }
    take(name, (nameEnd - name) as u32, value, (valueEnd - value) as u32);
    while (p < end && load<u8>(p) != 44) p++;
    p++;
  }
  return true;
}

function take(name: usize, nameLen: u32, value: usize, len: u32): void {
  for (let i: u32 = 0; i < DG_COUNT; i++) {
    if ((NAMES[i].length as u32) != nameLen || dgLen(i) != 0 || !isName(NAMES[i], name)) continue;
    store<u32>(spans + (i << 3), value as u32);
    store<u32>(spans + (i << 3), len, 4);
    return;
  }
}

function isName(name: string, ptr: usize): bool {
  for (let i = 0; i < name.length; i++) {
    if ((load<u8>(ptr + i) | 32) != (name.charCodeAt(i) as u32)) return false;
  }
  return true;
}
