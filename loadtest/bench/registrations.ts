/**
 * An open-loop generator of registrations: each user registers one binding, at a fixed rate whatever is answered.
 * Its clock is a 1 ms timer, so requests leave in bunches of a millisecond's worth.
 */
import { createSocket, type Socket } from 'node:dgram';
import { authorization, challengesOf } from '../../switch/test/e2e/harness/digest.ts';
import { SipMessage } from '../../switch/test/e2e/harness/message.ts';
import { sleep } from '../../switch/test/e2e/harness/wait.ts';

export interface RegistrationOptions {
  /** `127.0.0.1:port` */
  proxy: string;
  /** Users who register: `first`, `first` + 1 and so on; their passwords are `bench-<user>`. */
  first: number;
  count: number;
  registrationsPerSecond: number;
  /** Tells this run from earlier ones of the same users: a Call-ID is not used twice. Default 0. */
  round?: number;
  onProgress?: (doneSeconds: number) => void;
}

export interface RegistrationResult {
  /** Answered with 200. */
  completed: number;
  /** Answered with anything else, a second challenge included. */
  refused: number;
  /** Not answered. */
  lost: number;
}

const DOMAIN = 'strowger.test';
const URI = `sip:${DOMAIN}`;
/** Sockets, each with the receive buffer that the system grants: room for the answers while this process is busy. */
const SOCKETS = 16;
const RECEIVE_BUFFER_BYTES = 4 << 20;
/** Answers that have not come this long after the last request are lost. */
const ANSWER_WITHIN_MS = 2_000;

/** Where a registration is. */
const WAITING = 0;
const CHALLENGED = 1;
const DONE = 2;

/** Registers all users once. */
export async function registerAll(options: RegistrationOptions): Promise<RegistrationResult> {
  const run = new Run(options);
  await run.open();
  try {
    return await run.finish();
  } finally {
    run.close();
  }
}

class Run {
  readonly #options: RegistrationOptions;
  readonly #host: string;
  readonly #port: number;
  readonly #sockets: Socket[] = [];
  readonly #states: Uint8Array;
  readonly #result: RegistrationResult = { completed: 0, refused: 0, lost: 0 };

  constructor(options: RegistrationOptions) {
    const [host = '', port = ''] = options.proxy.split(':');
    this.#options = options;
    this.#host = host;
    this.#port = Number(port);
    this.#states = new Uint8Array(options.count);
  }

  async open(): Promise<void> {
    for (let i = 0; i < SOCKETS; i++) {
      const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES });
      socket.on('message', (bytes) => this.#take(socket, bytes));
      await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
      this.#sockets.push(socket);
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }

  async finish(): Promise<RegistrationResult> {
    const { count, registrationsPerSecond, onProgress } = this.#options;
    const startedAt = performance.now();
    let seconds = 0;
    for (let sent = 0; sent < count; ) {
      const elapsedS = (performance.now() - startedAt) / 1_000;
      const due = Math.min(Math.floor(elapsedS * registrationsPerSecond), count);
      for (; sent < due; sent++) this.#send(this.#sockets[sent % SOCKETS]!, sent);
      if (Math.floor(elapsedS) > seconds) onProgress?.(++seconds);
      await sleep(1);
    }
    const endAt = performance.now() + ANSWER_WITHIN_MS;
    while (this.#answered < count && performance.now() < endAt) await sleep(10);
    return { ...this.#result, lost: count - this.#answered };
  }

  get #answered(): number {
    return this.#result.completed + this.#result.refused;
  }

  #send(socket: Socket, index: number, credentials?: string): void {
    const { first, round = 0 } = this.#options;
    const user = first + index;
    const port = socket.address().port;
    const cseq = credentials === undefined ? 1 : 2;
    const text =
      `REGISTER ${URI} SIP/2.0\r\n` +
      `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK-${user}-${round}-${cseq}\r\n` +
      'Max-Forwards: 70\r\n' +
      `From: <sip:${user}@${DOMAIN}>;tag=${user}\r\n` +
      `To: <sip:${user}@${DOMAIN}>\r\n` +
      `Call-ID: ${index}-${round}@bench\r\n` +
      `CSeq: ${cseq} REGISTER\r\n` +
      `Contact: <sip:${user}@127.0.0.1:${port}>\r\n` +
      'Expires: 3600\r\n' +
      (credentials === undefined ? '' : `Authorization: ${credentials}\r\n`) +
      'Content-Length: 0\r\n\r\n';
    socket.send(Buffer.from(text, 'latin1'), this.#port, this.#host);
  }

  #take(socket: Socket, bytes: Buffer): void {
    const index = indexOf(bytes);
    const state = this.#states[index];
    if (state === undefined || state === DONE) return;
    const status = Number(bytes.toString('latin1', 8, 11));
    if (status === 401 && state === WAITING) {
      this.#states[index] = CHALLENGED;
      this.#send(socket, index, this.#credentials(index, bytes));
    } else if (status === 200) {
      this.#states[index] = DONE;
      this.#result.completed++;
    } else if (status > 200 && !(status === 401 && cseqOf(bytes) === 1)) {
      this.#states[index] = DONE;
      this.#result.refused++;
    }
  }

  #credentials(index: number, bytes: Buffer): string {
    const user = String(this.#options.first + index);
    const challenge = challengesOf(SipMessage.parse(bytes)).find(({ algorithm }) => /^MD5$/i.test(algorithm));
    if (!challenge) throw new Error('the REGISTER was challenged, but not for MD5');
    return authorization(challenge, { user, password: `bench-${user}` }, 'REGISTER', URI);
  }
}

/** Which registration an answer belongs to, by its Call-ID; -1 for none. */
function indexOf(bytes: Buffer): number {
  const at = bytes.indexOf('Call-ID: ', 0, 'latin1');
  return at < 0 ? -1 : Number.parseInt(bytes.toString('latin1', at + 9, at + 19), 10);
}

function cseqOf(bytes: Buffer): number {
  const at = bytes.indexOf('CSeq: ', 0, 'latin1');
  return at < 0 ? 0 : Number.parseInt(bytes.toString('latin1', at + 6, at + 8), 10);
}
