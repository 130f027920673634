/**
 * A called side that does what RFC 3261 asks for when messages are lost: a repeated INVITE is answered again (17.2.1), the 2xx is
 * repeated until its ACK comes (13.3.1.4), and each BYE is answered. SIPp's scenarios give calls up that a phone would not.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

const T1_MS = 500;
const T2_MS = 4_000;
/** 64 * T1: then the 2xx is given up, and the call forgotten. */
const GIVE_UP_MS = 32_000;
const RECEIVE_BUFFER_BYTES = 4 << 20;
const COPIED = /^(?:Via|From|Call-ID|CSeq|Record-Route):.*$/gim;

interface Answered {
  text: string;
  acknowledged: boolean;
}

export class Callee {
  readonly #socket: Socket;
  /** Answers to INVITEs, by Call-ID. */
  readonly #answered = new Map<string, Answered>();
  readonly #timers = new Set<NodeJS.Timeout>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (bytes, from) => this.#take(bytes.toString('latin1'), from));
  }

  static async start(): Promise<Callee> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES }).bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new Callee(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#socket.close();
  }

  #take(text: string, from: RemoteInfo): void {
    const method = text.slice(0, text.indexOf(' '));
    const callId = /^Call-ID: *(\S+)/im.exec(text)?.[1] ?? '';
    const call = this.#answered.get(callId);
    if (method === 'ACK') {
      if (call) call.acknowledged = true;
    } else if (method === 'BYE') {
      if (call) call.acknowledged = true;
      this.#send(this.#response(text, '200 OK'), from);
    } else if (method === 'INVITE' && call) this.#send(call.text, from);
    else if (method === 'INVITE') this.#ring(text, callId, from);
  }

  #ring(invite: string, callId: string, from: RemoteInfo): void {
    this.#send(this.#response(invite, '180 Ringing'), from);
    const body = `v=0\r\no=callee 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${this.port} RTP/AVP 0\r\n`;
    const call: Answered = { text: this.#response(invite, '200 OK', body), acknowledged: false };
    this.#answered.set(callId, call);
    this.#send(call.text, from);
    this.#repeat(call, from, T1_MS);
    this.#later(GIVE_UP_MS, () => this.#answered.delete(callId));
  }

  #repeat(call: Answered, from: RemoteInfo, afterMs: number): void {
    if (afterMs > GIVE_UP_MS) return;
    this.#later(Math.min(afterMs, T2_MS), () => {
      if (call.acknowledged) return;
      this.#send(call.text, from);
      this.#repeat(call, from, afterMs * 2);
    });
  }

  #later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }

  #response(request: string, status: string, body = ''): string {
    const to = /^To:.*$/im.exec(request)?.[0] ?? 'To: <sip:nobody@invalid>';
    const lines = [
      `SIP/2.0 ${status}`,
      ...(request.match(COPIED) ?? []).map((line) => line.trim()),
      to.includes('tag=') ? to : `${to};tag=callee`,
      `Contact: <sip:callee@127.0.0.1:${this.port}>`,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
    ];
    return `${lines.join('\r\n')}\r\n\r\n${body}`;
  }

  #send(text: string, to: RemoteInfo): void {
    this.#socket.send(Buffer.from(text, 'latin1'), to.port, to.address);
  }
}
