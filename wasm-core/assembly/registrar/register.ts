/**
 * REGISTER (RFC 3261 10.3), for the current message, whose sender has proved who he is. First everything is checked,
 * then everything is done: a request is taken whole or not at all.
 */
import {
  C_REGISTER_FINAL,
  I_CONTACTS_PER_AOR_MAX,
  I_EXPIRES_DEFAULT_S,
  I_EXPIRES_MAX_S,
  I_EXPIRES_MIN_S,
  LOG_REGISTERED,
  LOG_UNREGISTERED,
  F_TRANSPORT,
  TRANSPORT_UDP,
} from '../abi';
import { authUserPtr } from '../auth/digest';
import { initU32 } from '../config';
import { count, logEvent, nowMs, rxFrame } from '../effects';
import { callHash } from '../identity';
import { blockAlloc, blockCapacity, blockFree } from '../mem/pool';
import { SOURCE_USER, requestSource } from '../proxy/request';
import { contactTarget } from '../proxy/source';
import { isLocalDomain, userFind, userName, userNameLen } from '../routing/bank';
import {
  adEnd,
  adParamsLen,
  adParamsPtr,
  adUriLen,
  adUriPtr,
  addressParam,
  parseAddress,
} from '../sip/address';
import { H_CONTACT, H_EXPIRES, H_PATH, H_SUPPORTED, H_TO, H_USER_AGENT } from '../sip/header';
import { cseqNumber, hdrFirst, hdrNext, hdrVal, hdrValLen } from '../sip/message';
import { pvLen, pvPtr } from '../sip/param';
import { equalsIgnoreCase, numberValue, readNumber, skipSpace } from '../sip/scan';
import {
  URI_SIP,
  URI_SIPS,
  parseUri,
  uHostLen,
  uHostPtr,
  uScheme,
  uUserLen,
  uUserPtr,
  unescapeInto,
} from '../sip/uri';
import { sameUri } from '../sip/uri-equal';
import { byte, bytes, crlf, cursor, decimal, text, writeAt } from '../text';
import { refuse, refuseBusy, respond } from '../transaction/respond';
import {
  AOR_BYTES_MAX,
  B_AGENT_LEN,
  B_BLOB,
  B_CALL,
  B_CSEQ,
  B_EXPIRES,
  B_INSTANCE_LEN,
  B_PARAMS_LEN,
  B_PATH_LEN,
  B_Q,
  B_REG_ID,
  B_TARGET,
  B_URI_LEN,
  aorFind,
  aorRelease,
  aorTake,
  bindingAdd,
  bindingAfter,
  bindingHead,
  bindingInstanceLen,
  bindingInstancePtr,
  bindingParamsLen,
  bindingParamsPtr,
  bindingRemove,
  bindingRenew,
  bindingUriLen,
  bindingUriPtr,
} from './bindings';

const EXPIRES: usize = memory.data<u8>([101, 120, 112, 105, 114, 101, 115]);
const Q: usize = memory.data<u8>([113]);
const REG_ID: usize = memory.data<u8>([114, 101, 103, 45, 105, 100]);
const INSTANCE: usize = memory.data<u8>([43, 115, 105, 112, 46, 105, 110, 115, 116, 97, 110, 99, 101]);
const OUTBOUND: usize = memory.data<u8>([111, 117, 116, 98, 111, 117, 110, 100]);

/** What one binding may keep in all; a Contact beyond that is refused. */
const BLOB_BYTES_MAX: u32 = 4000;
const AGENT_BYTES_MAX: u32 = 96;
/** Room for the answer's Contacts. */
const ANSWER_BYTES: u32 = 49152;

const userText: usize = memory.data(256, 16);
const answer: usize = memory.data(57344, 16);
const paramsText: usize = memory.data(4352, 16);

let userLen: u32 = 0;

