import { describe, expect, test } from 'vitest';
import { toneOf } from '../../lab/sounds.svelte.ts';
import type { PhoneCall, PhoneView } from '../../lab/view-model.ts';

const call = (more: Partial<PhoneCall>): PhoneCall => ({
  callId: 'a',
  role: 'callee',
  state: 'ringing',
  peer: '1001',
  isAnswerable: false,
  ...more,
});
const phone = (more: Partial<PhoneView>) =>
  ({ isTaken: true, mood: 'idle', calls: [], ...more }) as PhoneView;
const rings = call({ isAnswerable: true });

describe('what is heard', () => {
  test('is nothing of phones that nobody holds, or that are off', () => {
    expect(toneOf([phone({ calls: [rings], isTaken: false }), phone({ calls: [rings], mood: 'off' })])).toBe(
      null,
    );
  });
  test('is ringing, softer during a call, and the other one ringing', () => {
    const up = call({ state: 'up' });
    const waits = call({ role: 'caller' });
    expect(toneOf([phone({ calls: [up], mood: 'up' })])).toBe(null);
    expect(toneOf([phone({ calls: [up, rings], mood: 'up' })])).toBe('waiting');
    expect(toneOf([phone({ calls: [waits], mood: 'calling' })])).toBe('ringback');
    expect(toneOf([phone({ calls: [waits] }), phone({ calls: [rings], mood: 'ringing' })])).toBe('ring');
  });
});
