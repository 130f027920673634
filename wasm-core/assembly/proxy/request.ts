/**
 * Requests (RFC 3261 16.3 to 16.5): checked, sorted by what they belong to, and answered, forwarded,
 * or made a transaction of.
 */
import {
  C_DROPPED,
  C_LOOPS,
  C_REQUESTS_IN,
  F_ADDRESS,
  F_PORT,
  F_TRANSPORT,
  LOG_AUTH_FAILED,
  LOG_REJECTED,
  METHOD_ACK,
  METHOD_CANCEL,
  METHOD_INVITE,
  METHOD_OPTIONS,
  METHOD_REGISTER,
  METHOD_UNKNOWN,
} from '../abi';
import { AUTH_OK, AUTH_STALE, authenticate, authUserPtr, writeChallenge } from '../auth/digest';
import { mediaDone } from '../call/media';
import { count, logEvent, rxFrame } from '../effects';
import { admitSource, admitUser } from '../overload/admission';
import { isOurBranch, loopHash, brHash, readBranch, transactionKey } from '../identity';
import { handleRegister } from '../registrar/register';
import { isTrusted, isLocalDomain, trunkByAddress, userName, userNameLen } from '../routing/bank';
import { adUriLen, adUriPtr, parseAddress } from '../sip/address';
import { H_FROM, H_PROXY_REQUIRE, H_REQUIRE, H_VIA } from '../sip/header';
import {
  callIdLen,
  callIdPtr,
  hdrFirst,
  hdrNext,
  hdrVal,
  hdrValLen,
  maxForwards,
  methodId,
  toTagLen,
  uriHasUser,
  uriLen,
  uriPtr,
  uriScheme,
  viaBranchLen,
  viaBranchPtr,
  viaLen,
  viaPtr,
} from '../sip/message';
import { findByte } from '../sip/scan';
import { findParam, pvLen, pvPtr } from '../sip/param';
import {
  URI_SIP,
  URI_TEL,
  parseUri,
  uHostLen,
  uHostPtr,
  uScheme,
  uUserLen,
  uUserPtr,
  unescapeInto,
} from '../sip/uri';
import { crlf, cursor, bytes, text, writeAt } from '../text';
import { cancelReceived, inviteRepeated, inviteStart, ackReceived } from '../transaction/invite';
import { refusedBefore } from '../transaction/refused';
import { refuse, refuseBusy, refuseLater, replyPrepare, respond } from '../transaction/respond';
import { transactionFind } from '../transaction/tables';
import { candidatesFind } from './candidates';
import { forwardInDialog } from './dialog';
import { editsForUser } from './forward';
import { ROUTE_BAD, ROUTE_DIALOG, ROUTE_FORGED, isOurs, routeNextLen, takeRoutes } from './route';
import { forwardStateless } from './stateless';

/** Whose request it is. */
export const SOURCE_USER: u32 = 0; // must prove who he is
export const SOURCE_TRUSTED: u32 = 1; // a network that needs no digest
export const SOURCE_TRUNK: u32 = 2;

const lines: usize = memory.data(2048, 16);
const fromUser: usize = memory.data(256, 16);

let draining: bool = false;
/** Source of the current request, SOURCE_*. */
export let requestSource: u32 = 0;

/** EV_DRAIN: refuse what would begin a call or a registration. */
export function setDraining(on: bool): void {
  draining = on;
}

