/** Messages of phones in tests of the core. */
import { type Driver, type Effect, header, sent } from './driver.ts';

let serial = 0;

/** What a test may choose of a request. */
export interface RequestFields {
  method?: string;
  uri?: string;
  from?: string;
  to?: string;
  callId?: string;
  cseq?: number;
  branch?: string;
  port?: number;
  via?: string;
  headers?: string[];
  body?: string;
}

export function request(fields: RequestFields = {}): string {
  const n = ++serial;
  const { method = 'INVITE', port = 5070, cseq = 1, body = '' } = fields;
  return [
    `${method} ${fields.uri ?? 'sip:1002@strowger.test'} SIP/2.0`,
    fields.via ?? `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=${fields.branch ?? `z9hG4bKt${n}`}`,
    `From: ${fields.from ?? '<sip:1001@strowger.test>;tag=caller'}`,
    `To: ${fields.to ?? '<sip:1002@strowger.test>'}`,
    `Call-ID: ${fields.callId ?? `call-${n}`}`,
    `CSeq: ${cseq} ${method}`,
    'Max-Forwards: 70',
    ...(method === 'INVITE' ? [`Contact: <sip:1001@127.0.0.1:${port}>`] : []),
    ...(fields.headers ?? []),
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

/** A response to a request that the core has sent, as its receiver would write it. */
export function answer(to: string, status: string, tag = 'callee', extra: string[] = [], body = ''): string {
  const copied = to
    .slice(0, to.indexOf('\r\n\r\n'))
    .split('\r\n')
    .slice(1)
    .filter((line) => /^(Via|From|Call-ID|CSeq|Record-Route):/.test(line));
  const hasTag = header(to, 'To')[0]!.includes('tag=');
  return [
    `SIP/2.0 ${status}`,
    ...copied,
    `To: ${header(to, 'To')[0]}${hasTag || status.startsWith('100') ? '' : `;tag=${tag}`}`,
    ...extra,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

/** Registers a user's phone on a port. */
export function register(
  driver: Driver,
  user: string,
  port: number,
  params = '',
  headers: string[] = [],
): Effect[] {
  return driver.message(
    request({
      method: 'REGISTER',
      uri: 'sip:strowger.test',
      from: `<sip:${user}@strowger.test>;tag=r`,
      to: `<sip:${user}@strowger.test>`,
      port,
      headers: [`Contact: <sip:${user}@127.0.0.1:${port}>${params}`, ...headers],
    }),
    { port },
  );
}

/** Route headers that a dialog's requests carry, from the Record-Route of a message. */
export function routes(message: string, reverse = false): string[] {
  const values = header(message, 'Record-Route');
  return (reverse ? values.reverse() : values).map((value) => `Route: ${value}`);
}

/** The messages to a port among effects. */
export function to(effects: readonly Effect[], port: number): string[] {
  return sent(effects)
    .filter((effect) => effect.port === port)
    .map((effect) => effect.text);
}
