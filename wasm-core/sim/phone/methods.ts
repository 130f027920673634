/** Methods of phones. */

/** What a phone can do. */
export const ALLOW = 'INVITE, ACK, CANCEL, BYE, OPTIONS';

/** Those of RFCs that phones of a simulation don't have: 405 to these, 501 to others (RFC 3261 8.2.1, 21.5.2). */
const OTHERS: readonly string[] = [
  'REGISTER',
  'INFO',
  'UPDATE',
  'PRACK',
  'MESSAGE',
  'SUBSCRIBE',
  'NOTIFY',
  'REFER',
  'PUBLISH',
];

export function isKnownMethod(method: string): boolean {
  return OTHERS.includes(method);
}
