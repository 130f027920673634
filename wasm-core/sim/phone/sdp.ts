/**
 * Session descriptions of phones: as much of RFC 3264 as hold and resume need. The `i=` line says whose body it is (Call-ID and
 * the sender's tag), so that the receiver notices a body that belongs to another call or another fork.
 */

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** What an answer says to an offer, by one who would have it `wanted` (RFC 3264 6.1). */
export function answerTo(offer: Direction, wanted: 'sendrecv' | 'sendonly'): Direction {
  switch (offer) {
    case 'sendrecv':
      return wanted;
    case 'sendonly':
      return wanted === 'sendrecv' ? 'recvonly' : 'inactive';
    case 'recvonly':
      return 'sendonly';
    case 'inactive':
      return 'inactive';
  }
}

/** One phone's side of a session. */
export class Description {
  readonly #owner: string;
  readonly #information: string;
  readonly #media: string;
  #version = 0;

  /**
   * @param session  number of the session, of this phone
   * @param port  of the audio
   */
  constructor(name: string, session: number, callId: string, tag: string, port: number) {
    this.#owner = `o=${name} ${session}`;
    this.#information = informationOf(callId, tag);
    this.#media =
      `t=0 0\r\nm=audio ${port} RTP/AVP 8 0 101\r\n` +
      'a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n';
  }

  /** The next version of it. */
  write(ip: string, direction: Direction): string {
    this.#version++;
    return `v=0\r\n${this.#owner} ${this.#version} IN IP4 ${ip}\r\ns=-\r\n${this.#information}\r\nc=IN IP4 ${ip}\r\n${this.#media}a=${direction}\r\n`;
  }
}

/** The line that says whose body it is. */
export function informationOf(callId: string, tag: string): string {
  return `i=${callId} ${tag}`;
}

export function directionOf(body: string): Direction {
  if (body.includes('\r\na=sendonly')) return 'sendonly';
  if (body.includes('\r\na=recvonly')) return 'recvonly';
  if (body.includes('\r\na=inactive')) return 'inactive';
  return 'sendrecv';
}
