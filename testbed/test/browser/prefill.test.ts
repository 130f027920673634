import { describe, expect, test } from 'vitest';
import {
  defaultServer,
  DEMO_LINES,
  isDemo,
  readPrefill,
  withoutPassword,
} from '../../softphone/browser/prefill.ts';

const at = (href: string) => readPrefill(new URL(href));

describe('readPrefill', () => {
  test.each(['http://x/?user=1001&password=p%26q', 'http://x/#user=1001&password=p%26q'])('%s', (href) => {
    expect(at(href)).toEqual({
      account: { user: '1001', password: 'p&q' },
      connect: false,
      voiceProcessing: null,
    });
  });

  test('connect=1 needs a whole account', () => {
    expect(at('http://x/?user=1001&password=p&connect=1').connect).toBe(true);
    expect(at('http://x/?user=1001&connect=1').connect).toBe(false);
  });

  test('processing=off leaves the microphone as it is', () => {
    expect(at('http://x/?processing=off').voiceProcessing).toBe(false);
    expect(at('http://x/?processing=on').voiceProcessing).toBe(true);
  });
});

test.each([
  ['http://x/?user=1001&password=p', 'http://x/?user=1001'],
  ['http://x/#user=1001&password=p', 'http://x/#user=1001'],
  ['http://x/?a=1', 'http://x/?a=1'],
])('withoutPassword(%s)', (href, clean) => {
  expect(withoutPassword(href)).toBe(clean);
});

test('the server is where the page came from', () => {
  expect(defaultServer(new URL('http://127.0.0.1:8080/'))).toBe('ws://127.0.0.1:8080/sip');
  expect(defaultServer(new URL('https://phone.example.org/'))).toBe('wss://phone.example.org/sip');
});

test('demo lines are offered on loopback only', () => {
  expect(
    ['127.0.0.1', 'localhost', '[::1]', 'example.org', '127.0.0.1.example.org'].map((hostname) =>
      isDemo({ hostname }),
    ),
  ).toEqual([true, true, true, false, false]);
  expect(DEMO_LINES[0]).toEqual({ user: '1001', password: 'demo-1001' });
  expect(DEMO_LINES.at(-1)).toEqual({ user: '1010', password: 'demo-1010' });
});