export function handleRequest(): void {
  if (!mediaDone) count(C_REQUESTS_IN + methodId * 8 + load<u8>(rxFrame + F_TRANSPORT));
  replyPrepare();
  if (methodId == METHOD_ACK) return handleAck();
  if (methodId == METHOD_INVITE || methodId == METHOD_CANCEL) {
    const tx = transactionFind(transactionKey());
    if (methodId == METHOD_CANCEL) {
      if (tx != 0) cancelReceived(tx);
      else if (maxForwards != 0 && takeRoutes() == ROUTE_DIALOG) forwardInDialog();
      else refuse(481);
      return;
    }
    if (tx != 0) return inviteRepeated(tx);
    const refused = toTagLen == 0 ? refusedBefore() : 0;
    if (refused != 0) return refused == 503 ? refuseLater() : refuse(refused);
  }
  const route = takeRoutes();
  if (maxForwards == 0 && !(methodId == METHOD_OPTIONS && !uriHasUser)) return refuse(483);
  if (uriScheme != URI_SIP && uriScheme != URI_TEL) return refuse(416);
  if (refusedExtension(H_PROXY_REQUIRE, false)) return;
  if (isLoop()) {
    count(C_LOOPS);
    return refuse(482);
  }
  if (route == ROUTE_BAD) return refuse(400);
  if (route == ROUTE_FORGED) return reject(403);
  if (route == ROUTE_DIALOG) return forwardInDialog();
  if (toTagLen > 0) return refuse(481);
  outOfDialog();
}

/** ACK: of our own final response, or of a 2xx on its way to the callee; anything else is dropped. */
function handleAck(): void {
  const tx = transactionFind(transactionKey());
  if (tx != 0 && ackReceived(tx)) return;
  if (maxForwards != 0 && takeRoutes() == ROUTE_DIALOG) forwardInDialog();
  else count(C_DROPPED);
}

function outOfDialog(): void {
  parseUri(uriPtr, uriLen);
  // No open relay: requests for other domains, or through other proxies, are nobody's here.
  const here = uScheme == URI_TEL || isLocalDomain(uHostPtr, uHostLen) || isOurs();
  if (!here || routeNextLen > 0) return methodId == METHOD_UNKNOWN ? refuse(501) : refuse(404);
  classify();
  if (!admitSource(requestSource != SOURCE_USER)) return;
  const toSwitch = uUserLen == 0 && uScheme == URI_SIP;
  if (methodId == METHOD_REGISTER) {
    if (draining) return refuseBusy();
    if (refusedExtension(H_REQUIRE, true)) return;
    if (requestSource == SOURCE_USER && (!proven(false) || !admitProven())) return;
    return handleRegister();
  }
  if (toSwitch) return answerAsSwitch();
  if (requestSource == SOURCE_USER) {
    if (!proven(true) || !admitProven()) return;
    if (!fromIsUser()) return reject(403);
    editsForUser();
    parseUri(uriPtr, uriLen);
  }
  if (draining && methodId == METHOD_INVITE) return refuseBusy();
  const found = candidatesFind(requestSource != SOURCE_TRUNK);
  if (found != 200) return reject(found);
  if (methodId == METHOD_INVITE) inviteStart();
  else forwardStateless();
}

function classify(): void {
  requestSource = SOURCE_USER;
  const transport = load<u8>(rxFrame + F_TRANSPORT);
  const trunk = trunkByAddress(rxFrame + F_ADDRESS, transport, load<u16>(rxFrame + F_PORT));
  if (trunk >= 0) requestSource = SOURCE_TRUNK;
  else if (isTrusted(rxFrame + F_ADDRESS)) requestSource = SOURCE_TRUSTED;
}

/** Whether the request carries valid credentials; challenges it if not. */
function proven(proxy: bool): bool {
  const verdict = authenticate(proxy);
  if (verdict == AUTH_OK) return true;
  const len = writeChallenge(lines, proxy, verdict == AUTH_STALE);
  respond(proxy ? 407 : 401, lines, len);
  return false;
}

/** The gate for the user who has just proved who he is. */
function admitProven(): bool {
  return admitUser(userName(authUserPtr), userNameLen(authUserPtr));
}

/** A user may only call as himself (From). */
function fromIsUser(): bool {
  const i = hdrFirst(H_FROM);
  if (!parseAddress(hdrVal(i), hdrVal(i) + hdrValLen(i)) || !parseUri(adUriPtr, adUriLen)) return false;
  if (uUserLen > 128) return false;
  const len = unescapeInto(fromUser, uUserPtr, uUserLen);
  if (len != userNameLen(authUserPtr)) return false;
  return memory.compare(fromUser, userName(authUserPtr), len) == 0;
}

