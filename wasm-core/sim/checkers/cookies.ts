/**
 * Cookies hold in their own call only (identity.ts): nothing is forwarded on the strength of a dialog cookie (`ck` of our
 * Record-Route) or of a branch that was issued for another Call-ID, or never.
 */
import type { SimNode } from '../node.ts';
import type { CheckerKind } from './checkers.ts';
import { isOf, OUR_BRANCH, originOf, type Traffic } from './traffic.ts';

const ISSUED_MAX = 50_000;
const PARAMETER = ';ck=';

function cookieIn(route: string): string {
  const at = route.indexOf(PARAMETER);
  if (at < 0) return '';
  const rest = route.slice(at + PARAMETER.length);
  const end = rest.search(/[;>?]/);
  return end < 0 ? rest : rest.slice(0, end);
}

export const cookies =
  (traffic: Traffic): CheckerKind =>
  (_sim, fail) => {
    /** Call-ID by cookie or branch. */
    const issued = new Map<string, string>();
    let full = false;
    const issue = (cookie: string, callId: string) => {
      if (issued.has(cookie)) return;
      issued.set(cookie, callId);
      if (issued.size <= ISSUED_MAX) return;
      full = true;
      issued.delete(issued.keys().next().value!);
    };
    const check = (node: SimNode, what: string, cookie: string, callId: string) => {
      const of = issued.get(cookie);
      if (of === callId || (of === undefined && full)) return;
      if (traffic.hasHostile && of !== undefined && printable(of) === printable(callId)) return;
      fail(`${node.name}: ${what} ${cookie} of ${of ?? 'no call'} was believed in ${callId}`);
    };
    return {
      name: 'cookies',
      sent(node, packet) {
        const { sip } = packet;
        if (!sip) return;
        const cause = traffic.current?.packet.sip;
        const strange = /[^!-~]/.test(`${cause?.callId}${sip.callId}`);
        const odd = traffic.hasHostile && (cause?.branch === '' || strange);
        const doubtful = odd || (traffic.hasHostile && cause?.callId !== sip.callId); // a timer, or can be read in two ways
        const forwarded = originOf(sip, traffic.current) === 'forwarded';
        if (forwarded && !sip.isRequest && !doubtful)
          check(node, 'branch', traffic.current!.packet.sip!.branch, sip.callId);
        if (!sip.isRequest) return;
        if (sip.branch.startsWith(OUR_BRANCH)) issue(sip.branch, sip.callId);
        for (const route of sip.headers('record-route')) {
          const cookie = isOf(node, route) ? cookieIn(route) : '';
          if (cookie !== '' && !issued.has(cookie)) issue(cookie, sip.callId);
        }
        if (!forwarded || sip.toTag === '' || doubtful) return;
        const request = traffic.current?.packet.sip;
        if (!request || request.callId !== sip.callId) return; // from a context or a pending message
        // One of its cookies must be right; a hostile phone may add others, which are taken off like any Route of ours.
        const given = request.headers('route').map((route) => (isOf(node, route) ? cookieIn(route) : ''));
        if (!given.some((cookie) => issued.get(cookie) === sip.callId))
          for (const cookie of given) if (cookie !== '') check(node, 'cookie', cookie, sip.callId);
      },
    };
  };

/** As every reader has it, whatever it takes for a space. */
function printable(text: string): string {
  return text.replace(/[^!-~]/g, '');
}
