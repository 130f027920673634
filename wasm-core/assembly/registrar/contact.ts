/**
 * The Contacts of the current REGISTER, one after the other (RFC 3261 10.2.1, 20.10; RFC 5626 4.2), and the text
 * that a binding keeps of one.
 */
import { I_EXPIRES_DEFAULT_S, I_EXPIRES_MAX_S } from '../abi';
import { initU32 } from '../config';
import {
  adEnd,
  adParamsLen,
  adParamsPtr,
  adUriLen,
  adUriPtr,
  addressParam,
  parseAddress,
} from '../sip/address';
import { H_CONTACT, H_EXPIRES, H_PATH, H_SUPPORTED, H_USER_AGENT } from '../sip/header';
import { hdrFirst, hdrNext, hdrVal, hdrValLen } from '../sip/message';
import { pvLen, pvPtr } from '../sip/param';
import { equalsIgnoreCase, isSpace, numberValue, readNumber, skipQuoted, skipSpace } from '../sip/scan';
import { URI_SIP, URI_SIPS, parseUri, uScheme } from '../sip/uri';
import { sameUri } from '../sip/uri-equal';
import { bytes, cursor, text, writeAt } from '../text';

const EXPIRES: usize = memory.data<u8>([101, 120, 112, 105, 114, 101, 115]);
const Q: usize = memory.data<u8>([113]);
const REG_ID: usize = memory.data<u8>([114, 101, 103, 45, 105, 100]);
const INSTANCE: usize = memory.data<u8>([43, 115, 105, 112, 46, 105, 110, 115, 116, 97, 110, 99, 101]);

// --- reading ------------------------------------------------------------------------------------------

// the Contact last read
export let ctUriPtr: usize = 0;
export let ctUriLen: u32 = 0;
/** Seconds, at most I_EXPIRES_MAX_S. */
export let ctExpires: u32 = 0;
/** Preference in thousandths; 1000 where none is given. */
export let ctQ: u32 = 0;
/** Flow of the device (RFC 5626), 0: none. Counts only beside an instance-id. */
export let ctRegId: u32 = 0;
/** `+sip.instance`, quotes included; length 0: none. */
export let ctInstancePtr: usize = 0;
export let ctInstanceLen: u32 = 0;
/** The list ended at something that is no Contact of a SIP URI. */
export let contactsMalformed: bool = false;

let header: i32 = 0;
let at: usize = 0;
let end: usize = 0;
let defaultExpires: u32 = 0;

/** `Contact: *` stands alone. */
export function contactIsStar(): bool {
  const i = hdrFirst(H_CONTACT);
  return i >= 0 && hdrNext(i) < 0 && hdrValLen(i) == 1 && load<u8>(hdrVal(i)) == 42;
}

/** Seconds of the Expires header; the default when it is missing or malformed (20.19). */
export function headerExpires(): u32 {
  const i = hdrFirst(H_EXPIRES);
  return i >= 0 && readNumber(hdrVal(i), hdrVal(i) + hdrValLen(i))
    ? numberValue
    : initU32(I_EXPIRES_DEFAULT_S);
}

/** Goes to the first Contact; there must be one. */
export function contactsBegin(): void {
  header = hdrFirst(H_CONTACT);
  at = hdrVal(header);
  end = at + hdrValLen(header);
  defaultExpires = headerExpires();
  contactsMalformed = false;
}

/** Reads the next Contact into ct*; false at the end of the list or at a malformed one (`contactsMalformed`). */
export function contactNext(): bool {
  while (at >= end) {
    header = hdrNext(header);
    if (header < 0) return false;
    at = hdrVal(header);
    end = at + hdrValLen(header);
  }
  contactsMalformed = !parseAddress(at, end) || !parseUri(adUriPtr, adUriLen) || !isSip();
  if (contactsMalformed) return false;
  at = skipSpace(adEnd + 1, end);
  ctUriPtr = adUriPtr;
  ctUriLen = adUriLen;
  readParams();
  return true;
}

function isSip(): bool {
  return uScheme == URI_SIP || uScheme == URI_SIPS;
}

