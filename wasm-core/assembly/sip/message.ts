/**
 * The message parser: one pass over the message that stores offsets, then the fields that every message needs.
 * It reads nothing outside of the message, changes nothing in it, and never traps. There is one current message.
 */
import { METHOD_UNKNOWN } from '../abi';
import { addressParam, adEnd, parseAddress } from './address';
import {
  H_CALL_ID,
  H_CONTENT_LENGTH,
  H_COUNT,
  H_CSEQ,
  H_FROM,
  H_MAX_FORWARDS,
  H_TO,
  H_VIA,
  headerId,
} from './header';
import { methodOf } from './method';
import { findParam, pnPtr, pvLen, pvPtr } from './param';
import {
  equalsIgnoreCase,
  findLineEnd,
  isSpace,
  isToken,
  numberValue,
  readNumber,
  skipSpace,
  trimEnd,
} from './scan';
import { parseUri } from './uri';
import {
  parseVia,
  vEnd,
  vHostLen,
  vHostPtr,
  vParamsLen,
  vParamsPtr,
  vPort,
  vTextEnd,
  vTransport,
} from './via';

// --- faults -------------------------------------------------------------------------------------
export const PE_OK: i32 = 0;
export const PE_START_LINE: i32 = 1;
export const PE_VERSION: i32 = 2;
export const PE_HEADER: i32 = 3;
export const PE_TOO_MANY: i32 = 4;
export const PE_MISSING: i32 = 5;
export const PE_TWICE: i32 = 6;
export const PE_VIA: i32 = 7;
export const PE_CSEQ: i32 = 8;
export const PE_ADDRESS: i32 = 9;
export const PE_NUMBER: i32 = 10;
export const PE_LENGTH: i32 = 11;
export const PE_URI: i32 = 12;
export const PE_METHOD: i32 = 13;

/** Header lines of one message. */
const HEADERS_MAX: u32 = 256;

export let msgPtr: usize = 0;
export let msgLen: u32 = 0;
export let isRequest: bool = false;
export let methodId: u32 = 0;
export let methodPtr: usize = 0;
export let methodLen: u32 = 0;
export let uriPtr: usize = 0;
export let uriLen: u32 = 0;
export let statusCode: u32 = 0;
export let headersPtr: usize = 0;
/** The blank line. */
export let headersEnd: usize = 0;
export let bodyPtr: usize = 0;
export let bodyLen: u32 = 0;
export let hdrCount: u32 = 0;
export let cseqNumber: u32 = 0;
export let cseqMethodId: u32 = 0;
export let callIdPtr: usize = 0;
export let callIdLen: u32 = 0;
export let fromTagPtr: usize = 0;
export let fromTagLen: u32 = 0;
export let toTagPtr: usize = 0;
export let toTagLen: u32 = 0;
/** -1: absent. */
export let maxForwards: i32 = -1;
export let contentLength: i32 = -1;
// the topmost Via value
export let viaPtr: usize = 0;
export let viaLen: u32 = 0;
/** What to cut out to remove it. */
export let viaCutPtr: usize = 0;
export let viaCutEnd: usize = 0;
export let viaTransport: u32 = 0;
export let viaHostPtr: usize = 0;
export let viaHostLen: u32 = 0;
export let viaPort: u32 = 0;
export let viaBranchPtr: usize = 0;
export let viaBranchLen: u32 = 0;
export let viaParamsPtr: usize = 0;
export let viaParamsLen: u32 = 0;
/** `rport`, with its value if it has one; 0 when absent. */
export let viaRportPtr: usize = 0;
export let viaRportLen: u32 = 0;
/** Value of `received`; 0 when absent. */
export let viaReceivedPtr: usize = 0;
export let viaReceivedLen: u32 = 0;

const HEADER_BYTES: u32 = 24; // u32 line, end, value, value length, id, next of the same id + 1
const headers: usize = memory.data(6144, 16); // HEADERS_MAX * HEADER_BYTES
const firsts: usize = memory.data(256, 16); // u16 by id: first + 1
const lasts: usize = memory.data(256, 16);

