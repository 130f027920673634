/** The messages of the bench: one call as SIPp's built-in scenario makes it, and registrations. */
import { createHash } from 'node:crypto';

const SDP = [
  'v=0',
  'o=user1 53655765 2353687637 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 6000 RTP/AVP 0',
  'a=rtpmap:0 PCMU/8000',
  '',
].join('\r\n');

/** Ports of the caller's and of the callee's phone. */
export const CALLER_PORT = 6000;
export const CALLEE_PORT = 7001;

/** The INVITE of call `n`: 474 bytes where `n` has five digits, as in the comparison with other proxies. */
export function invite(n: number, callee: string): string {
  return [
    `INVITE sip:${callee}@strowger.test SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${CALLER_PORT};branch=z9hG4bK-${n}-1`,
    `From: <sip:1001@strowger.test>;tag=${n}SIPpTag001`,
    `To: <sip:${callee}@strowger.test>`,
    `Call-ID: 1-${n}@127.0.0.1`,
    'CSeq: 1 INVITE',
    `Contact: <sip:1001@127.0.0.1:${CALLER_PORT}>`,
    'Max-Forwards: 70',
    'User-Agent: me',
    'Content-Type: application/sdp',
    `Content-Length: ${SDP.length}`,
    '',
    SDP,
  ].join('\r\n');
}

/** Header lines of a message by name, in order. */
export function linesOf(message: string, ...names: string[]): string[] {
  const head = message.slice(0, message.indexOf('\r\n\r\n')).split('\r\n');
  return head.slice(1).filter((line) => names.includes(line.slice(0, line.indexOf(':'))));
}

/** What the callee answers to a request that reached him. */
export function answer(request: string, status: string, sdp = false): string {
  const tagged = linesOf(request, 'To')[0]!.includes('tag=');
  return [
    `SIP/2.0 ${status}`,
    ...linesOf(request, 'Via', 'Record-Route', 'From', 'Call-ID', 'CSeq'),
    `${linesOf(request, 'To')[0]}${tagged ? '' : ';tag=SIPpTag01callee'}`,
    `Contact: <sip:1002@127.0.0.1:${CALLEE_PORT};transport=UDP>`,
    ...(sdp ? ['Content-Type: application/sdp'] : []),
    `Content-Length: ${sdp ? SDP.length : 0}`,
    '',
    sdp ? SDP : '',
  ].join('\r\n');
}

/** A request of the caller in the dialog that `ok`, the 200 that reached him, made. */
export function inDialog(method: string, cseq: number, n: number, ok: string): string {
  return [
    `${method} sip:1002@127.0.0.1:${CALLEE_PORT};transport=UDP SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${CALLER_PORT};branch=z9hG4bK-${n}-1-${method}`,
    ...linesOf(ok, 'Record-Route').map((line) => line.slice('Record-'.length)),
    ...linesOf(ok, 'From', 'To', 'Call-ID'),
    `CSeq: ${cseq} ${method}`,
    `Contact: <sip:1001@127.0.0.1:${CALLER_PORT}>`,
    'Max-Forwards: 70',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

/** A REGISTER of `user`, with credentials where given. */
export function register(user: string, n: number, authorization = ''): string {
  return [
    'REGISTER sip:strowger.test SIP/2.0',
    `Via: SIP/2.0/UDP 127.0.0.1:${CALLEE_PORT};branch=z9hG4bK-${n}-1-0`,
    `From: <sip:${user}@strowger.test>;tag=${n}SIPpTag00`,
    `To: <sip:${user}@strowger.test>`,
    `Call-ID: 1-${user}@127.0.0.1`,
    `CSeq: ${n} REGISTER`,
    `Contact: <sip:${user}@127.0.0.1:${CALLEE_PORT}>`,
    'Max-Forwards: 70',
    'Expires: 3600',
    ...(authorization === '' ? [] : [`Authorization: ${authorization}`]),
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

export type Algorithm = 'MD5' | 'SHA-256';

/** Node's name of a digest algorithm. */
export function hashName(algorithm: Algorithm): string {
  return algorithm === 'MD5' ? 'md5' : 'sha256';
}

/** The credentials (RFC 7616 3.4) that answer the challenge in `response`. */
export function credentials(response: string, algorithm: Algorithm, user: string, ha1: string): string {
  const challenge = linesOf(response, 'WWW-Authenticate').find((line) => line.includes(`=${algorithm},`))!;
  const nonce = /nonce="([^"]*)"/.exec(challenge)![1]!;
  const hash = (text: string) => createHash(hashName(algorithm)).update(text).digest('hex');
  const uri = 'sip:strowger.test';
  const proof = hash(`${ha1}:${nonce}:00000001:bench:auth:${hash(`REGISTER:${uri}`)}`);
  return (
    `Digest username="${user}", realm="strowger.test", nonce="${nonce}", uri="${uri}", algorithm=${algorithm}, ` +
    `qop=auth, nc=00000001, cnonce="bench", response="${proof}"`
  );
}
