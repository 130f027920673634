/** What a scenario wants of the callee of a call travels in its INVITE: nobody else could tell the phone that is called. */
import type { CallSpec } from '../scenario.ts';
import { parameter, type SipMessage } from '../sip/message.ts';

const NAME = 'X-Script';

/** Times from the answer, ms; undefined: never. */
export type Script = Pick<CallSpec, 'calleeByeMs' | 'calleeReinviteMs'>;

/** The header line, '' when there is nothing to say. */
export function scriptLine({ calleeByeMs, calleeReinviteMs }: Script): string {
  const bye = calleeByeMs === undefined ? '' : `;bye=${calleeByeMs}`;
  const reinvite = calleeReinviteMs === undefined ? '' : `;reinvite=${calleeReinviteMs}`;
  return bye + reinvite === '' ? '' : `${NAME}: callee${bye}${reinvite}\r\n`;
}

export function scriptOf(invite: SipMessage): Script {
  const value = invite.header(NAME.toLowerCase());
  const ms = (name: string) => {
    const text = parameter(value, name);
    return text === '' || Number.isNaN(Number(text)) ? undefined : Number(text);
  };
  return { calleeByeMs: ms('bye'), calleeReinviteMs: ms('reinvite') };
}
