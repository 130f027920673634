/**
 * Every message enters here: parsed, answered when it is malformed, else handed on as request or response.
 */
import {
  C_MALFORMED,
  F_LENGTH,
  F_TRANSPORT,
  FRAME_HEADER_BYTES,
  LOG_MALFORMED,
  LOG_MEDIA_FAILED,
  TRANSPORT_UDP,
} from '../abi';
import { count, logEvent } from '../effects';
import { editReset } from '../edit';
import { identityPrepare } from '../identity';
import { mustDropUnread } from '../overload/admission';
import { controllerObserve } from '../overload/controller';
import { H_VIA } from '../sip/header';
import { callIdLen, callIdPtr, hdrFirst, isRequest, parseMessage, parseStatus } from '../sip/message';
import { refuse, replyPrepare } from '../transaction/respond';
import { handleRequest } from './request';
import { handleResponse, responseMediaFailed } from './response';

/** Bytes of a keep-alive (RFC 5626 3.5.1, 4.4.1) at the most. */
const KEEPALIVE_BYTES_MAX: u32 = 4;

/** EV_MESSAGE. */
export function handleMessage(frame: usize): void {
  const len = load<u32>(frame + F_LENGTH);
  if (len <= KEEPALIVE_BYTES_MAX) return;
  controllerObserve();
  if (mustDropUnread(frame + FRAME_HEADER_BYTES, len)) return;
  if (!take(frame, len)) return;
  if (isRequest) handleRequest();
  else handleResponse();
}

/** The media service refused the body of the message in `frame`, which was put aside. */
export function handleMediaFailure(frame: usize, status: u32): void {
  if (!take(frame, load<u32>(frame + F_LENGTH))) return;
  logEvent(LOG_MEDIA_FAILED, status, callIdPtr, callIdLen);
  if (isRequest) {
    replyPrepare();
    refuse(status);
  } else responseMediaFailed(status);
}

/** Makes the frame's message the current one; false when it is malformed (and answered). */
function take(frame: usize, len: u32): bool {
  const stream = load<u8>(frame + F_TRANSPORT) != TRANSPORT_UDP;
  const fault = parseMessage(frame + FRAME_HEADER_BYTES, len, stream);
  editReset();
  identityPrepare();
  if (fault == 0) return true;
  count(C_MALFORMED);
  const status = parseStatus();
  logEvent(LOG_MALFORMED, status, callIdPtr, callIdLen);
  if (status != 0 && isRequest && hdrFirst(H_VIA) >= 0) {
    replyPrepare();
    refuse(status);
  }
  return false;
}
