/**
 * What a call's record keeps of its messages: enough to show it, and to end it with a BYE to each side.
 */
import { blockAlloc } from '../mem/pool';
import { candidateTrunk } from '../proxy/candidates';
import { senderTarget } from '../proxy/source';
import { trunkName, trunkNameLen } from '../routing/bank';
import { adEnd, adUriLen, adUriPtr, parseAddress } from '../sip/address';
import { H_FROM, H_RECORD_ROUTE, H_TO } from '../sip/header';
import {
  callIdLen,
  callIdPtr,
  contactUriLen,
  contactUriPtr,
  fromUriLen,
  fromUriPtr,
  hasContact,
  hdrFirst,
  hdrNext,
  hdrVal,
  hdrValLen,
  uriLen,
  uriPtr,
} from '../sip/message';
import { parseUri } from '../sip/uri';
import { TRANSPORT_UDP } from '../abi';
import { routeCookie, targetCopy } from '../target';
import { byte, bytes, crlf, cursor, text, writeAt } from '../text';
import { FK_BINDING, FK_TARGET, TXF_TRUNK, TX_FLAGS, FK_TX } from '../transaction/tables';
import { isOurs } from '../proxy/route';
import { K_ANSWER, K_B, K_BINDING_B, K_INVITE, putString } from './call';

/** Route entries that are kept for one side. */
const ROUTES_MAX: u32 = 8;
/** Longest header value that is kept; a longer one makes the INVITE be refused. */
const VALUE_BYTES_MAX: u32 = 16000;

const spans: usize = memory.data(64, 8); // ROUTES_MAX addresses and lengths

/** Keeps the strings of the current INVITE; false when there is no room. */
export function callWriteInvite(call: usize): bool {
  const from = hdrFirst(H_FROM);
  const trunkLen = candidateTrunk >= 0 ? trunkNameLen(candidateTrunk) : 0;
  let room: u32 = 16 + callIdLen + fromUriLen + uriLen + trunkLen + hdrValLen(from) + routesLength();
  if (room > VALUE_BYTES_MAX) return false;
  if (hasContact()) room += contactUriLen;
  const block = blockAlloc(room);
  if (block == 0) return false;
  const resume = cursor;
  writeAt(block);
  putString(callIdPtr, callIdLen);
  putString(fromUriPtr, fromUriLen);
  putString(uriPtr, uriLen);
  putString(trunkLen > 0 ? trunkName(candidateTrunk) : 0, trunkLen);
  putString(hdrVal(from), hdrValLen(from));
  putString(contactUriPtr, contactUriLen);
  putRoutes(false);
  writeAt(resume);
  store<u32>(call + K_INVITE, block as u32);
  return true;
}

/** Keeps the strings of the current 2xx, and where the callee is. */
export function callWriteAnswer(call: usize, fork: usize): void {
  const trunk = (load<u8>((load<u32>(fork + FK_TX) as usize) + TX_FLAGS) & TXF_TRUNK) != 0;
  if (load<u8>(fork + FK_TARGET) == TRANSPORT_UDP) senderTarget(call + K_B, trunk);
  else targetCopy(call + K_B, fork + FK_TARGET);
  store<u64>(call + K_BINDING_B, load<u64>(fork + FK_BINDING));
  const to = hdrFirst(H_TO);
  hasContact();
  const room: u32 = 8 + hdrValLen(to) + contactUriLen + routesLength();
  if (room > VALUE_BYTES_MAX) return;
  const block = blockAlloc(room);
  if (block == 0) return;
  const resume = cursor;
  writeAt(block);
  putString(hdrVal(to), hdrValLen(to));
  putString(contactUriPtr, contactUriLen);
  putRoutes(true);
  writeAt(resume);
  store<u32>(call + K_ANSWER, block as u32);
}

/** Room for what `putRoutes` may write. */
function routesLength(): u32 {
  let len: u32 = 0;
  for (let i = hdrFirst(H_RECORD_ROUTE); i >= 0; i = hdrNext(i)) len += hdrValLen(i) + 32;
  return len;
}

/**
 * Writes the Record-Route entries on the sender's side of us as the Route set towards him (RFC 3261 12.1):
 * all of a request's, in order; of a response those before our own, the other way round.
 */
function putRoutes(response: bool): void {
  const lengthAt = cursor;
  writeAt(cursor + 2);
  writeRoutes(collectRoutes(), response);
  store<u16>(lengthAt, (cursor - lengthAt - 2) as u16);
}

/** Writes the Route header towards the sender of the current 2xx, if there are others between. */
export function writeRouteLine(): void {
  const n = collectRoutes();
  if (n == 0) return;
  text('Route: ');
  writeRoutes(n, true);
  crlf();
}

function writeRoutes(n: u32, reversed: bool): void {
  for (let i: u32 = 0; i < n; i++) {
    const span = spans + (reversed ? n - 1 - i : i) * 8;
    if (i > 0) text(', ');
    byte(60);
    bytes(load<u32>(span), load<u32>(span, 4));
    byte(62);
  }
}

function collectRoutes(): u32 {
  let n: u32 = 0;
  for (let i = hdrFirst(H_RECORD_ROUTE); i >= 0; i = hdrNext(i)) {
    const end = hdrVal(i) + hdrValLen(i);
    let at = hdrVal(i);
    while (at < end) {
      if (routeCookie(at, end) != 0) return n; // ours, as mostly
      if (!parseAddress(at, end)) break;
      const uri = adUriPtr;
      const len = adUriLen;
      at = adEnd + 1;
      if ((parseUri(uri, len) && isOurs()) || n == ROUTES_MAX) return n;
      store<u32>(spans + n * 8, uri as u32);
      store<u32>(spans + n * 8, len, 4);
      n++;
    }
  }
  return n;
}