function readParams(): void {
  const wanted = addressParam(EXPIRES, 7) && readNumber(pvPtr, pvPtr + pvLen) ? numberValue : defaultExpires;
  ctExpires = min<u32>(wanted, initU32(I_EXPIRES_MAX_S));
  ctQ = addressParam(Q, 1) ? thousandths(pvPtr, pvLen) : 1000;
  ctRegId = ctInstanceLen = 0;
  if (!addressParam(INSTANCE, 13) || pvLen == 0) return;
  ctInstancePtr = pvPtr;
  ctInstanceLen = pvLen;
  if (addressParam(REG_ID, 6) && readNumber(pvPtr, pvPtr + pvLen)) ctRegId = numberValue;
}

/** qvalue (RFC 3261 25.1): 0 to 1 with at most three decimals. */
function thousandths(ptr: usize, len: u32): u32 {
  if (len == 0 || load<u8>(ptr) != 48) return 1000;
  let q: u32 = 0;
  let weight: u32 = 100;
  for (let i: u32 = 2; i < len && weight > 0; i++) {
    const c = load<u8>(ptr + i) as u32;
    if (c - 48 >= 10) break;
    q += (c - 48) * weight;
    weight /= 10;
  }
  return q;
}

// --- what is kept ---------------------------------------------------------------------------------------

// A blob: lengths, then Contact URI, its parameters without q and expires, Path, User-Agent.
const K_URI_LEN: u32 = 0; // u16, and so on
const K_PARAMS_LEN: u32 = 2;
const K_INSTANCE_AT: u32 = 4; // in the parameters
const K_INSTANCE_LEN: u32 = 6;
const K_PATH_LEN: u32 = 8;
const K_AGENT_LEN: u32 = 10;
const K_TEXT: u32 = 12;

/** What one binding may keep in all: fits a 4 KiB block of the pool. */
export const BLOB_BYTES_MAX: u32 = 4000;
const AGENT_BYTES_MAX: u32 = 96;

export function blobUri(blob: usize): usize {
  return blob + K_TEXT;
}

export function blobUriLen(blob: usize): u32 {
  return load<u16>(blob + K_URI_LEN);
}

export function blobParams(blob: usize): usize {
  return blobUri(blob) + blobUriLen(blob);
}

export function blobParamsLen(blob: usize): u32 {
  return load<u16>(blob + K_PARAMS_LEN);
}

export function blobInstance(blob: usize): usize {
  return blobParams(blob) + load<u16>(blob + K_INSTANCE_AT);
}

export function blobInstanceLen(blob: usize): u32 {
  return load<u16>(blob + K_INSTANCE_LEN);
}

export function blobPath(blob: usize): usize {
  return blobParams(blob) + blobParamsLen(blob);
}

export function blobPathLen(blob: usize): u32 {
  return load<u16>(blob + K_PATH_LEN);
}

export function blobAgent(blob: usize): usize {
  return blobPath(blob) + blobPathLen(blob);
}

export function blobAgentLen(blob: usize): u32 {
  return load<u16>(blob + K_AGENT_LEN);
}

/** Bytes of a blob; 0 for none. */
export function blobLength(blob: usize): u32 {
  return blob == 0 ? 0 : ((blobAgent(blob) - blob) as u32) + blobAgentLen(blob);
}

/** Room that the current Contact needs; more than BLOB_BYTES_MAX is not to be kept. */
export function blobBytes(): u32 {
  return K_TEXT + ctUriLen + adParamsLen + pathBytes() + agentBytes();
}

/** Writes the current Contact at `blob`, which has room for `blobBytes()`. */
export function blobWrite(blob: usize): void {
  const resume = cursor;
  store<u16>(blob + K_URI_LEN, ctUriLen);
  writeAt(blob + K_TEXT);
  bytes(ctUriPtr, ctUriLen);
  writeParams(blob);
  const path = cursor;
  writePath();
  store<u16>(blob + K_PATH_LEN, cursor - path);
  const agent = agentBytes();
  store<u16>(blob + K_AGENT_LEN, agent);
  if (agent > 0) bytes(hdrVal(hdrFirst(H_USER_AGENT)), agent);
  writeAt(resume);
}

