/** What went wrong, in words for the person at the phone. */

export interface Failure {
  /** Stable name, for tests and for choosing what to offer. */
  code: FailureCode;
  title: string;
  /** What it means or what to do. */
  hint: string;
  /** SIP status and reason phrase behind it, such as `486 Busy Here`; absent when no message caused it. */
  detail?: string;
}

export type FailureCode =
  | 'wrong-password'
  | 'unknown-user'
  | 'unreachable'
  | 'connection-lost'
  | 'overloaded'
  | 'refused'
  | 'bad-account'
  | 'bad-number'
  | 'offline'
  | 'too-many-calls'
  | 'busy'
  | 'declined'
  | 'not-found'
  | 'unavailable'
  | 'no-answer'
  | 'no-response'
  | 'media'
  | 'forbidden'
  | 'incomplete'
  | 'loop'
  | 'server'
  | 'failed'
  | 'call-lost'
  | 'ended-by-switch'
  | 'mic-denied'
  | 'mic-missing'
  | 'mic-busy'
  | 'mic-insecure'
  | 'mic-failed';

type Text = readonly [title: string, hint: string];

/** `{who}` stands for the other party. */
const TEXTS: Record<FailureCode, Text> = {
  'wrong-password': ['Wrong user or password', 'Check both and try again.'],
  'unknown-user': ['Unknown user', 'The server has no such user in this domain.'],
  unreachable: ['The server can’t be reached', 'Check the server address and your network.'],
  'connection-lost': ['Connection lost', 'Calls in progress go on while we reconnect.'],
  overloaded: ['The server is busy', 'It asked us to come back in a moment.'],
  refused: ['The server refused to register this phone', 'Your administrator can tell you why.'],
  'bad-account': ['This account isn’t complete', 'Check the user, the domain and the server address.'],
  'bad-number': ['That isn’t a number', 'Type a number such as 1002, or an address such as bob@example.org.'],
  offline: ['You’re offline', 'This works again as soon as the connection is back.'],
  'too-many-calls': ['Two calls at most', 'End one of them first.'],
  busy: ['{who} is busy', 'Try again in a little while.'],
  declined: ['{who} declined the call', ''],
  'not-found': ['{who} doesn’t exist', 'Check the number.'],
  unavailable: ['{who} isn’t available', 'They aren’t signed in on any phone right now.'],
  'no-answer': ['{who} didn’t answer', 'It rang, but nobody picked up.'],
  'no-response': ['{who} can’t be reached', 'Their phone didn’t respond.'],
  media: ['No common audio format', 'The two phones have no codec or encryption in common.'],
  forbidden: ['This call isn’t allowed', 'Your line has no permission to call {who}.'],
  incomplete: ['The number is incomplete', 'Check it and dial again.'],
  loop: ['The call went in circles', 'The route to {who} leads back to itself.'],
  server: ['The server had a problem', 'Try again; if it stays, tell your administrator.'],
  failed: ['The call failed', 'Try again in a little while.'],
  'call-lost': ['The call was lost', 'The other side knows of no such call any more.'],
  'ended-by-switch': ['The switch ended the call', ''],
  'mic-denied': [
    'The microphone is blocked',
    'Allow it in the site settings beside the address bar, then try again.',
  ],
  'mic-missing': ['No microphone found', 'Plug one in, or choose another one in the audio settings.'],
  'mic-busy': ['The microphone is in use', 'Another program holds it. Close that one and try again.'],
  'mic-insecure': ['The microphone needs a secure page', 'Open this page over https, or from localhost.'],
  'mic-failed': ['The microphone didn’t start', 'Choose another one in the audio settings.'],
};

/** The same in a word or two, for lists; the rest is "Failed". */
const SHORT_TEXTS: Partial<Record<FailureCode, string>> = {
  busy: 'Busy',
  declined: 'Declined',
  'not-found': 'Unknown number',
  unavailable: 'Not available',
  'no-answer': 'No answer',
  'no-response': 'No response',
  media: 'No common codec',
  forbidden: 'Not allowed',
  incomplete: 'Number incomplete',
  overloaded: 'Server busy',
};

