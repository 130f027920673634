/** Checks requests that came over a socket, before anything believes their types. */
import { KEEP_CALLS_MAX, type MediaRequest } from '../protocol.ts';

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const name: Check = (value) => typeof value === 'string' && value.length > 0 && value.length <= 256;
const whole: Check = (value) => Number.isInteger(value) && (value as number) >= 0;
const leg: Check = (value) => whole(value) && (value as number) <= 255;
const want: Check = (value) => value === 'ask' || value === 'renew' || value === 'release';
const names: Check = (value) => Array.isArray(value) && value.length <= KEEP_CALLS_MAX && value.every(name);
const status: Check = (value) => whole(value) && (value as number) < 700;
const variant: Check = (value) => value === 'plain' || value === 'webrtc';
const variants: Check = (value) =>
  Array.isArray(value) && value.length >= 1 && value.length <= 2 && value.every(variant);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const yesOrNo: Check = (value) => typeof value === 'boolean';

/** The fields of each request besides `op` and `id`. */
const FIELDS: Record<MediaRequest['op'], Record<string, Check>> = {
  hello: { v: whole, node: name, leaseMs: whole },
  lease: { want, epoch: whole },
  keep: { epoch: whole, calls: names, last: yesOrNo, restored: yesOrNo },
  sdp: {
    epoch: whole,
    call: name,
    leg,
    legVariant: variant,
    targetLeg: leg,
    targetVariants: variants,
    method: name,
    cseq: whole,
    status,
    sdp: text,
    source: text,
  },
  offered: { epoch: whole, call: name, leg, offer: whole, status, sdp: text },
  closeLeg: { epoch: whole, call: name, leg },
  closeCall: { epoch: whole, call: name },
  stats: { epoch: whole, call: optional(name) },
};

/** What is wrong with a request, or null. */
export function problemOf(request: Partial<MediaRequest>): string | null {
  if (!whole(request.id)) return 'id is not a whole number';
  const fields = Object.hasOwn(FIELDS, String(request.op)) ? FIELDS[request.op!] : undefined;
  if (!fields) return `op ${JSON.stringify(request.op)} is not known`;
  for (const [field, check] of Object.entries(fields)) {
    if (!check((request as unknown as Record<string, unknown>)[field]))
      return `${field} is missing or out of range`;
  }
  return null;
}
