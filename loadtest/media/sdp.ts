/** What the phones of the generator offer and answer: G.711, RTCP on the port of RTP. */

/** @param formats payload types; static ones, so that nothing else is to be said of them. */
export function phoneSdp(port: number, formats = '0'): string {
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} RTP/AVP ${formats}`,
    'a=rtcp-mux',
    '',
  ].join('\r\n');
}

/** Port of the first audio line. @throws when there is none. */
export function audioPort(sdp: string): number {
  const [, port] = /^m=audio (\d+) /m.exec(sdp) ?? [];
  if (port === undefined) throw new Error(`no audio in:\n${sdp}`);
  return Number(port);
}
