/** What a phone sends, and where it goes. */
import { type Arrival, ipOf } from '../network.ts';
import { Packet } from '../packet.ts';
import type { SipMessage } from '../sip/message.ts';
import { parameter } from '../sip/message.ts';
import type { RequestParts } from './style.ts';

/** A request as it is sent, once or more often. */
export interface Outgoing {
  parts: RequestParts;
  /** Name of its transaction. */
  key: string;
  packet: Packet;
  /** Next hop; over a stream it is always the phone's node. */
  ip: number;
  port: number;
}

/** Where the responses to a request go, and the Via values that they carry. */
export interface ReplyPath {
  ip: number;
  port: number;
  vias: readonly string[];
}

const encoder = new TextEncoder();

export function packetOf(text: string): Packet {
  return new Packet(encoder.encode(text));
}

/** Name of a client transaction (17.1.3): CANCEL has the branch of its INVITE. */
export function clientKey(branch: string, method: string): string {
  return method === 'CANCEL' ? `${branch} CANCEL` : branch;
}

/** Name of a server transaction (17.2.3) by the topmost Via: branch and sent-by; ACK has that of its INVITE. */
export function serverKey(via: string, method: string): string {
  const key = `${parameter(via, 'branch')} ${sentBy(via)}`;
  return method === 'CANCEL' ? `${key} CANCEL` : key;
}

/** Host and port of a Via. */
function sentBy(via: string): string {
  const semicolon = via.indexOf(';');
  const end = semicolon < 0 ? via.length : semicolon;
  return via.slice(via.lastIndexOf(' ', end - 1) + 1, end);
}

/** RFC 3261 18.2.1, 18.2.2 and RFC 3581 4. */
export function replyPath(request: SipMessage, arrival: Arrival, sourceText: string): ReplyPath {
  const vias = request.headers('via');
  const top = vias[0] ?? '';
  const address = addressOf(sentBy(top));
  const asksForPort = top.includes(';rport');
  let port = address.port;
  let shown = top;
  if (asksForPort) {
    port = arrival.fromPort;
    shown = shown.replace(/;rport(=[0-9]*)?/, `;rport=${arrival.fromPort}`);
  }
  if (asksForPort || address.ip !== arrival.fromIp) shown += `;received=${sourceText}`;
  vias[0] = shown;
  return { ip: arrival.fromIp, port, vias };
}

/** Address and port of a SIP URI. */
export function hopOf(uri: string): { ip: number; port: number } {
  const at = uri.indexOf('@');
  const from = at < 0 ? uri.indexOf(':') + 1 : at + 1;
  let end = from;
  while (end < uri.length && uri[end] !== ';' && uri[end] !== '?' && uri[end] !== '>') end++;
  return addressOf(uri.slice(from, end));
}

/** `ip` is NaN for a name. */
function addressOf(hostPort: string): { ip: number; port: number } {
  const colon = hostPort.indexOf(':');
  if (colon < 0) return { ip: ipOf(hostPort), port: 5060 };
  return { ip: ipOf(hostPort.slice(0, colon)), port: Number(hostPort.slice(colon + 1)) };
}
