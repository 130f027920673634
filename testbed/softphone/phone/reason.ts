/** Why the other side ended a call, from the Reason header (RFC 3326) of its BYE or CANCEL. */
import type { End } from './call.ts';
import { failure } from './failure.ts';

export interface Reason {
  /** `SIP`, `Q.850`. */
  protocol: string;
  cause: number;
  text: string;
}

/** The first value of the header, or null when there is none or it has no cause. */
export function parseReason(header: string | undefined): Reason | null {
  if (header === undefined) return null;
  const protocol = /^\s*([\w.-]+)/.exec(header)?.[1];
  const cause = /;\s*cause\s*=\s*(\d+)/i.exec(header)?.[1];
  if (protocol === undefined || cause === undefined) return null;
  const text = /;\s*text\s*=\s*"((?:[^"\\]|\\.)*)"/i.exec(header)?.[1] ?? '';
  return { protocol, cause: Number(cause), text: text.replace(/\\(.)/g, '$1') };
}

/** Q.850 16 is "normal call clearing"; of SIP, 200 is. */
function isNormal({ protocol, cause }: Reason): boolean {
  return protocol.toUpperCase() === 'Q.850' ? cause === 16 : cause === 200 || cause === 487;
}

/** A BYE: normally just the end; with another cause the switch, not the person, ended it. */
export function endOfBye(header: string | undefined): End {
  const reason = parseReason(header);
  if (reason === null || isNormal(reason)) return { outcome: 'completed', failure: null };
  const detail = `${reason.cause} ${reason.text}`.trim();
  return { outcome: 'completed', failure: failure('ended-by-switch', detail) };
}

/** A CANCEL: missed, unless another phone of ours answered (RFC 3326 2, cause 200). */
export function endOfCancel(header: string | undefined): End {
  const elsewhere = parseReason(header)?.cause === 200;
  return { outcome: elsewhere ? 'elsewhere' : 'missed', failure: null };
}
