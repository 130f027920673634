/**
 * The message parser: one pass over the message that stores offsets, then the fields that every message needs.
 * It reads nothing outside of the message, changes nothing in it, and never traps. There is one current message.
 */
import { METHOD_UNKNOWN } from '../abi';
import { addressParam, adEnd, adUriLen, adUriPtr, parseAddress } from './address';
import {
  H_CALL_ID,
  H_CONTACT,
  H_CONTENT_LENGTH,
  H_CSEQ,
  H_FROM,
  H_MAX_FORWARDS,
  H_TO,
  H_VIA,
} from './header';
import {
  clearLines,
  hdrFirst,
  hdrLine,
  hdrLineEnd,
  hdrNext,
  hdrVal,
  hdrValLen,
  isLineBreak,
  linesBad,
  linesTooMany,
  readLines,
  skipLineBreak,
} from './lines';
import { methodOf } from './method';
import { checkedBegin, checkedNext, pnLen, pnPtr, pvLen, pvPtr } from './param';
import {
  equalsIgnoreCase,
  findByte,
  lineEndsBegin,
  nextLineEnd,
  isDigit,
  isSpace,
  numberValue,
  readNumber,
  sameBytes,
  skipSpace,
  tokenEnd,
} from './scan';
import { parseUri, uHeadersPtr, uScheme, uUserLen } from './uri';
import {
  VIA_TRANSPORT_OTHER,
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

export { hdrCount, hdrFirst, hdrId, hdrLine, hdrLineEnd, hdrNext, hdrVal, hdrValLen } from './lines';

// --- faults -------------------------------------------------------------------------------------
export const PE_OK: i32 = 0;
/** The request or status line. */
export const PE_START_LINE: i32 = 1;
/** A SIP version other than 2.0. */
export const PE_VERSION: i32 = 2;
/** A line that is no header line, or no blank line behind them. */
export const PE_HEADER: i32 = 3;
/** More than HEADERS_MAX header lines. */
export const PE_TOO_MANY: i32 = 4;
/** A mandatory header (RFC 3261 8.1.1) is missing or empty. */
export const PE_MISSING: i32 = 5;
/** A header that stands once stands there twice. */
export const PE_TWICE: i32 = 6;
export const PE_VIA: i32 = 7;
/** The number of CSeq, or a method other than the request's. */
export const PE_CSEQ: i32 = 8;
/** From or To. */
export const PE_ADDRESS: i32 = 9;
/** Max-Forwards or Content-Length is no number, or out of range. */
export const PE_NUMBER: i32 = 10;
/** Content-Length is more than there is. */
export const PE_LENGTH: i32 = 11;
/** The Request-URI. */
export const PE_URI: i32 = 12;

// --- the current message ------------------------------------------------------------------------
// Addresses are 0 and lengths 0 for what is absent, unless said otherwise.

/** First byte, after line breaks in front of it. */
export let msgPtr: usize = 0;
/** Bytes to the end of the body. */
export let msgLen: u32 = 0;
/** False for responses, and for what can't be answered at all. */
export let isRequest: bool = false;
/** METHOD_* of abi.ts; METHOD_UNKNOWN for others, and in responses. */
export let methodId: u32 = 0;
export let methodPtr: usize = 0;
export let methodLen: u32 = 0;
/** The Request-URI. */
export let uriPtr: usize = 0;
export let uriLen: u32 = 0;
/** URI_* of its scheme, and whether it has a user part. */
export let uriScheme: u32 = 0;
export let uriHasUser: bool = false;
/** 100 to 699 in responses, 0 in requests. */
export let statusCode: u32 = 0;
/** The first header line. */
export let headersPtr: usize = 0;
/** The blank line. */
export let headersEnd: usize = 0;
/** The body, of Content-Length bytes; without that header the rest of a datagram, and nothing of a stream. */
export let bodyPtr: usize = 0;
export let bodyLen: u32 = 0;
/** 0 to 2^32 - 1. */
export let cseqNumber: u32 = 0;
export let cseqMethodId: u32 = 0;
/** The whole value of Call-ID. */
export let callIdPtr: usize = 0;
export let callIdLen: u32 = 0;
/** The URI in From. */
export let fromUriPtr: usize = 0;
export let fromUriLen: u32 = 0;
/** Value of the tag in From; RFC 2543 allows none. */
export let fromTagPtr: usize = 0;
export let fromTagLen: u32 = 0;
export let toTagPtr: usize = 0;
export let toTagLen: u32 = 0;
/** 0 to 255; -1: absent. */
export let maxForwards: i32 = -1;
/** -1: absent. */
export let contentLength: i32 = -1;
// the topmost Via value
export let viaPtr: usize = 0;
export let viaLen: u32 = 0;
/** What to cut out to remove it. */
export let viaCutPtr: usize = 0;
export let viaCutEnd: usize = 0;
/** TRANSPORT_* of abi.ts, or VIA_TRANSPORT_OTHER. */
export let viaTransport: u32 = 0;
/** sent-by, with the brackets of an IPv6 address. */
export let viaHostPtr: usize = 0;
export let viaHostLen: u32 = 0;
/** 1 to 65535; 0: absent. */
export let viaPort: u32 = 0;
/** Value of `branch`. */
export let viaBranchPtr: usize = 0;
export let viaBranchLen: u32 = 0;
/** All parameters, from the first semicolon on. */
export let viaParamsPtr: usize = 0;
export let viaParamsLen: u32 = 0;
/** `rport`, with its value if it has one; 0 when absent. */
export let viaRportPtr: usize = 0;
export let viaRportLen: u32 = 0;
/** Value of `received`; 0 when absent. */
export let viaReceivedPtr: usize = 0;
export let viaReceivedLen: u32 = 0;

/** The URI in the first Contact, once `hasContact` has been asked; length 0: none, or a malformed one. */
export let contactUriPtr: usize = 0;
export let contactUriLen: u32 = 0;
let contactRead: bool = false;

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
  lineEndsBegin(p, end);
  const lineEnd = nextLineEnd(p);
  startLine(p, lineEnd);
  headersPtr = skipLineBreak(lineEnd, end);
  headersEnd = readLines(headersPtr, end);
  if (linesBad) fail(PE_HEADER, 400);
  if (linesTooMany) fail(PE_TOO_MANY, 400);
  fields();
  body(skipLineBreak(headersEnd, end), end, stream);
  msgLen = (bodyPtr + bodyLen - msgPtr) as u32;
  return fault;
}