let fault: i32 = 0;
let faultStatus: u32 = 0;

function fail(code: i32, status: u32): void {
  if (fault != 0) return;
  fault = code;
  faultStatus = isRequest ? status : 0;
}

/** SIP status that a malformed message is answered with; 0: drop it silently. */
export function parseStatus(): u32 {
  return faultStatus;
}

export function hdrId(i: u32): u32 {
  return load<u32>(headers + i * HEADER_BYTES, 16);
}

/** Start of the name. */
export function hdrLine(i: u32): usize {
  return load<u32>(headers + i * HEADER_BYTES);
}

/** After the line's CRLF, folded lines included. */
export function hdrLineEnd(i: u32): usize {
  return load<u32>(headers + i * HEADER_BYTES, 4);
}

/** Value, without white space around it. */
export function hdrVal(i: u32): usize {
  return load<u32>(headers + i * HEADER_BYTES, 8);
}

export function hdrValLen(i: u32): u32 {
  return load<u32>(headers + i * HEADER_BYTES, 12);
}

/** First header line of that id, -1 when there is none. */
export function hdrFirst(id: u32): i32 {
  return (load<u16>(firsts + (id << 1)) as i32) - 1;
}

/** Next header line of the same id. */
export function hdrNext(i: u32): i32 {
  return (load<u32>(headers + i * HEADER_BYTES, 20) as i32) - 1;
}

/**
 * Parses `len` bytes at `ptr`; `stream`: they came framed by a stream transport. 0, or PE_*: what was read until then
 * can be used to answer.
 */
export function parseMessage(ptr: usize, len: u32, stream: bool): i32 {
  reset(ptr, len);
  const end = ptr + len;
  let p = ptr;
  while (p < end && isLineBreak(load<u8>(p))) p++; // RFC 3261 7.5
  msgPtr = p;
  const lineEnd = findLineEnd(p, end);
  startLine(p, lineEnd);
  headersPtr = skipLineBreak(lineEnd, end);
  const blank = parseHeaders(headersPtr, end);
  headersEnd = blank;
  fields();
  body(skipLineBreak(blank, end), end, stream);
  msgLen = (bodyPtr + bodyLen - msgPtr) as u32;
  return fault;
}

function reset(ptr: usize, len: u32): void {
  fault = 0;
  faultStatus = 0;
  isRequest = true;
  msgPtr = bodyPtr = ptr;
  msgLen = len;
  bodyLen = hdrCount = methodId = methodLen = uriLen = statusCode = 0;
  cseqNumber = cseqMethodId = callIdLen = fromTagLen = toTagLen = 0;
  maxForwards = contentLength = -1;
  viaPtr = viaRportPtr = viaReceivedPtr = 0;
  viaLen = viaBranchLen = viaHostLen = viaRportLen = viaReceivedLen = 0;
  memory.fill(firsts, 0, H_COUNT << 1);
}

function isLineBreak(c: u32): bool {
  return c == 13 || c == 10;
}

/** After CRLF (or a bare CR or LF). */
function skipLineBreak(at: usize, end: usize): usize {
  if (at + 1 < end && load<u16>(at) == 0x0a0d) return at + 2;
  return at < end ? at + 1 : end;
}

// --- start line -----------------------------------------------------------------------------------

const VERSION: usize = memory.data<u8>([83, 73, 80, 47, 50, 46, 48]); // SIP/2.0

function startLine(at: usize, end: usize): void {
  if (end - at >= 8 && equalsIgnoreCase(at, VERSION, 4) && load<u8>(at + 7) == 32) return statusLine(at, end);
  let p = at;
  while (p < end && isToken(load<u8>(p))) p++;
  methodPtr = at;
  methodLen = (p - at) as u32;
  if (methodLen == 0 || p >= end || load<u8>(p) != 32) return fail(PE_START_LINE, 400);
  methodId = methodOf(methodPtr, methodLen);
  uriPtr = p + 1;
  p = uriPtr;
  while (p < end && load<u8>(p) != 32) p++;
  uriLen = (p - uriPtr) as u32;
  if (uriLen == 0 || p >= end) return fail(PE_START_LINE, 400);
  const version = p + 1;
  if (end - version < 4 || !equalsIgnoreCase(version, VERSION, 4)) return fail(PE_START_LINE, 400);
  for (p = version + 4; p < end; p++) {
    const c = load<u8>(p) as u32;
    if (c - 48 >= 10 && c != 46) return fail(PE_START_LINE, 400);
  }
  if (end - version != 7 || !equalsIgnoreCase(version, VERSION, 7)) return fail(PE_VERSION, 505);
  if (!parseUri(uriPtr, uriLen)) fail(PE_URI, 400);
}

