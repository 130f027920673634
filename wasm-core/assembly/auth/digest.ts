/**
 * Digest authentication of the current message (RFC 7616, 8760; RFC 3261 22): MD5 and SHA-256, qop "auth", and MD5 without
 * qop for phones of RFC 2069; "auth-int" and "-sess" are not offered. Nonces are stateless: any node with the secret can
 * check one.
 */
import {
  C_AUTH_CHALLENGED,
  C_AUTH_FAILED,
  C_AUTH_OK,
  I_NONCE_TTL_S,
  I_SECRET,
  LOG_AUTH_FAILED,
} from '../abi';
import { initPtr, initU32 } from '../config';
import { count } from '../counters';
import { b64urlDecode, b64urlEncode } from '../crypto/base64';
import { hexDecode, hexEncode } from '../crypto/hex';
import { md5 } from '../crypto/md5';
import { sha256 } from '../crypto/sha256';
import { siphash24 } from '../crypto/siphash';
import { logEvent, nowMs, nowUs } from '../effects';
import { requestHash } from '../identity';
import { digestAlgorithm, realmLen, realmPtr, userFind } from '../routing/bank';
import { DIGEST_SHA256, REALM_BYTES_MAX, USER_HA1_MD5, USER_HA1_SHA256 } from '../routing/layout';
import { H_AUTHORIZATION, H_PROXY_AUTHORIZATION } from '../sip/header';
import { hdrFirst, hdrNext, hdrVal, hdrValLen, methodLen, methodPtr, uriLen, uriPtr } from '../sip/message';
import { equalsIgnoreCase } from '../sip/scan';
import { parseUri, uHostLen, uHostPtr, uUserLen, uUserPtr } from '../sip/uri';
import { byte, bytes, crlf, cursor, text, writeAt } from '../text';
import {
  DG_CNONCE,
  DG_NC,
  DG_NONCE,
  DG_QOP,
  DG_REALM,
  DG_RESPONSE,
  DG_URI,
  DG_USERNAME,
  dgAlgorithm,
  dgLen,
  dgPtr,
  parseDigest,
} from './credentials';
import { countAccepted, countsInit } from './counts';

export const AUTH_OK: i32 = 0;
/** No credentials for our realm. */
export const AUTH_MISSING: i32 = 1;
/** Right password, but the nonce is too old, not (any more) ours, or its count was used: to be tried again with a new one. */
export const AUTH_STALE: i32 = 2;
/** Wrong password, a digest for another request, or one that we cannot check. */
export const AUTH_BAD: i32 = 3;
/** No such user; outside it looks like AUTH_BAD. */
export const AUTH_UNKNOWN: i32 = 4;

/** Entry (routing/bank.ts) of the user that the last AUTH_OK was for. */
export let authUserPtr: usize = 0;

// Bounds of what a digest is computed from: all of it fits `work`.
const NONCE_CHARS: u32 = 22;
const NONCE_CHARS_MAX: u32 = 128;
const CNONCE_BYTES_MAX: u32 = 256;
const URI_BYTES_MAX: u32 = 1024;
const METHOD_BYTES_MAX: u32 = 64;
const NC_CHARS: u32 = 8;

const nobody: usize = memory.data(64, 16); // HA1s of an unknown user: the work is the same
const work: usize = memory.data(4096, 16);
const digest: usize = memory.data(32, 16);
const claimed: usize = memory.data(32, 16);
const nonce: usize = memory.data(32, 16);
const macInput: usize = memory.data(256, 16);
const countBytes: usize = memory.data(8, 8);

/** Makes the nonces of one second differ. */
let salt: u32 = 0;

export function authInit(): void {
  countsInit();
  // Nodes share the secret but were not started in the same microsecond.
  store<f64>(macInput, nowUs);
  salt = siphash24(initPtr() + I_SECRET, macInput, 8) as u32;
}

/**
 * Checks the credentials of the current message: Proxy-Authorization with `proxy`, else Authorization. AUTH_*.
 * Where there are several for our realm (one for each algorithm), the first that we can check counts.
 */
