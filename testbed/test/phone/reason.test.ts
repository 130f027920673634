import { expect, test } from 'vitest';
import { endOfBye, endOfCancel, parseReason } from '../../softphone/phone/reason.ts';

test.each([
  [
    'SIP ;cause=200 ;text="Call completed elsewhere"',
    { protocol: 'SIP', cause: 200, text: 'Call completed elsewhere' },
  ],
  ['Q.850;cause=16;text="Terminated"', { protocol: 'Q.850', cause: 16, text: 'Terminated' }],
  ['SIP;cause=503;text="say \\"no\\""', { protocol: 'SIP', cause: 503, text: 'say "no"' }],
  ['SIP;cause=580', { protocol: 'SIP', cause: 580, text: '' }],
  ['SIP;text="no cause"', null],
  ['', null],
  [undefined, null],
])('parseReason(%j)', (header, reason) => {
  expect(parseReason(header)).toEqual(reason);
});

test('a BYE without a reason, or a normal one, is just the end', () => {
  for (const header of [undefined, 'Q.850;cause=16', 'SIP;cause=200;text="OK"']) {
    expect(endOfBye(header)).toEqual({ outcome: 'completed', failure: null });
  }
});

test('a BYE of the switch says why', () => {
  expect(endOfBye('SIP;cause=503;text="No media"')).toMatchObject({
    outcome: 'completed',
    failure: { code: 'ended-by-switch', detail: '503 No media' },
  });
});

test('a CANCEL is a missed call, unless somebody else took it', () => {
  expect(endOfCancel(undefined).outcome).toBe('missed');
  expect(endOfCancel('SIP;cause=487').outcome).toBe('missed');
  expect(endOfCancel('SIP;cause=200;text="Call completed elsewhere"').outcome).toBe('elsewhere');
});
