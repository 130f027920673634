/** What a person types, as a SIP URI. */

export interface Target {
  /** `sip:user@domain`, escaped as RFC 3261 25.1 wants it. */
  uri: string;
  /** For people: the number without punctuation, or the address. */
  number: string;
}

/** What a user part may contain unescaped: unreserved and user-unreserved (RFC 3261 25.1). */
const USER_LITERAL = /[A-Za-z0-9\-_.!~*'()&=+$,;?/]/;
const HOST = /^([A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.?|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/;
/** Digits, with the punctuation that people put between them. */
const PHONE_NUMBER = /^\+?[\d*#ABCDabcd\s().\-/]+$/;
const PUNCTUATION = /[\s().\-/]/g;
const LENGTH_MAX = 128;

function escapeUser(user: string): string {
  return Array.from(user, (char) => (USER_LITERAL.test(char) ? char : encodeURIComponent(char))).join('');
}

function unescapeUser(user: string): string {
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}

/**
 * Reads a number (`1002`, `+44 (0)20 7946-0000`, `*98#`), a name, or an address (`bob@example.org`,
 * `sip:bob@example.org`).
 *
 * @param domain where numbers and names without one belong
 * @returns null when it is none of these
 */
export function parseTarget(input: string, domain: string): Target | null {
  const text = input.trim().replace(/^sip:/i, '');
  if (text === '' || text.length > LENGTH_MAX) return null;
  const at = text.lastIndexOf('@');
  if (at >= 0) {
    const user = unescapeUser(text.slice(0, at));
    const host = text.slice(at + 1);
    if (user === '' || !HOST.test(host)) return null;
    return { uri: `sip:${escapeUser(user)}@${host}`, number: host === domain ? user : `${user}@${host}` };
  }
  const number = PHONE_NUMBER.test(text) ? text.replace(PUNCTUATION, '') : text;
  if (number === '' || /\s/.test(number)) return null;
  return { uri: `sip:${escapeUser(number)}@${domain}`, number };
}

/** The keys of a telephone, with the letters on them (ITU-T E.161). */
export const KEYS: readonly { tone: string; letters: string }[] = [
  { tone: '1', letters: '' },
  { tone: '2', letters: 'ABC' },
  { tone: '3', letters: 'DEF' },
  { tone: '4', letters: 'GHI' },
  { tone: '5', letters: 'JKL' },
  { tone: '6', letters: 'MNO' },
  { tone: '7', letters: 'PQRS' },
  { tone: '8', letters: 'TUV' },
  { tone: '9', letters: 'WXYZ' },
  { tone: '*', letters: '' },
  { tone: '0', letters: '+' },
  { tone: '#', letters: '' },
];

/** Whether all of `tones` are DTMF events 0 to 15 (RFC 4733 3.2). */
export function isDtmf(tones: string): boolean {
  return /^[0-9*#ABCD]+$/i.test(tones);
}
