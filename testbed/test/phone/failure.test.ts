import { describe, expect, test } from 'vitest';
import {
  callFailure,
  failure,
  isPermanent,
  mayPass,
  microphoneFailure,
  registerFailure,
  shortText,
} from '../../softphone/phone/failure.ts';

describe('callFailure', () => {
  test.each([
    [486, 'Busy Here', false, 'busy'],
    [600, 'Busy Everywhere', false, 'busy'],
    [603, 'Decline', false, 'declined'],
    [404, 'Not Found', false, 'not-found'],
    [480, 'Temporarily Unavailable', false, 'unavailable'],
    [480, 'Temporarily Unavailable', true, 'no-answer'],
    [408, 'Request Timeout', false, 'no-response'],
    [408, 'Request Timeout', true, 'no-answer'],
    [488, 'Not Acceptable Here', true, 'media'],
    [403, 'Forbidden', false, 'forbidden'],
    [483, 'Too Many Hops', false, 'loop'],
    [484, 'Address Incomplete', false, 'incomplete'],
    [503, 'Service Unavailable', false, 'overloaded'],
    [504, 'Server Time-out', false, 'server'],
    [499, '', false, 'failed'],
  ])('%i %s, rang: %s', (status, reason, rang, code) => {
    const said = callFailure(status, reason, 'Ann', rang);
    expect(said.code).toBe(code);
    expect(said.detail).toBe(`${status} ${reason}`.trim());
    expect(`${said.title} ${said.hint}`).not.toContain('{who}');
  });

  test('names the other party', () => {
    expect(callFailure(486, 'Busy Here', 'Ann', true).title).toBe('Ann is busy');
  });
});

test.each([
  [401, 'wrong-password', true],
  [403, 'wrong-password', true],
  [404, 'unknown-user', true],
  [408, 'unreachable', false],
  [503, 'overloaded', false],
  [500, 'server', false],
  [420, 'refused', true],
])('registerFailure(%i) is %s, permanent: %s', (status, code, permanent) => {
  const said = registerFailure(status, '');
  expect([said.code, isPermanent(said.code)]).toEqual([code, permanent]);
});

test.each([
  ['NotAllowedError', 'mic-denied'],
  ['NotFoundError', 'mic-missing'],
  ['NotReadableError', 'mic-busy'],
  ['InsecureContextError', 'mic-insecure'],
  ['TypeError', 'mic-failed'],
])('microphoneFailure(%s) is %s', (name, code) => {
  const error = Object.assign(new Error('why'), { name });
  expect(microphoneFailure(error)).toMatchObject({ code, detail: `${name}: why` });
});

test('lists say it in a word or two', () => {
  expect([shortText('busy'), shortText('server'), shortText(undefined)]).toEqual([
    'Busy',
    'Failed',
    'Failed',
  ]);
});

test('a wrong number is not offered again, a busy one is', () => {
  expect([mayPass('not-found'), mayPass('busy')]).toEqual([false, true]);
  expect(failure('busy').title).toBe('The other side is busy');
});
