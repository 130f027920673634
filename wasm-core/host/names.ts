/** Words for the numbers of ../assembly/abi.ts, for logs, labels and the API. */
import * as abi from '../assembly/abi.ts';

/** By METHOD_*. METHOD_UNKNOWN is `other`. */
export const METHOD_NAMES: readonly string[] = [
  'other',
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'REGISTER',
  'OPTIONS',
  'INFO',
  'UPDATE',
  'PRACK',
  'MESSAGE',
  'SUBSCRIBE',
  'NOTIFY',
  'REFER',
  'PUBLISH',
];

/** By TRANSPORT_*. */
export const TRANSPORT_NAMES: readonly string[] = ['udp', 'tcp', 'tls', 'ws', 'wss'];

/** By CALL_STATE_*. */
export const CALL_STATE_NAMES = ['free', 'invited', 'ringing', 'answered', 'ending', 'ended'] as const;

/** By ENDED_BY_*. */
export const ENDED_BY_NAMES = ['none', 'caller', 'callee', 'operator', 'media-timeout', 'switch'] as const;

/** By LOG_*. */
export const LOG_NAMES: readonly string[] = [
  'event',
  'malformed',
  'rejected',
  'auth-failed',
  'table-full',
  'media-failed',
  'registered',
  'unregistered',
  'limited',
  'offer-failed',
];

if (METHOD_NAMES.length !== abi.METHOD_COUNT || TRANSPORT_NAMES.length !== abi.TRANSPORT_COUNT)
  throw new Error('names do not match the ABI');

/** `names[index]`, or the number itself for one this version has no word for. */
export function nameOf(names: readonly string[], index: number): string {
  return names[index] ?? String(index);
}