function reset(ptr: usize, len: u32): void {
  fault = 0;
  faultStatus = 0;
  isRequest = true;
  msgPtr = bodyPtr = ptr;
  msgLen = len;
  methodPtr = uriPtr = callIdPtr = fromUriPtr = fromTagPtr = toTagPtr = 0;
  bodyLen = methodId = methodLen = uriLen = statusCode = 0;
  cseqNumber = cseqMethodId = callIdLen = fromUriLen = fromTagLen = toTagLen = 0;
  maxForwards = contentLength = -1;
  viaPtr =
    viaCutPtr =
    viaCutEnd =
    viaHostPtr =
    viaBranchPtr =
    viaParamsPtr =
    viaRportPtr =
    viaReceivedPtr =
      0;
  viaLen = viaHostLen = viaPort = viaBranchLen = viaParamsLen = viaRportLen = viaReceivedLen = 0;
  viaTransport = VIA_TRANSPORT_OTHER;
  contactRead = false;
  clearLines();
}

// --- start line -----------------------------------------------------------------------------------

const VERSION: usize = memory.data<u8>([83, 73, 80, 47, 50, 46, 48]); // SIP/2.0

function startLine(at: usize, end: usize): void {
  if (end - at >= 4 && equalsIgnoreCase(at, VERSION, 4)) return statusLine(at, end);
  let p = tokenEnd(at, end);
  methodPtr = at;
  methodLen = (p - at) as u32;
  if (methodLen == 0) {
    isRequest = false; // nothing that could be answered
    return fail(PE_START_LINE, 0);
  }
  if (p >= end || load<u8>(p) != 32) return fail(PE_START_LINE, 400);
  methodId = methodOf(methodPtr, methodLen);
  uriPtr = p + 1;
  p = findByte(uriPtr, end, 32);
  uriLen = (p - uriPtr) as u32;
  if (uriLen == 0 || p >= end) return fail(PE_START_LINE, 400);
  version(p + 1, end);
  // A Request-URI has no header part (19.1.1): forwarded, it could become headers of somebody else's request.
  if (!parseUri(uriPtr, uriLen) || uHeadersPtr != 0) fail(PE_URI, 400);
  uriScheme = uScheme;
  uriHasUser = uUserLen > 0;
}

