/**
 * Requests outside of dialogs that need no context (MESSAGE, OPTIONS to a user, SUBSCRIBE, …): forwarded to the
 * best candidate, statelessly (RFC 3261 16.11). Those that begin a dialog are record-routed.
 */
import { METHOD_REFER, METHOD_SUBSCRIBE } from '../abi';
import { BRANCH_STATELESS, NO_CALL, statelessHash, senderTag } from '../identity';
import { methodId, methodLen, methodPtr } from '../sip/message';
import { sendBegin, sendRequestEnd } from '../effects';
import { bytes, crlf, text } from '../text';
import { replyTarget } from '../transaction/respond';
import { sourceTarget, sourcePrepare } from './source';
import { CD_BINDING, CD_GROUP, CD_PATH, CD_TARGET, CD_URI, candidateAt, candidateCount } from './candidates';
import { editsForRequest, writeRecordRoute, writeRest, writeVia } from './forward';

export function forwardStateless(): void {
  let best = candidateAt(0);
  for (let i: u32 = 1; i < candidateCount; i++) {
    const c = candidateAt(i);
    if (load<u32>(c + CD_GROUP) < load<u32>(best + CD_GROUP)) best = c;
  }
  const target = best + CD_TARGET;
  editsForRequest();
  const hash = statelessHash();
  const frame = sendBegin(target);
  bytes(methodPtr, methodLen);
  text(' ');
  bytes(load<u32>(best + CD_URI), load<u32>(best + CD_URI, 4));
  text(' SIP/2.0\r\n');
  writeVia(target, BRANCH_STATELESS, replyTarget, NO_CALL, 0, 0, hash);
  if (methodId == METHOD_SUBSCRIBE || methodId == METHOD_REFER) {
    sourcePrepare();
    const fromTag = senderTag();
    writeRecordRoute(NO_CALL, 0, 1, fromTag, sourceTarget, sourceTarget + 24, target, best + CD_BINDING);
  }
  writePath(best + CD_PATH);
  writeRest();
  sendRequestEnd(frame, methodId);
}

/** Route to a binding that registered through other proxies (RFC 3327). */
export function writePath(path: usize): void {
  const len = load<u32>(path, 4);
  if (len == 0) return;
  text('Route: ');
  bytes(load<u32>(path), len);
  crlf();
}