export function authenticate(proxy: bool): i32 {
  const id = proxy ? H_PROXY_AUTHORIZATION : H_AUTHORIZATION;
  let verdict: i32 = AUTH_MISSING;
  for (let i = hdrFirst(id); i >= 0; i = hdrNext(i)) {
    if (!parseDigest(hdrVal(i), hdrValLen(i)) || !isOurRealm()) continue;
    const usable = isOffered(dgAlgorithm());
    verdict = usable ? check() : AUTH_BAD;
    if (usable) break;
  }
  if (verdict == AUTH_OK) count(C_AUTH_OK);
  else if (verdict == AUTH_BAD || verdict == AUTH_UNKNOWN) {
    count(C_AUTH_FAILED);
    logEvent(LOG_AUTH_FAILED, proxy ? 407 : 401, dgPtr(DG_USERNAME), dgLen(DG_USERNAME));
  }
  return verdict;
}

function isOurRealm(): bool {
  return dgLen(DG_REALM) == realmLen() && memory.compare(dgPtr(DG_REALM), realmPtr(), realmLen()) == 0;
}

function check(): i32 {
  if (!isBounded() || !isForThisRequest()) return AUTH_BAD;
  const len: u32 = dgAlgorithm() == DIGEST_SHA256 ? 32 : 16;
  if (dgLen(DG_RESPONSE) != len * 2 || !hexDecode(claimed, dgPtr(DG_RESPONSE), len)) return AUTH_BAD;
  const found = userFind(dgPtr(DG_USERNAME), dgLen(DG_USERNAME));
  if (!compute(found != 0 ? found : nobody, len)) return AUTH_BAD;
  const same = sameBytes(digest, claimed, len);
  if (found == 0) return AUTH_UNKNOWN;
  if (!same) return AUTH_BAD;
  // Only one who knows the password learns that the nonce was the fault: his phone tries again by itself.
  if (!isFreshNonce() || !isNewCount()) return AUTH_STALE;
  authUserPtr = found;
  return AUTH_OK;
}

function isBounded(): bool {
  return (
    methodLen <= METHOD_BYTES_MAX &&
    dgLen(DG_URI) <= URI_BYTES_MAX &&
    dgLen(DG_CNONCE) <= CNONCE_BYTES_MAX &&
    dgLen(DG_NONCE) <= NONCE_CHARS_MAX
  );
}

/** Without qop there is no count (RFC 2069): within its time, the nonce alone protects. */
function isNewCount(): bool {
  if (dgLen(DG_QOP) == 0) return true;
  if (!hexDecode(countBytes, dgPtr(DG_NC), NC_CHARS / 2)) return false;
  const n = bswap<u32>(load<u32>(countBytes));
  return n > 0 && countAccepted(load<u64>(nonce + 8), n, requestHash());
}

/** Only what is asked for is accepted, or the weaker algorithm could be chosen by an attacker. */
function isOffered(algorithm: u32): bool {
  for (let i: u32 = 0; digestAlgorithm(i) != 0; i++) if (digestAlgorithm(i) == algorithm) return true;
  return false;
}

/** In time that does not depend on the content. */
function sameBytes(a: usize, b: usize, len: u32): bool {
  let difference: u32 = 0;
  for (let i: u32 = 0; i < len; i++) difference |= (load<u8>(a + i) ^ load<u8>(b + i)) as u32;
  return difference == 0;
}

/**
 * The digest's `uri` must be the request-URI; phones differ in port and parameters, so user and host decide
 * (RFC 3261 22.4 point 5).
 */
function isForThisRequest(): bool {
  const ptr = dgPtr(DG_URI);
  const len = dgLen(DG_URI);
  if (len == uriLen && memory.compare(ptr, uriPtr, len) == 0) return true;
  if (!parseUri(ptr, len)) return false;
  const user = uUserPtr;
  const userLen = uUserLen;
  const host = uHostPtr;
  const hostLen = uHostLen;
  if (!parseUri(uriPtr, uriLen)) return false;
  return (
    userLen == uUserLen &&
    hostLen == uHostLen &&
    memory.compare(user, uUserPtr, userLen) == 0 &&
    equalsIgnoreCase(host, uHostPtr, hostLen)
  );
}

