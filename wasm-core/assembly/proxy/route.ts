/**
 * Route headers of a request (RFC 3261 16.4): those that name this switch are taken off; a cookie in one
 * of them says which dialog the request is in.
 */
import { C_COOKIE_BAD } from '../abi';
import { count } from '../counters';
import { editCut } from '../edit';
import { readDialogCookie } from '../identity';
import { isLocalDomain } from '../routing/bank';
import { adEnd, adUriLen, adUriPtr, parseAddress } from '../sip/address';
import { H_ROUTE } from '../sip/header';
import { hdrFirst, hdrLine, hdrLineEnd, hdrNext, hdrVal, hdrValLen } from '../sip/message';
import { pvLen, pvPtr } from '../sip/param';
import { findByte } from '../sip/scan';
import { parseIp, parseUri, uHostLen, uHostPtr, uPort, uriParam } from '../sip/uri';
import { listenerCount, listenerIsAt, routeCookie } from '../target';

/** No Route of ours. */
export const ROUTE_NONE: u32 = 0;
/** Ours, with a valid cookie (dc* in identity.ts are set). */
export const ROUTE_DIALOG: u32 = 1;
/** Ours, with a cookie that was changed or belongs to another call. */
export const ROUTE_FORGED: u32 = 2;
/** Malformed. */
export const ROUTE_BAD: u32 = 3;

const COOKIE_PARAM: usize = memory.data<u8>([99, 107]); // ck
const hostAddress: usize = memory.data(16, 16);

/** A Route remains that names another element: the next hop. */
export let routeNextPtr: usize = 0;
export let routeNextLen: u32 = 0;

/** Whether the URI just parsed names this switch: a listener by address and port, or a local domain by name. */
export function isOurs(): bool {
  if (!parseIp(uHostPtr, uHostLen, hostAddress)) return isLocalDomain(uHostPtr, uHostLen);
  const port = uPort == 0 ? 5060 : uPort;
  const n = listenerCount();
  for (let i: u32 = 0; i < n; i++) {
    if (listenerIsAt(i, hostAddress, port)) return true;
  }
  return false;
}

/** Takes our Routes off (as edits) and reads the cookie. */
export function takeRoutes(): u32 {
  let found = ROUTE_NONE;
  routeNextPtr = 0;
  routeNextLen = 0;
  for (let i = hdrFirst(H_ROUTE); i >= 0; i = hdrNext(i)) {
    const end = hdrVal(i) + hdrValLen(i);
    let at = hdrVal(i);
    while (at < end) {
      // Mostly the entry is as we wrote it. What is not goes the long way.
      const cookie: usize = found == ROUTE_DIALOG ? 0 : routeCookie(at, end);
      if (cookie != 0) {
        const close = findByte(cookie, end, 62);
        if (isSeparatorOrEnd(close + 1, end) && readDialogCookie(cookie, (close - cookie) as u32)) {
          found = ROUTE_DIALOG;
          at = skipSeparators(close + 1, end);
          continue;
        }
      }
      if (!parseAddress(at, end) || !parseUri(adUriPtr, adUriLen)) return ROUTE_BAD;
      const next = adEnd;
      if (!isOurs()) {
        routeNextPtr = adUriPtr;
        routeNextLen = adUriLen;
        if (at > hdrVal(i)) editCut(hdrVal(i), at);
        return found;
      }
      if (found != ROUTE_DIALOG && uriParam(COOKIE_PARAM, 2)) {
        found = readDialogCookie(pvPtr, pvLen) ? ROUTE_DIALOG : ROUTE_FORGED;
        if (found == ROUTE_FORGED) {
          count(C_COOKIE_BAD);
          return found;
        }
      }
      at = skipSeparators(next, end);
    }
    editCut(hdrLine(i), hdrLineEnd(i));
  }
  return found;
}

function isSeparatorOrEnd(at: usize, end: usize): bool {
  return at == end || (at < end && load<u8>(at) == 44);
}

function skipSeparators(from: usize, end: usize): usize {
  let at = from;
  while (at < end && isSeparator(load<u8>(at))) at++;
  return at;
}

function isSeparator(c: u32): bool {
  return c == 44 || c == 32 || c == 9 || c == 13 || c == 10;
}
