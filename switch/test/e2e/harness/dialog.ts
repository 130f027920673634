/** Dialogs as the tests' user agent keeps them (RFC 3261 12.1). */
import { addressUri, type SipMessage } from './message.ts';

/** One side of a dialog. */
export interface Dialog {
  callId: string;
  /** From of its requests, with tag. */
  local: string;
  /** To of its requests, with tag. */
  remote: string;
  /** Remote target URI. */
  target: string;
  routes: string[];
  /** Of the last request sent. */
  cseq: number;
}

/** The caller's side of the dialog that a response to its INVITE formed (RFC 3261 12.1.2). */
export function callerDialog(invite: SipMessage, response: SipMessage): Dialog {
  return {
    callId: invite.callId,
    local: response.header('from'),
    remote: response.header('to'),
    target: addressUri(response.header('contact')),
    routes: response.headers('record-route').reverse(),
    cseq: invite.cseq,
  };
}

/** The callee's side, from the INVITE it got and the response it gave (RFC 3261 12.1.1). */
export function calleeDialog(invite: SipMessage, response: SipMessage): Dialog {
  return {
    callId: invite.callId,
    local: response.header('to'),
    remote: invite.header('from'),
    target: addressUri(invite.header('contact')),
    routes: invite.headers('record-route'),
    cseq: 100,
  };
}
