/** HTTP requests and answers, apart from the server that carries them. */
import { STATUS_CODES } from 'node:http';
import { sendFile } from './file-body.ts';
import type { HttpRequest, HttpResponse } from 'uWebSockets.js';

/** A request, read out of the server's short-lived object. */
export interface Request {
  /** Upper case. */
  method: string;
  /** Percent-encoded, without query. */
  path: string;
  query: URLSearchParams;
  /** Token as `Authorization: Bearer` or `?token=`, '' = none. */
  token: string;
  /** If-None-Match, '' = none. */
  ifNoneMatch: string;
}

/** An answer. */
export interface Reply {
  status: number;
  /** Content-Type; needed with a body. */
  type?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  /** A file instead of a body, which is read while it is sent. */
  file?: { path: string; bytes: number };
}

/** Headers of every answer. */
const COMMON_HEADERS: readonly (readonly [string, string])[] = [
  ['x-content-type-options', 'nosniff'],
  ['referrer-policy', 'no-referrer'],
];

/** Reads what is needed; must be called before the handler returns or awaits. */
export function readRequest(req: HttpRequest): Request {
  const query = new URLSearchParams(req.getQuery());
  const authorization = req.getHeader('authorization');
  const bearer = /^bearer +(\S+) *$/i.exec(authorization)?.[1];
  return {
    method: req.getMethod().toUpperCase(),
    path: req.getUrl(),
    query,
    token: bearer ?? query.get('token') ?? '',
    ifNoneMatch: req.getHeader('if-none-match'),
  };
}

/** A JSON answer, never cached. */
export function json(body: unknown, status = 200): Reply {
  return {
    status,
    type: 'application/json',
    headers: { 'cache-control': 'no-store' },
    body: `${JSON.stringify(body)}\n`,
  };
}

/** Whether the client has gone. */
export interface Client {
  gone: boolean;
  /** Called when it goes. */
  onGone: (() => void) | null;
}

/** Writes an answer; with `headOnly` its length but no body. */
export function writeReply(res: HttpResponse, reply: Reply, headOnly: boolean, client: Client): void {
  res.cork(() => {
    res.writeStatus(`${reply.status} ${STATUS_CODES[reply.status] ?? ''}`);
    for (const [name, value] of COMMON_HEADERS) res.writeHeader(name, value);
    for (const [name, value] of Object.entries(reply.headers ?? {})) res.writeHeader(name, value);
    if (reply.type) res.writeHeader('content-type', reply.type);
    if (reply.file) {
      if (headOnly || reply.file.bytes === 0) res.endWithoutBody(reply.file.bytes, true);
      else void sendFile(res, reply.file, client);
      return;
    }
    const body = reply.body ?? '';
    // Closed, because uWebSockets.js 20.51 aborts the next request on a connection after endWithoutBody.
    if (headOnly) res.endWithoutBody(typeof body === 'string' ? Buffer.byteLength(body) : body.length, true);
    else res.end(body);
  });
}
