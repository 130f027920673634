/** A call between two user agents on the wire, message by message. */
import { callerDialog, calleeDialog, type Dialog } from './dialog.ts';
import type { SipMessage } from './message.ts';
import { ANSWER, type RequestOptions, type Ua } from './ua.ts';

export interface WireCall {
  /** As the caller sent it, with credentials where they were asked for. */
  invite: SipMessage;
  /** As the callee got it. */
  arrived: SipMessage;
  /** The 200 as the caller got it. */
  answer: SipMessage;
  callerSide: Dialog;
  calleeSide: Dialog;
}

/** The caller invites the (registered) callee; resolves when the INVITE has arrived. */
export async function ring(
  caller: Ua,
  callee: Ua,
  options: RequestOptions = {},
): Promise<{ invite: SipMessage; arrived: SipMessage }> {
  const invite = await caller.invite(callee.aor, options);
  return { invite, arrived: await callee.incoming('INVITE') };
}

/** Rings, answers with 200, and acknowledges. */
export async function establish(caller: Ua, callee: Ua): Promise<WireCall> {
  const { invite, arrived } = await ring(caller, callee);
  const ok = callee.reply(arrived, 200, 'OK', { body: ANSWER });
  const answer = await caller.answer(invite);
  if (answer.status !== 200) throw new Error(`not answered: ${answer.startLine}`);
  const callerSide = callerDialog(invite, answer);
  caller.send(caller.within(callerSide, 'ACK'));
  await callee.incoming('ACK');
  return { invite, arrived, answer, callerSide, calleeSide: calleeDialog(arrived, ok) };
}

/** One side says BYE, the other agrees. */
export async function bye(from: Ua, dialog: Dialog, to: Ua): Promise<void> {
  const request = from.within(dialog, 'BYE');
  from.send(request);
  to.reply(await to.incoming('BYE'), 200, 'OK');
  const answer = await from.answer(request);
  if (answer.status !== 200) throw new Error(`BYE answered with ${answer.startLine}`);
}
