/** Which tone belongs to a state of the phone. */
import type { CallSnapshot } from '../phone/call.ts';
import type { ToneName } from './tones.ts';

/** @returns null for silence */
export function toneFor(calls: readonly CallSnapshot[]): ToneName | null {
  const talking = calls.some(({ phase }) => phase === 'active' || phase === 'answering');
  if (calls.some(({ phase }) => phase === 'incoming')) return talking ? 'waiting' : 'ring';
  // The other side may send its own, or an announcement.
  if (calls.some(({ phase, earlyMedia }) => phase === 'ringing' && !earlyMedia)) return 'ringback';
  return null;
}

/** @returns the tone that tells how a call ended; null where nothing is to be told */
export function endToneFor({ outcome, direction }: CallSnapshot): ToneName | null {
  if (outcome === 'failed' && direction === 'out') return 'busy';
  return outcome === 'completed' ? 'ended' : null;
}
