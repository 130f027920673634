/**
 * What every forwarded message has in common (RFC 3261 16.6): our Via, Record-Route, the edits of the
 * received headers, the body.
 */
import { editClose, editCopy, editCut, editOpen } from '../edit';
import { mediaBody, mediaBodyLen, mediaDone } from '../call/media';
import { writeBranch, writeDialogCookie } from '../identity';
import {
  H_CALL_ID,
  H_CONTENT_LENGTH,
  H_FROM,
  H_TO,
  H_MAX_FORWARDS,
  H_P_ASSERTED_IDENTITY,
  H_PROXY_AUTHORIZATION,
} from '../sip/header';
import {
  bodyLen,
  bodyPtr,
  hdrFirst,
  hdrLine,
  hdrLineEnd,
  hdrNext,
  hdrVal,
  hdrValLen,
  headersEnd,
  headersPtr,
  maxForwards,
  viaBranchLen,
  viaBranchPtr,
} from '../sip/message';
import { listenerAt, listenerFor, listenerTransport, writeHostPort, writeRoute } from '../target';
import { byte, bytes, crlf, decimal, text } from '../text';

/** Hops that a request without Max-Forwards is given (RFC 3261 16.6 step 3). */
const MAX_FORWARDS_DEFAULT: u32 = 70;

/** By TRANSPORT_*: the transport in a Via. */
const VIA_TRANSPORTS: StaticArray<string> = ['UDP', 'TCP', 'TLS', 'WS', 'WSS'];

function beginVia(to: usize): void {
  const listener = listenerFor(to);
  text('Via: SIP/2.0/');
  text(VIA_TRANSPORTS[listenerTransport(listenerAt(listener))]);
  byte(32);
  writeHostPort(listener);
  text(';branch=');
}

/** Our Via towards `to`, its branch saying that answers go to `back`. */
export function writeVia(to: usize, kind: u32, back: usize, a: u32, b: u32, index: u32, hash: u64): void {
  beginVia(to);
  writeBranch(kind, back, a, b, index, hash);
  crlf();
}

/** Our Via with the branch of the answer that is the current message, for the ACK of the same hop. */
export function writeViaOf(to: usize): void {
  beginVia(to);
  bytes(viaBranchPtr, viaBranchLen);
  crlf();
}

function recordRouteOne(
  towards: usize,
  slot: u32,
  gen: u32,
  legB: u32,
  fromTag: u32,
  a: usize,
  aBinding: usize,
  b: usize,
  bBinding: usize,
): void {
  text('Record-Route: ');
  writeRoute(listenerFor(towards));
  writeDialogCookie(
    slot,
    gen,
    legB,
    fromTag,
    a,
    load<u32>(aBinding),
    load<u32>(aBinding, 4),
    b,
    load<u32>(bBinding),
    load<u32>(bBinding, 4),
  );
  text('>\r\n');
}

/**
 * Record-Route with the dialog's cookie; two of them where the legs use different transports, one for each side
 * (RFC 5658). Bindings: addresses of slot and generation (generation 0: none).
 */
export function writeRecordRoute(
  slot: u32,
  gen: u32,
  legB: u32,
  fromTag: u32,
  a: usize,
  aBinding: usize,
  b: usize,
  bBinding: usize,
): void {
  recordRouteOne(b, slot, gen, legB, fromTag, a, aBinding, b, bBinding);
  if (load<u8>(a) != load<u8>(b)) recordRouteOne(a, slot, gen, legB, fromTag, a, aBinding, b, bBinding);
}

/** Edits that forwarding any request needs: one hop fewer, and no Content-Length (written anew with the body). */
export function editsForRequest(): void {
  const i = hdrFirst(H_MAX_FORWARDS);
  if (i >= 0) {
    editOpen(hdrVal(i), hdrVal(i) + hdrValLen(i));
    decimal(maxForwards - 1);
  } else {
    editOpen(headersEnd, headersEnd);
    text('Max-Forwards: ');
    decimal(MAX_FORWARDS_DEFAULT);
    crlf();
  }
  editClose();
  cutAll(H_CONTENT_LENGTH);
}

/** Edits for a request that a user has authenticated: his credentials are for us, his identity is not his to assert. */
export function editsForUser(): void {
  cutAll(H_PROXY_AUTHORIZATION);
  cutAll(H_P_ASSERTED_IDENTITY);
}

export function cutAll(id: u32): void {
  for (let i = hdrFirst(id); i >= 0; i = hdrNext(i)) editCut(hdrLine(i), hdrLineEnd(i));
}

/** Headers (edited), Content-Length and body: the message's own, or the one from the media service. */
export function writeRest(): void {
  editCopy(headersPtr, headersEnd);
  if (mediaDone) writeBody(mediaBody, mediaBodyLen);
  else writeBody(bodyPtr, bodyLen);
}

export function writeBody(ptr: usize, len: u32): void {
  text('Content-Length: ');
  decimal(len);
  text('\r\n\r\n');
  bytes(ptr, len);
}

/** From, To and Call-ID of the current message, for another request of its dialog. */
export function writeDialogLines(): void {
  writeLine(H_FROM);
  writeLine(H_TO);
  writeLine(H_CALL_ID);
}

function writeLine(id: u32): void {
  const i = hdrFirst(id);
  bytes(hdrLine(i), (hdrLineEnd(i) - hdrLine(i)) as u32);
}
