/** SIP messages as text, just enough for a stand-in of the switch. */

export interface SipMessage {
  /** Request line or status line. */
  start: string;
  headers: [name: string, value: string][];
  body: string;
}

export function parse(text: string): SipMessage {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [start = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  });
  return { start, headers, body: rest.join('\r\n\r\n') };
}

export function format({ start, headers, body }: SipMessage): string {
  return `${[start, ...headers.map(([name, value]) => `${name}: ${value}`)].join('\r\n')}\r\n\r\n${body}`;
}

/** First value of a header; empty when there is none. */
export function header({ headers }: SipMessage, name: string): string {
  return headers.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1] ?? '';
}

export const isRequest = ({ start }: SipMessage): boolean => !start.startsWith('SIP/2.0 ');
export const methodOf = (message: SipMessage): string => message.start.split(' ')[0] ?? '';
export const statusOf = (message: SipMessage): number => Number(message.start.split(' ')[1]);

/** User part of the first URI in a value. */
export function userIn(value: string): string {
  return decodeURIComponent(/sips?:([^@;>]+)@/.exec(value)?.[1] ?? '');
}

/** A response with the headers that RFC 3261 8.2.6.2 copies. */
export function responseTo(
  request: SipMessage,
  status: string,
  extra: [string, string][] = [],
  toTag = 'standin',
): SipMessage {
  const copied = ['via', 'from', 'call-id', 'cseq'];
  const headers = request.headers.filter(([name]) => copied.includes(name.toLowerCase()));
  const to = header(request, 'to');
  headers.push(['To', to.includes(';tag=') ? to : `${to};tag=${toTag}`]);
  return { start: `SIP/2.0 ${status}`, headers: [...headers, ...extra, ['Content-Length', '0']], body: '' };
}