export function shortText(code: FailureCode | undefined): string {
  return (code && SHORT_TEXTS[code]) ?? 'Failed';
}

/** Whether the same call may well succeed a little later. */
export function mayPass(code: FailureCode): boolean {
  return !['not-found', 'forbidden', 'incomplete', 'loop', 'media', 'bad-number'].includes(code);
}

/** @param who the other party, for texts about a call */
export function failure(code: FailureCode, detail?: string, who = 'The other side'): Failure {
  const [title, hint] = TEXTS[code].map((text) => text.replaceAll('{who}', who)) as unknown as Text;
  return detail === undefined ? { code, title, hint } : { code, title, hint, detail };
}

/** Final statuses of an INVITE (RFC 3261 21); what is not listed is `failed`, or `server` from 500 to 599. */
const CALL_CODES: Record<number, FailureCode> = {
  401: 'wrong-password',
  403: 'forbidden',
  404: 'not-found',
  407: 'wrong-password',
  408: 'no-response',
  410: 'not-found',
  415: 'media',
  480: 'unavailable',
  482: 'loop',
  483: 'loop',
  484: 'incomplete',
  486: 'busy',
  488: 'media',
  503: 'overloaded',
  600: 'busy',
  603: 'declined',
  604: 'not-found',
  606: 'media',
};

/** Statuses that mean "nobody picked up" once the other phone has rung. */
const UNANSWERED = new Set([408, 480, 487]);

const detailOf = (status: number, reason: string): string => `${status} ${reason}`.trim();

/**
 * Why an INVITE failed.
 *
 * @param rang a 180 came before: 408 and 480 then mean that nobody answered
 */
export function callFailure(status: number, reason: string, who: string, rang: boolean): Failure {
  const byClass: FailureCode = status >= 500 && status <= 599 ? 'server' : 'failed';
  const code = rang && UNANSWERED.has(status) ? 'no-answer' : (CALL_CODES[status] ?? byClass);
  return failure(code, detailOf(status, reason), who);
}

/** Why a REGISTER failed. 403 counts as a wrong password: that is what servers send to those they don't believe. */
export function registerFailure(status: number, reason: string): Failure {
  const detail = detailOf(status, reason);
  if (status === 401 || status === 403 || status === 407) return failure('wrong-password', detail);
  if (status === 404) return failure('unknown-user', detail);
  if (status === 408) return failure('unreachable', detail);
  if (status === 503) return failure('overloaded', detail);
  return failure(status >= 500 && status <= 599 ? 'server' : 'refused', detail);
}

/** Whether trying the same again later can't help: the account has to change. */
export function isPermanent(code: FailureCode): boolean {
  return code === 'wrong-password' || code === 'unknown-user' || code === 'refused' || code === 'bad-account';
}

/** Names of the errors of getUserMedia (W3C Media Capture and Streams 10.2). */
const MICROPHONE_CODES: Record<string, FailureCode> = {
  NotAllowedError: 'mic-denied',
  SecurityError: 'mic-denied',
  NotFoundError: 'mic-missing',
  OverconstrainedError: 'mic-missing',
  NotReadableError: 'mic-busy',
  AbortError: 'mic-busy',
  InsecureContextError: 'mic-insecure',
};

/** Why there is no microphone. */
export function microphoneFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return failure('mic-failed', String(error));
  return failure(MICROPHONE_CODES[error.name] ?? 'mic-failed', `${error.name}: ${error.message}`);
}

/** A {@link Failure} on its way through a promise. */
export class FailureError extends Error {
  readonly failure: Failure;

  constructor(cause: Failure) {
    super(cause.detail === undefined ? cause.title : `${cause.title} (${cause.detail})`);
    this.name = 'FailureError';
    this.failure = cause;
  }
}