export function handleRegister(): void {
  const status = checkAor();
  if (status != 200) return finish(status);
  if (hdrFirst(H_CONTACT) < 0) return succeed(aorFind(userText, userLen));
  if (isStar()) return removeAll();
  const fault = checkContacts();
  if (fault == 503) {
    count(C_REGISTER_FINAL + 5);
    return refuseBusy();
  }
  if (fault != 200) return finish(fault);
  const aor = aorTake(userText, userLen);
  if (aor == 0 || !updateAll(aor)) {
    if (aor != 0) aorRelease(aor);
    count(C_REGISTER_FINAL + 5);
    return refuseBusy();
  }
  succeed(aor);
}

function finish(status: u32): void {
  count(C_REGISTER_FINAL + status / 100);
  if (status != 423) return refuse(status);
  writeAt(answer);
  text('Min-Expires: ');
  decimal(initU32(I_EXPIRES_MIN_S));
  crlf();
  respond(423, answer, (cursor - answer) as u32);
}

/** Whose bindings: the To URI (10.3 steps 3 to 5). Leaves the user part in `userText`. */
function checkAor(): u32 {
  const i = hdrFirst(H_TO);
  if (!parseAddress(hdrVal(i), hdrVal(i) + hdrValLen(i)) || !parseUri(adUriPtr, adUriLen)) return 400;
  if (uScheme != URI_SIP && uScheme != URI_SIPS) return 400;
  if (!isLocalDomain(uHostPtr, uHostLen) || uUserLen == 0 || uUserLen > AOR_BYTES_MAX) return 404;
  userLen = unescapeInto(userText, uUserPtr, uUserLen);
  const user = userFind(userText, userLen);
  if (user == 0) return 404;
  if (requestSource != SOURCE_USER) return 200;
  const same =
    userLen == userNameLen(authUserPtr) && memory.compare(userText, userName(authUserPtr), userLen) == 0;
  return same ? 200 : 403;
}

function isStar(): bool {
  const i = hdrFirst(H_CONTACT);
  return hdrValLen(i) == 1 && load<u8>(hdrVal(i)) == 42;
}

/** Seconds of the Expires header; the default when it is missing or malformed (20.19). */
function headerExpires(): u32 {
  const i = hdrFirst(H_EXPIRES);
  if (i >= 0 && readNumber(hdrVal(i), hdrVal(i) + hdrValLen(i))) return numberValue;
  return initU32(I_EXPIRES_DEFAULT_S);
}

/** `Contact: *` (10.2.2): alone, and with Expires: 0. */
function removeAll(): void {
  if (hdrNext(hdrFirst(H_CONTACT)) >= 0 || hdrFirst(H_EXPIRES) < 0 || headerExpires() != 0)
    return finish(400);
  const aor = aorFind(userText, userLen);
  if (aor == 0) return succeed(0);
  for (let b = bindingHead(aor); b != 0; b = bindingAfter(b)) if (isOutdated(b)) return finish(500);
  while (bindingHead(aor) != 0) bindingRemove(bindingHead(aor));
  aorRelease(aor);
  logEvent(LOG_UNREGISTERED, 200, userText, userLen);
  succeed(0);
}

/** The binding was written by a later request of the same Call-ID (10.3 step 7). */
function isOutdated(b: usize): bool {
  return load<u64>(b + B_CALL) == callHash && cseqNumber < load<u32>(b + B_CSEQ);
}

// --- one Contact ------------------------------------------------------------------------------------------

let ctExpires: u32 = 0;
let ctQ: u32 = 0;
let ctRegId: u32 = 0;
let ctInstancePtr: usize = 0;
let ctInstanceLen: u32 = 0;
let listAt: usize = 0;
let listEnd: usize = 0;
let listHeader: i32 = 0;

function contactsBegin(): void {
  listHeader = hdrFirst(H_CONTACT);
  listAt = hdrVal(listHeader);
  listEnd = listAt + hdrValLen(listHeader);
}

let malformed: bool = false;