function statusLine(at: usize, end: usize): void {
  isRequest = false;
  const code = at + 8;
  const ok = end - code >= 3 && readNumber(code, code + 3) && (end - code == 3 || load<u8>(code + 3) == 32);
  if (!ok || !equalsIgnoreCase(at, VERSION, 7)) return fail(PE_START_LINE, 0);
  statusCode = numberValue;
  if (statusCode < 100 || statusCode > 699) fail(PE_START_LINE, 0);
}

// --- headers ----------------------------------------------------------------------------------------

/** Stores the header lines; returns the blank line (or the end of an unfinished message). */
function parseHeaders(from: usize, end: usize): usize {
  let p = from;
  while (p < end && !isLineBreak(load<u8>(p))) {
    const line = p;
    while (p < end && isToken(load<u8>(p))) p++;
    const nameLen = (p - line) as u32;
    while (p < end && (load<u8>(p) == 32 || load<u8>(p) == 9)) p++;
    const named = nameLen > 0 && p < end && load<u8>(p) == 58;
    if (!named) fail(PE_HEADER, 400);
    const value = named ? p + 1 : p;
    let stop = findLineEnd(p, end);
    let next = skipLineBreak(stop, end);
    while (next < end && (load<u8>(next) == 32 || load<u8>(next) == 9)) {
      stop = findLineEnd(next, end); // folded (7.3.1)
      next = skipLineBreak(stop, end);
    }
    if (stop >= end) fail(PE_HEADER, 400);
    if (named) addHeader(line, nameLen, next, value, stop);
    p = next;
  }
  if (p >= end) fail(PE_HEADER, 400);
  return p;
}

function addHeader(line: usize, nameLen: u32, next: usize, valueFrom: usize, valueEnd: usize): void {
  if (hdrCount == HEADERS_MAX) return fail(PE_TOO_MANY, 400);
  const id = headerId(line, nameLen);
  const value = skipSpace(valueFrom, valueEnd);
  const h = headers + hdrCount * HEADER_BYTES;
  store<u32>(h, line as u32);
  store<u32>(h, next as u32, 4);
  store<u32>(h, value as u32, 8);
  store<u32>(h, (trimEnd(value, valueEnd) - value) as u32, 12);
  store<u32>(h, id, 16);
  store<u32>(h, 0, 20);
  hdrCount++;
  const first = firsts + (id << 1);
  const last = lasts + (id << 1);
  if (load<u16>(first) == 0) store<u16>(first, hdrCount);
  else store<u32>(headers + ((load<u16>(last) as u32) - 1) * HEADER_BYTES, hdrCount, 20);
  store<u16>(last, hdrCount);
}

// --- fields -----------------------------------------------------------------------------------------

/** The only line of a header that must stand once; -1 when it is missing. */
function single(id: u32): i32 {
  const i = hdrFirst(id);
  if (i >= 0 && hdrNext(i) >= 0) fail(PE_TWICE, 400);
  return i;
}

function required(id: u32): i32 {
  const i = single(id);
  if (i < 0) fail(PE_MISSING, 400);
  return i;
}

const TAG: usize = memory.data<u8>([116, 97, 103]);

function fields(): void {
  const callId = required(H_CALL_ID);
  if (callId >= 0) {
    callIdPtr = hdrVal(callId);
    callIdLen = hdrValLen(callId);
    if (callIdLen == 0) fail(PE_MISSING, 400);
  }
  topVia();
  const from = required(H_FROM);
  if (from >= 0 && addressWithTag(from)) {
    fromTagPtr = pvPtr;
    fromTagLen = pvLen;
  }
  const to = required(H_TO);
  if (to >= 0 && addressWithTag(to)) {
    toTagPtr = pvPtr;
    toTagLen = pvLen;
  }
  cseq();
  hops();
}