function hash(len: u32): void {
  const n = (cursor - work) as u32;
  if (len == 32) sha256(digest, work, n);
  else md5(digest, work, n);
}

function hex(src: usize, len: u32): void {
  hexEncode(cursor, src, len);
  writeAt(cursor + len * 2);
}

function field(i: u32): void {
  bytes(dgPtr(i), dgLen(i));
}

/**
 * Computes the response that the user's password gives, into `digest` (RFC 7616 3.4.1); false when qop is one that is not
 * offered, or something is missing that it needs.
 */
function compute(user: usize, len: u32): bool {
  const resume = cursor;
  const qop = dgLen(DG_QOP);
  const plain = qop == 0;
  if (plain && len != 16) return false;
  if (!plain && (qop != 4 || !isAuth(dgPtr(DG_QOP)) || dgLen(DG_NC) != NC_CHARS || dgLen(DG_CNONCE) == 0))
    return false;
  writeAt(work);
  bytes(methodPtr, methodLen);
  byte(58);
  field(DG_URI);
  hash(len);
  writeAt(work);
  hex(user + (len == 32 ? USER_HA1_SHA256 : USER_HA1_MD5), len);
  byte(58);
  field(DG_NONCE);
  if (!plain) {
    byte(58);
    field(DG_NC);
    byte(58);
    field(DG_CNONCE);
    text(':auth');
  }
  byte(58);
  hex(digest, len);
  hash(len);
  writeAt(resume);
  return true;
}

function isAuth(ptr: usize): bool {
  return (load<u32>(ptr) | 0x20202020) == 0x68747561; // auth
}

// --- nonces: u32 seconds, u32 salt, u64 MAC -------------------------------------------------------------

/** Over a label that no other use of the secret begins with, the nonce's time and salt, and the realm. */
function nonceMac(): u64 {
  store<u64>(macInput, 0x65636e6f6e00); // NUL, nonce
  store<u64>(macInput, load<u64>(nonce), 8);
  const len = min<u32>(realmLen(), REALM_BYTES_MAX);
  memory.copy(macInput + 16, realmPtr(), len);
  return siphash24(initPtr() + I_SECRET, macInput, 16 + len);
}

function isFreshNonce(): bool {
  if (dgLen(DG_NONCE) != NONCE_CHARS || b64urlDecode(nonce, dgPtr(DG_NONCE), NONCE_CHARS) != 16) return false;
  if (load<u64>(nonce + 8) != nonceMac()) return false;
  const now = (nowMs / 1000) as u32;
  const made = load<u32>(nonce);
  return made <= now + 5 && now - made <= initU32(I_NONCE_TTL_S);
}

function writeNonce(): void {
  store<u32>(nonce, (nowMs / 1000) as u32);
  store<u32>(nonce, salt++, 4);
  store<u64>(nonce, nonceMac(), 8);
  writeAt(cursor + b64urlEncode(cursor, nonce, 16));
}

/** Writes the challenge at `dst`, the preferred algorithm first (RFC 8760 2.4). Returns its length. */
export function writeChallenge(dst: usize, proxy: bool, stale: bool): u32 {
  count(C_AUTH_CHALLENGED);
  const resume = cursor;
  writeAt(dst);
  for (let i: u32 = 0; digestAlgorithm(i) != 0; i++) challenge(digestAlgorithm(i), proxy, stale);
  const len = (cursor - dst) as u32;
  writeAt(resume);
  return len;
}

function challenge(algorithm: u32, proxy: bool, stale: bool): void {
  text(proxy ? 'Proxy-Authenticate' : 'WWW-Authenticate');
  text(': Digest realm="');
  bytes(realmPtr(), realmLen());
  text('", nonce="');
  writeNonce();
  text('", algorithm=');
  text(algorithm == DIGEST_SHA256 ? 'SHA-256' : 'MD5');
  text(', qop="auth"');
  if (stale) text(', stale=true');
  crlf();
}
