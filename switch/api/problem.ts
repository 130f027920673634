/** Errors of the API: problem documents (RFC 9457). */
import { STATUS_CODES } from 'node:http';
import type { Reply } from './exchange.ts';

/** Thrown by handlers for what the client should be told. */
export class Problem extends Error {
  override name = 'Problem';
  readonly status: number;
  /** More members of the document (RFC 9457 3.2). */
  readonly extra: Readonly<Record<string, unknown>>;

  /** @param detail what went wrong, for a human; never a secret. */
  constructor(status: number, detail: string, extra: Record<string, unknown> = {}) {
    super(detail);
    this.status = status;
    this.extra = extra;
  }
}

/** The answer for a problem. */
export function problemReply(problem: Problem, instance: string): Reply {
  const body = {
    type: 'about:blank',
    title: STATUS_CODES[problem.status] ?? 'Error',
    status: problem.status,
    detail: problem.message,
    instance,
    ...problem.extra,
  };
  const headers: Record<string, string> = { 'cache-control': 'no-store' };
  // RFC 6750 3: says how to authenticate.
  if (problem.status === 401) headers['www-authenticate'] = 'Bearer realm="strowger"';
  if (typeof problem.extra['allow'] === 'string') headers['allow'] = problem.extra['allow'];
  if (problem.status === 503) headers['retry-after'] = '5';
  return {
    status: problem.status,
    type: 'application/problem+json',
    headers,
    body: `${JSON.stringify(body)}\n`,
  };
}
