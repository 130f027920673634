/** The line of words below the name of who is called. */
import type { CallSnapshot } from '../phone/call.ts';
import { clock } from './text.ts';

export interface CallStatus {
  text: string;
  /** For screen readers, without the running clock. */
  spoken: string;
  mood: 'calm' | 'talking' | 'held';
}

const WORDS: Record<CallSnapshot['phase'], string> = {
  dialing: 'Calling…',
  ringing: 'Ringing…',
  incoming: 'Incoming call',
  answering: 'Connecting…',
  active: 'In call',
  ended: 'Ended',
};

export function callStatus(call: CallSnapshot, nowMs: number): CallStatus {
  const spoken = WORDS[call.phase];
  if (call.phase !== 'active' || call.answeredAtMs === null) return { text: spoken, spoken, mood: 'calm' };
  const time = clock(nowMs - call.answeredAtMs);
  if (call.held) return { text: `On hold · ${time}`, spoken: 'On hold', mood: 'held' };
  if (call.heldByRemote)
    return { text: `They put you on hold · ${time}`, spoken: 'They put you on hold', mood: 'held' };
  return { text: time, spoken, mood: 'talking' };
}