function reject(status: u32): void {
  logEvent(status == 403 ? LOG_AUTH_FAILED : LOG_REJECTED, status, callIdPtr, callIdLen);
  refuse(status);
}

/** A request to the switch itself. */
function answerAsSwitch(): void {
  writeAt(lines);
  text(
    'Allow: INVITE, ACK, BYE, CANCEL, REGISTER, OPTIONS, INFO, UPDATE, PRACK, MESSAGE, SUBSCRIBE, NOTIFY, REFER, PUBLISH\r\n',
  );
  if (methodId == METHOD_OPTIONS) {
    text(
      'Accept: application/sdp\r\nAccept-Encoding: identity\r\nAccept-Language: en\r\nSupported: path, outbound\r\n',
    );
    return respond(200, lines, (cursor - lines) as u32);
  }
  respond(methodId == METHOD_UNKNOWN ? 501 : 405, lines, (cursor - lines) as u32);
}

/**
 * 420 with the option tags that we do not have (RFC 3261 8.2.2.3, 16.3 step 5). As a proxy we have none;
 * as a registrar those of Path and Outbound.
 */
function refusedExtension(header: u32, registrar: bool): bool {
  let i = hdrFirst(header);
  if (i < 0) return false;
  writeAt(lines);
  text('Unsupported: ');
  const start = cursor;
  for (; i >= 0; i = hdrNext(i)) {
    let at = hdrVal(i);
    const end = at + hdrValLen(i);
    while (at < end) {
      while (at < end && isListSeparator(load<u8>(at))) at++;
      const from = at;
      while (at < end && !isListSeparator(load<u8>(at))) at++;
      const len = (at - from) as u32;
      if (len == 0 || (registrar && isRegistrarTag(from, len))) continue;
      if (cursor - lines + len > 1024) break;
      if (cursor > start) text(', ');
      bytes(from, len);
    }
  }
  if (cursor == start) return false;
  crlf();
  respond(420, lines, (cursor - lines) as u32);
  return true;
}

function isListSeparator(c: u32): bool {
  return c == 44 || c == 32 || c == 9 || c == 13 || c == 10;
}

const PATH_TAG: usize = memory.data<u8>([112, 97, 116, 104]);
const OUTBOUND_TAG: usize = memory.data<u8>([111, 117, 116, 98, 111, 117, 110, 100]);

function isRegistrarTag(ptr: usize, len: u32): bool {
  return (
    (len == 4 && memory.compare(ptr, PATH_TAG, 4) == 0) ||
    (len == 8 && memory.compare(ptr, OUTBOUND_TAG, 8) == 0)
  );
}

const BRANCH_PARAM: usize = memory.data<u8>([98, 114, 97, 110, 99, 104]);

/** RFC 5393 4.2: the request has been here, and nothing that decides its way has changed since. */
function isLoop(): bool {
  if (isOurHop(viaBranchPtr, viaBranchLen)) return true;
  let at = viaPtr + viaLen; // the topmost is read already
  for (let i = hdrFirst(H_VIA); i >= 0; i = hdrNext(i)) {
    const end = hdrVal(i) + hdrValLen(i);
    if (i != hdrFirst(H_VIA)) at = hdrVal(i);
    while (at < end) {
      const stop = findByte(at, end, 44);
      const semi = findByte(at, stop, 59);
      if (semi < stop && findParam(semi, (stop - semi) as u32, BRANCH_PARAM, 6) && isOurHop(pvPtr, pvLen))
        return true;
      at = stop + 1;
    }
  }
  return false;
}

/** Whether a branch is one that we gave the very same request. */
function isOurHop(branch: usize, len: u32): bool {
  return (
    isOurBranch(branch, len) && readBranch(branch, len) && (brHash & 0xffffffff) == (loopHash() & 0xffffffff)
  );
}
