import { describe, expect, test } from 'vitest';
import { isDtmf, KEYS, parseTarget } from '../../softphone/phone/dial.ts';

describe('parseTarget', () => {
  test.each([
    ['1002', 'sip:1002@strowger.test', '1002'],
    ['  1002 ', 'sip:1002@strowger.test', '1002'],
    ['+44 (0)20 7946-0000', 'sip:+4402079460000@strowger.test', '+4402079460000'],
    ['*98#', 'sip:*98%23@strowger.test', '*98#'],
    ['alice', 'sip:alice@strowger.test', 'alice'],
    ['alice.b-c', 'sip:alice.b-c@strowger.test', 'alice.b-c'],
    ['bob@example.org', 'sip:bob@example.org', 'bob@example.org'],
    ['sip:bob@example.org', 'sip:bob@example.org', 'bob@example.org'],
    ['SIP:1002@strowger.test', 'sip:1002@strowger.test', '1002'],
    ['bob@[2001:db8::1]:5070', 'sip:bob@[2001:db8::1]:5070', 'bob@[2001:db8::1]:5070'],
    ['j%40home@example.org', 'sip:j%40home@example.org', 'j@home@example.org'],
    ['müller', 'sip:m%C3%BCller@strowger.test', 'müller'],
  ])('reads %j', (input, uri, number) => {
    expect(parseTarget(input, 'strowger.test')).toEqual({ uri, number });
  });

  test.each(['', '   ', 'sip:', '@example.org', 'bob@', 'bob@exa mple', 'alice bob', '()', '1'.repeat(200)])(
    'refuses %j',
    (input) => {
      expect(parseTarget(input, 'strowger.test')).toBeNull();
    },
  );
});

test('the keypad has the twelve keys, all of them DTMF', () => {
  expect(KEYS.map(({ tone }) => tone).join('')).toBe('123456789*0#');
  expect(KEYS.every(({ tone }) => isDtmf(tone))).toBe(true);
});

test.each([
  ['12#', true],
  ['*0D', true],
  ['', false],
  ['1x', false],
])('isDtmf(%j) is %s', (tones, is) => {
  expect(isDtmf(tones)).toBe(is);
});