/** Reads the next Contact into ad* and ct*; false at the end, or when it is malformed (`malformed`). */
function contactNext(): bool {
  malformed = false;
  while (listAt >= listEnd) {
    listHeader = hdrNext(listHeader);
    if (listHeader < 0) return false;
    listAt = hdrVal(listHeader);
    listEnd = listAt + hdrValLen(listHeader);
  }
  malformed = !parseAddress(listAt, listEnd) || !parseUri(adUriPtr, adUriLen);
  if (malformed) return false;
  listAt = skipSpace(adEnd + 1, listEnd);
  ctExpires = addressParam(EXPIRES, 7) && readNumber(pvPtr, pvPtr + pvLen) ? numberValue : headerExpires();
  if (ctExpires > initU32(I_EXPIRES_MAX_S)) ctExpires = initU32(I_EXPIRES_MAX_S);
  ctQ = addressParam(Q, 1) ? thousandths(pvPtr, pvLen) : 1000;
  ctRegId = addressParam(REG_ID, 6) && readNumber(pvPtr, pvPtr + pvLen) ? numberValue : 0;
  ctInstanceLen = 0;
  if (addressParam(INSTANCE, 13)) {
    ctInstancePtr = pvPtr;
    ctInstanceLen = pvLen;
  }
  return true;
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

/** The binding that the current Contact renews: same device and registration (RFC 5626 6), or same URI. */
function match(aor: usize): usize {
  if (aor == 0) return 0;
  const uri = adUriPtr;
  const len = adUriLen;
  for (let b = bindingHead(aor); b != 0; b = bindingAfter(b)) {
    if (ctInstanceLen > 0 && sameDevice(b)) return b;
    if (sameUri(bindingUriPtr(b), bindingUriLen(b), uri, len)) return b;
  }
  return 0;
}

function sameDevice(b: usize): bool {
  return (
    load<u16>(b + B_REG_ID) == ctRegId &&
    bindingInstanceLen(b) == ctInstanceLen &&
    memory.compare(bindingInstancePtr(b), ctInstancePtr, ctInstanceLen) == 0
  );
}

/** Everything that can be wrong, before anything is changed. */
function checkContacts(): u32 {
  const aor = aorFind(userText, userLen);
  let total: u32 = 0;
  if (aor != 0) for (let b = bindingHead(aor); b != 0; b = bindingAfter(b)) total++;
  contactsBegin();
  while (contactNext()) {
    if (uScheme != URI_SIP && uScheme != URI_SIPS) return 400;
    if (adUriLen + adParamsLen + ctInstanceLen + pathLength() + AGENT_BYTES_MAX > BLOB_BYTES_MAX) return 400;
    if (ctExpires > 0 && ctExpires < initU32(I_EXPIRES_MIN_S)) return 423;
    const known = match(aor);
    if (known != 0 && isOutdated(known)) return 500;
    if (known == 0 && ctExpires > 0) total++;
  }
  if (malformed) return 400;
  return total > initU32(I_CONTACTS_PER_AOR_MAX) ? 403 : 200;
}

function updateAll(aor: usize): bool {
  contactsBegin();
  while (contactNext()) {
    const known = match(aor);
    if (ctExpires == 0) {
      if (known != 0) {
        bindingRemove(known);
        logEvent(LOG_UNREGISTERED, 200, userText, userLen);
      }
      continue;
    }
    const b = known != 0 ? known : bindingAdd(aor);
    if (b == 0) return false;
    if (!write(b)) {
      if (known == 0) bindingRemove(b);
      return false;
    }
    if (known == 0) logEvent(LOG_REGISTERED, 200, userText, userLen);
  }
  return true;
}

/** Writes the current Contact into its binding. */
function write(b: usize): bool {
  const uri = adUriPtr;
  const uriLen = adUriLen;
  const paramsLen = keptParams();
  const agent = hdrFirst(H_USER_AGENT);
  const agentLen = agent < 0 ? 0 : min<u32>(hdrValLen(agent), AGENT_BYTES_MAX);
  const room = uriLen + paramsLen + ctInstanceLen + pathLength() + agentLen;
  let blob: usize = load<u32>(b + B_BLOB);
  if (blob == 0 || blockCapacity(blob) < room) {
    const larger = blockAlloc(room);
    if (larger == 0) return false;
    blockFree(blob);
    blob = larger;
    store<u32>(b + B_BLOB, blob as u32);
  }
  const resume = cursor;
  writeAt(blob);
  bytes(uri, uriLen);
  bytes(paramsText, paramsLen);
  bytes(ctInstancePtr, ctInstanceLen);
  const path = cursor;
  writePath();
  store<u16>(b + B_PATH_LEN, (cursor - path) as u16);
  if (agentLen > 0) bytes(hdrVal(agent), agentLen);
  writeAt(resume);
  store<u16>(b + B_URI_LEN, uriLen);
  store<u16>(b + B_PARAMS_LEN, paramsLen);
  store<u16>(b + B_INSTANCE_LEN, ctInstanceLen);
  store<u16>(b + B_AGENT_LEN, agentLen);
  store<u16>(b + B_Q, ctQ);
  store<u16>(b + B_REG_ID, ctRegId);
  store<u64>(b + B_CALL, callHash);
  store<u32>(b + B_CSEQ, cseqNumber);
  contactTarget(b + B_TARGET, uri, uriLen, false);
  bindingRenew(b, nowMs + (ctExpires as u64) * 1000);
  return true;
}

/** Copies the Contact's parameters but q and expires into `paramsText`; returns the length. */
function keptParams(): u32 {
  const end = adParamsPtr + adParamsLen;
  let out = paramsText;
  let p = adParamsPtr;
  while (p < end) {
    const from = p;
    p++;
    while (p < end && load<u8>(p) != 59) {
      if (load<u8>(p) == 34) {
        p++;
        while (p < end && load<u8>(p) != 34) p += load<u8>(p) == 92 ? 2 : 1;
      }
      p++;
    }
    if (p > end) p = end;
    if (isNamed(from, p, Q, 1) || isNamed(from, p, EXPIRES, 7)) continue;
    memory.copy(out, from, p - from);
    out += p - from;
  }
  return (out - paramsText) as u32;
}

function isNamed(semicolon: usize, end: usize, name: usize, len: u32): bool {
  const at = skipSpace(semicolon + 1, end);
  if (at + len > end || !equalsIgnoreCase(at, name, len)) return false;
  const after = at + len;
  return after == end || load<u8>(after) == 61 || load<u8>(after) == 32;
}

function pathLength(): u32 {
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

// --- answer ---------------------------------------------------------------------------------------------------

/** 200 with all bindings that hold (10.3 step 8). */
function succeed(aor: usize): void {
  writeAt(answer);
  let outbound = false;
  if (aor != 0) {
    for (let b = bindingHead(aor); b != 0; b = bindingAfter(b)) {
      if (load<u64>(b + B_EXPIRES) <= nowMs || cursor - answer > ANSWER_BYTES - BLOB_BYTES_MAX - 64) continue;
      writeContact(b);
      if (load<u16>(b + B_REG_ID) != 0) outbound = true;
    }
    aorRelease(aor);
  }
  for (let i = hdrFirst(H_PATH); i >= 0; i = hdrNext(i)) {
    text('Path: ');
    bytes(hdrVal(i), hdrValLen(i));
    crlf();
  }
  text('Supported: path, outbound\r\n');
  const stream = load<u8>(rxFrame + F_TRANSPORT) != TRANSPORT_UDP;
  if (outbound && stream && supportsOutbound()) text('Require: outbound\r\n'); // RFC 5626 6
  count(C_REGISTER_FINAL + 2);
  respond(200, answer, (cursor - answer) as u32);
}

function writeContact(b: usize): void {
  text('Contact: <');
  bytes(bindingUriPtr(b), bindingUriLen(b));
  byte(62);
  bytes(bindingParamsPtr(b), bindingParamsLen(b));
  const q = load<u16>(b + B_Q) as u32;
  if (q < 1000) {
    text(';q=0.');
    if (q < 100) byte(48);
    if (q < 10) byte(48);
    decimal(q);
  }
  text(';expires=');
  decimal(((load<u64>(b + B_EXPIRES) - nowMs + 999) / 1000) as u32);
  crlf();
}

function supportsOutbound(): bool {
  for (let i = hdrFirst(H_SUPPORTED); i >= 0; i = hdrNext(i)) {
    const end = hdrVal(i) + hdrValLen(i);
    for (let p = hdrVal(i); p + 8 <= end; p++) if (equalsIgnoreCase(p, OUTBOUND, 8)) return true;
  }
  return false;
}