/** Exactly SIP/2.0; another version is 505 (21.5.6), and what is no version 400. */
function version(at: usize, end: usize): void {
  if (end - at == 7 && equalsIgnoreCase(at, VERSION, 7)) return;
  if (end - at < 4 || !equalsIgnoreCase(at, VERSION, 4)) return fail(PE_START_LINE, 400);
  for (let p = at + 4; p < end; p++) {
    if (!isDigit(load<u8>(p)) && load<u8>(p) != 46) return fail(PE_START_LINE, 400);
  }
  fail(PE_VERSION, 505);
}

function statusLine(at: usize, end: usize): void {
  isRequest = false;
  if (end - at < 11 || !equalsIgnoreCase(at, VERSION, 7) || load<u8>(at + 7) != 32)
    return fail(PE_START_LINE, 0);
  const code = at + 8;
  if (!readNumber(code, code + 3)) return fail(PE_START_LINE, 0);
  if (end - code > 3 && load<u8>(code + 3) != 32) return fail(PE_START_LINE, 0);
  statusCode = numberValue;
  if (statusCode < 100 || statusCode > 699) fail(PE_START_LINE, 0);
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
  if (from >= 0) {
    if (addressWithTag(from)) {
      fromTagPtr = pvPtr;
      fromTagLen = pvLen;
    }
    fromUriPtr = adUriPtr;
    fromUriLen = adUriLen;
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
  if (isRequest && len == methodLen && sameBytes(p, methodPtr, len)) {
    cseqMethodId = methodId;
    return;
  }
  cseqMethodId = methodOf(p, len);
  // A request names its own method (8.1.1.5).
  if (isRequest) fail(PE_CSEQ, methodId == METHOD_UNKNOWN ? 501 : 400);
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
  viaParams();
}

/** The parameters of the topmost Via that routing needs; of a repeated one the first counts. */
function viaParams(): void {
  checkedBegin();
  while (checkedNext()) {
    if (pnLen == 6 && viaBranchPtr == 0 && equalsIgnoreCase(pnPtr, BRANCH, 6)) {
      viaBranchPtr = pvPtr;
      viaBranchLen = pvLen;
    } else if (pnLen == 5 && viaRportPtr == 0 && equalsIgnoreCase(pnPtr, RPORT, 5)) {
      viaRportPtr = pnPtr;
      viaRportLen = (pvPtr + pvLen - pnPtr) as u32;
    } else if (pnLen == 8 && pvLen > 0 && viaReceivedPtr == 0 && equalsIgnoreCase(pnPtr, RECEIVED, 8)) {
      viaReceivedPtr = pvPtr;
      viaReceivedLen = pvLen;
    }
  }
}

/** Whether there is a well-formed Contact; the first is in contactUri*. */
export function hasContact(): bool {
  if (!contactRead) {
    contactRead = true;
    contactUriPtr = 0;
    contactUriLen = 0;
    const i = hdrFirst(H_CONTACT);
    if (i >= 0 && parseAddress(hdrVal(i), hdrVal(i) + hdrValLen(i))) {
      contactUriPtr = adUriPtr;
      contactUriLen = adUriLen;
    }
  }
  return contactUriLen > 0;
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
