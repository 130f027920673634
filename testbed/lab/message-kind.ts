/** Kinds of messages as the lab colours them. */
import type { SipMessage } from '../../wasm-core/sim/sip/message.ts';

export const KINDS = ['invite', 'provisional', 'success', 'failure', 'bye', 'register', 'other'] as const;
export type MessageKind = (typeof KINDS)[number];

export const KIND_NAMES: Record<MessageKind, string> = {
  invite: 'INVITE, ACK',
  provisional: '1xx',
  success: '2xx',
  failure: '3xx to 6xx',
  bye: 'BYE, CANCEL',
  register: 'REGISTER',
  other: 'Other',
};

/** @param sip  null: it could not be read */
export function kindOf(sip: SipMessage | null): MessageKind {
  if (sip === null) return 'other';
  const { status, method } = sip;
  if (status >= 300) return 'failure';
  if (method === 'REGISTER') return 'register';
  if (status >= 200) return 'success';
  if (status >= 100) return 'provisional';
  if (method === 'INVITE' || method === 'ACK') return 'invite';
  return method === 'BYE' || method === 'CANCEL' ? 'bye' : 'other';
}

/** `INVITE`, `180 Ringing`. */
export function labelOf(sip: SipMessage | null): string {
  if (sip === null) return 'unreadable';
  return sip.isRequest ? sip.method : sip.startLine.slice(8);
}
