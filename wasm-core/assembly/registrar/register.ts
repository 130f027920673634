/**
 * REGISTER (RFC 3261 10.3), for the current message, whose sender has proved who he is.
 *
 * Answers: 200 with all bindings; 400 malformed, not a SIP URI, or too large; 403 another's address of record, or too many
 * bindings of one; 404 no such user here; 423 too brief; 500 out of order; 503 a table is full.
 */
import {
  C_REGISTER_FINAL,
  F_TRANSPORT,
  I_EXPIRES_MIN_S,
  LOG_REGISTERED,
  LOG_UNREGISTERED,
  TRANSPORT_UDP,
} from '../abi';
import { authUserPtr } from '../auth/digest';
import { initU32 } from '../config';
import { count, logEvent, nowMs, rxFrame } from '../effects';
import { SOURCE_TRUNK, SOURCE_USER, requestSource } from '../proxy/request';
import { isLocalDomain, userFind, userName, userNameLen } from '../routing/bank';
import { adUriLen, adUriPtr, parseAddress } from '../sip/address';
import { H_CONTACT, H_EXPIRES, H_FROM, H_PATH, H_TO } from '../sip/header';
import { hdrFirst, hdrNext, hdrVal, hdrValLen } from '../sip/message';
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
import { byte, bytes, crlf, cursor, decimal, text, writeAt } from '../text';
import { refuse, refuseBusy, respond } from '../transaction/respond';
import {
  AOR_BYTES_MAX,
  B_EXPIRES,
  B_Q,
  aorFind,
  aorRelease,
  aorTake,
  bindingAfter,
  bindingHead,
  bindingParamsLen,
  bindingParamsPtr,
  bindingRemove,
  bindingUriLen,
  bindingUriPtr,
} from './bindings';
import { BLOB_BYTES_MAX, contactIsStar, headerExpires, isSupported } from './contact';
import { isOutdated, stage, stageCommit, stageDrop, stagedNew, stagedOutbound, stagedRemoved } from './stage';

const OUTBOUND: usize = memory.data<u8>([111, 117, 116, 98, 111, 117, 110, 100]);
const PATH: usize = memory.data<u8>([112, 97, 116, 104]);

const answer: usize = memory.data(57344, 16);
/** Where the Contacts of an answer stop, so that what follows them and a datagram's headers have room. */
const CONTACTS_BYTES_MAX: u32 = 45056;
/** What a Contact of an answer has beside what its binding keeps. */
const CONTACT_SLACK: u32 = 64;

/** User part of the address of record, unescaped. */
const userText: usize = memory.data(256, 16);
let userLen: u32 = 0;

/** Handles the current message, which is a REGISTER. */
export function handleRegister(): void {
  const status = checkAor();
  if (status != 200) return finish(status);
  const aor = aorFind(userText, userLen);
  if (hdrFirst(H_CONTACT) < 0) return succeed(aor, false);
  if (contactIsStar()) return finish(removeAll(aor));
  finish(update(aor));
}

/** Answers with a status; 200 lists the bindings. */
function finish(status: u32): void {
  if (status == 200) return succeed(aorFind(userText, userLen), true);
  count(C_REGISTER_FINAL + status / 100);
  if (status == 503) return refuseBusy();
  if (status != 423) return refuse(status);
  writeAt(answer);
  text('Min-Expires: ');
  decimal(initU32(I_EXPIRES_MIN_S));
  crlf();
  respond(423, answer, (cursor - answer) as u32);
}

/** Whose bindings, and whether the sender may change them (10.3 steps 3 to 5). Leaves the user part in `userText`. */
function checkAor(): u32 {
  if (requestSource == SOURCE_TRUNK) return 403;
  if (requestSource == SOURCE_USER && readUser(H_FROM) == 200 && !isSender()) return 403;
  const status = readUser(H_TO);
  if (status != 200) return status;
  // Before the look-up: who is not allowed does not learn which users there are.
  if (requestSource == SOURCE_USER && !isSender()) return 403;
  return userFind(userText, userLen) != 0 ? 200 : 404;
}

/** User part of the URI in From or To into `userText`: 200, 400 not a SIP URI, 404 not one of this domain. */
function readUser(id: u32): u32 {
  const i = hdrFirst(id);
  if (!parseAddress(hdrVal(i), hdrVal(i) + hdrValLen(i)) || !parseUri(adUriPtr, adUriLen)) return 400;
  if (uScheme != URI_SIP && uScheme != URI_SIPS) return 400;
  if (!isLocalDomain(uHostPtr, uHostLen) || uUserLen == 0 || uUserLen > AOR_BYTES_MAX) return 404;
  userLen = unescapeInto(userText, uUserPtr, uUserLen);
  return 200;
}

function isSender(): bool {
  return userLen == userNameLen(authUserPtr) && memory.compare(userText, userName(authUserPtr), userLen) == 0;
}

/** `Contact: *` (10.2.2): with Expires: 0 only. */
function removeAll(aor: usize): u32 {
  if (hdrFirst(H_EXPIRES) < 0 || headerExpires() != 0) return 400;
  if (aor == 0) return 200;
  for (let b = bindingHead(aor); b != 0; b = bindingAfter(b)) if (isOutdated(b)) return 500;
  while (bindingHead(aor) != 0) bindingRemove(bindingHead(aor));
  aorRelease(aor);
  logEvent(LOG_UNREGISTERED, 200, userText, userLen);
  return 200;
}

function update(aor: usize): u32 {
  const status = stage(aor);
  if (status != 200) return status;
  const holder = aor != 0 || stagedNew == 0 ? aor : aorTake(userText, userLen);
  if (holder == 0 && stagedNew > 0) {
    stageDrop();
    return 503;
  }
  stageCommit(holder);
  if (holder != 0) aorRelease(holder);
  if (stagedNew > 0) logEvent(LOG_REGISTERED, 200, userText, userLen);
  if (stagedRemoved > 0) logEvent(LOG_UNREGISTERED, 200, userText, userLen);
  return 200;
}

// --- answer ---------------------------------------------------------------------------------------------------

/** 200 with all bindings that hold (10.3 step 8); `updated`: what the request brought was taken. */
function succeed(aor: usize, updated: bool): void {
  writeAt(answer);
  if (aor != 0) {
    for (let b = bindingHead(aor); b != 0; b = bindingAfter(b)) {
      if (load<u64>(b + B_EXPIRES) <= nowMs) continue;
      if (cursor - answer + BLOB_BYTES_MAX + CONTACT_SLACK > CONTACTS_BYTES_MAX) break;
      writeContact(b);
    }
  }
  text('Supported: path, outbound\r\n');
  if (updated && !contactIsStar()) confirm();
  count(C_REGISTER_FINAL + 2);
  respond(200, answer, (cursor - answer) as u32);
}

/** Says which extensions were applied. Path values have been found to fit (`stage`). */
function confirm(): void {
  if (isSupported(PATH, 4)) {
    for (let i = hdrFirst(H_PATH); i >= 0; i = hdrNext(i)) {
      text('Path: ');
      bytes(hdrVal(i), hdrValLen(i));
      crlf();
    }
  }
  // RFC 5626 6. Over UDP nothing keeps the flow alive, so it is an ordinary binding there.
  const stream = load<u8>(rxFrame + F_TRANSPORT) != TRANSPORT_UDP;
  if (stagedOutbound && stream && isSupported(OUTBOUND, 8)) text('Require: outbound\r\n');
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