/** Checks a From or To; true when it has a tag (pv*). */
function addressWithTag(i: i32): bool {
  const end = hdrVal(i) + hdrValLen(i);
  if (!parseAddress(hdrVal(i), end) || adEnd != end) {
    fail(PE_ADDRESS, 400);
    return false;
  }
  return addressParam(TAG, 3);
}

function cseq(): void {
  const i = required(H_CSEQ);
  if (i < 0) return;
  const end = hdrVal(i) + hdrValLen(i);
  let p = hdrVal(i);
  while (p < end && !isSpace(load<u8>(p))) p++;
  if (!readNumber(hdrVal(i), p)) return fail(PE_CSEQ, 400);
  cseqNumber = numberValue;
  p = skipSpace(p, end);
  const len = (end - p) as u32;
  if (len == 0) return fail(PE_CSEQ, 400);
  cseqMethodId = methodOf(p, len);
  if (!isRequest || fault != 0) return;
  if (len != methodLen || memory.compare(p, methodPtr, len) != 0) {
    fail(PE_CSEQ, methodId == METHOD_UNKNOWN ? 501 : 400);
  }
}

function hops(): void {
  const i = single(H_MAX_FORWARDS);
  if (i < 0) return;
  if (!readNumber(hdrVal(i), hdrVal(i) + hdrValLen(i)) || numberValue > 255) return fail(PE_NUMBER, 400);
  maxForwards = numberValue as i32;
}

const BRANCH: usize = memory.data<u8>([98, 114, 97, 110, 99, 104]);
const RPORT: usize = memory.data<u8>([114, 112, 111, 114, 116]);
const RECEIVED: usize = memory.data<u8>([114, 101, 99, 101, 105, 118, 101, 100]);

function topVia(): void {
  const i = hdrFirst(H_VIA);
  if (i < 0) return fail(PE_MISSING, 400);
  const end = hdrVal(i) + hdrValLen(i);
  if (!parseVia(hdrVal(i), end)) return fail(PE_VIA, 400);
  viaPtr = hdrVal(i);
  viaLen = (vTextEnd - viaPtr) as u32;
  const only = vEnd >= end;
  viaCutPtr = only ? hdrLine(i) : viaPtr;
  viaCutEnd = only ? hdrLineEnd(i) : skipSpace(vEnd + 1, end);
  viaTransport = vTransport;
  viaHostPtr = vHostPtr;
  viaHostLen = vHostLen;
  viaPort = vPort;
  viaParamsPtr = vParamsPtr;
  viaParamsLen = vParamsLen;
  if (findParam(vParamsPtr, vParamsLen, BRANCH, 6)) {
    viaBranchPtr = pvPtr;
    viaBranchLen = pvLen;
  }
  if (findParam(vParamsPtr, vParamsLen, RPORT, 5)) {
    viaRportPtr = pnPtr;
    viaRportLen = (pvPtr + pvLen - pnPtr) as u32;
  }
  if (findParam(vParamsPtr, vParamsLen, RECEIVED, 8)) {
    viaReceivedPtr = pvPtr;
    viaReceivedLen = pvLen;
  }
}

// --- body -------------------------------------------------------------------------------------------

function body(at: usize, end: usize, stream: bool): void {
  bodyPtr = at;
  bodyLen = (end - at) as u32;
  const i = single(H_CONTENT_LENGTH);
  if (i < 0) {
    if (stream) bodyLen = 0;
    return;
  }
  if (!readNumber(hdrVal(i), hdrVal(i) + hdrValLen(i))) return fail(PE_NUMBER, 400);
  if (numberValue > bodyLen) return fail(PE_LENGTH, 400);
  contentLength = numberValue as i32;
  bodyLen = numberValue; // what is behind it in a datagram is no part of the message (18.3)
}
