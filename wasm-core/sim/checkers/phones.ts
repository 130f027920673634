/** What honest phones complain about, as long as no phone sends damaged messages. */
import type { CheckerKind } from './checkers.ts';
import type { Traffic } from './traffic.ts';

export const phonesAgree =
  (traffic: Traffic): CheckerKind =>
  (sim, fail) => {
    const honest = sim.scenario.phones.every(({ hostilePerMille }) => hostilePerMille === 0);
    /** Calls that were up, by phone and Call-ID. */
    const up = new Set<string>();
    return {
      name: 'phones-agree',
      note(note) {
        if (note.kind === 'call' && note.state === 'up') up.add(`${note.phone} ${note.callId}`);
        if (!honest || note.kind !== 'protest') return;
        // A request of a fork that the phone has not chosen.
        if (note.rule === 'dialog') return;
        // Of a re-INVITE, which is passed on without a context each time that it is repeated.
        if (note.rule === 'second-final' && up.has(`${note.phone} ${note.callId}`)) return;
        if (note.rule === 'second-final' && traffic.isUntimely(note.callId)) return;
        // The network may bring an old re-INVITE late; it is answered with 500 (12.2.2).
        if (note.rule === 'cseq') return;
        fail(`${note.phone}: ${note.rule}: ${note.text} (${note.callId})`);
      },
    };
  };