/** The Contact's parameters as they came, but for q and expires. */
function writeParams(blob: usize): void {
  const from = cursor;
  const last = adParamsPtr + adParamsLen;
  store<u16>(blob + K_INSTANCE_LEN, ctInstanceLen);
  store<u16>(blob + K_INSTANCE_AT, 0);
  let p = adParamsPtr;
  while (p < last) {
    const next = paramEnd(p + 1, last);
    if (!isNamed(p, next, Q, 1) && !isNamed(p, next, EXPIRES, 7)) {
      if (ctInstanceLen > 0 && ctInstancePtr > p && ctInstancePtr < next) {
        store<u16>(blob + K_INSTANCE_AT, cursor + (ctInstancePtr - p) - from);
      }
      bytes(p, (next - p) as u32);
    }
    p = next;
  }
  store<u16>(blob + K_PARAMS_LEN, cursor - from);
}

/** The semicolon behind a parameter, or `last`. */
function paramEnd(from: usize, last: usize): usize {
  let p = from;
  while (p < last && load<u8>(p) != 59) {
    if (load<u8>(p) == 34) {
      p = skipQuoted(p, last);
      if (p == 0) return last;
    } else p++;
  }
  return p;
}

/** Whether the parameter that begins with the semicolon at `from` has that name. */
function isNamed(from: usize, last: usize, name: usize, len: u32): bool {
  const start = skipSpace(from + 1, last);
  const after = start + len;
  if (after > last || !equalsIgnoreCase(start, name, len)) return false;
  return after == last || load<u8>(after) == 61 || isSpace(load<u8>(after));
}

function agentBytes(): u32 {
  const i = hdrFirst(H_USER_AGENT);
  return i < 0 ? 0 : min<u32>(hdrValLen(i), AGENT_BYTES_MAX);
}

/** Room for the Path values of the request. */
function pathBytes(): u32 {
  let len: u32 = 0;
  for (let i = hdrFirst(H_PATH); i >= 0; i = hdrNext(i)) len += hdrValLen(i) + 2;
  return len;
}

/** The Path values in order, as one Route value (RFC 3327 5.3). */
function writePath(): void {
  const first = hdrFirst(H_PATH);
  for (let i = first; i >= 0; i = hdrNext(i)) {
    if (i != first) text(', ');
    bytes(hdrVal(i), hdrValLen(i));
  }
}

// --- comparing ------------------------------------------------------------------------------------------

/**
 * Whether the current Contact is the one that was kept: the same device, and the same flow of it where it numbers its
 * flows (RFC 5626 6: their Contacts may well have the same URI); else the same URI (RFC 3261 10.3).
 */
export function contactMatches(blob: usize, regId: u32): bool {
  if (ctInstanceLen > 0 && blobInstanceLen(blob) > 0) {
    const device =
      ctInstanceLen == blobInstanceLen(blob) &&
      memory.compare(ctInstancePtr, blobInstance(blob), ctInstanceLen) == 0;
    if (device && ctRegId == regId) return true;
    if (ctRegId != 0 && regId != 0) return false;
  }
  return sameUri(blobUri(blob), blobUriLen(blob), ctUriPtr, ctUriLen);
}

/** Whether an option tag stands in a Supported header. `tag` is in lower case. */
export function isSupported(tag: usize, len: u32): bool {
  for (let i = hdrFirst(H_SUPPORTED); i >= 0; i = hdrNext(i)) {
    const last = hdrVal(i) + hdrValLen(i);
    let p = hdrVal(i);
    while (p < last) {
      while (p < last && (load<u8>(p) == 44 || isSpace(load<u8>(p)))) p++;
      const from = p;
      while (p < last && load<u8>(p) != 44 && !isSpace(load<u8>(p))) p++;
      if (p - from == len && equalsIgnoreCase(from, tag, len)) return true;
    }
  }
  return false;
}
