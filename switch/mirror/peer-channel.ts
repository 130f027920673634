/**
 * Connections between the two nodes of a pair: who calls whom, and the proof that both have the secret. What comes out is a
 * descriptor, which the realtime thread takes over; none of its bytes go through here.
 *
 * Handshake, a JSON line each: the caller says who it is and a nonce; the called one says the same and proves that it knows the
 * secret by an HMAC over both nonces; the caller proves it, too. From then on frames are sent.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Logger } from '../control/log.ts';
import { openSyscalls } from '../realtime/syscalls.ts';

/** Where the other node listens. */
export interface PeerAddress {
  host: string;
  port: number;
}

/** What the other node said of itself. */
export interface PeerIdentity {
  node: string;
  pid: number;
}

export interface PeerChannelOptions {
  /** Name of this node. */
  node: string;
  /** Key of the proofs, as the cookies'. */
  secret: Buffer;
  /** Whether this node calls; the other one is called. */
  calls: boolean;
  /** A connection with the peer is there: the descriptor belongs to whoever takes it. `ahead`: what was read beyond the handshake. */
  linked: (fd: number, peer: PeerIdentity, ahead: Uint8Array) => void;
}

const PROTOCOL = 1;
const NONCE_BYTES = 16;
/** A line of the handshake is shorter than this. */
const LINE_BYTES_MAX = 1_024;
const HANDSHAKE_MS = 1_000;

type Line = Partial<Record<'v' | 'node' | 'pid' | 'nonce' | 'proof', unknown>>;

/** Something came that is not of the peer. */
class HandshakeError extends Error {}

export class PeerChannel {
  readonly #options: PeerChannelOptions;
  readonly #log: Logger;
  readonly #server: Server;
  #peer: PeerAddress | null = null;
  /** Our own call that is under way. */
  #calling: Socket | null = null;
  /** Whoever sends garbage is told of once. */
  #complained = false;
  #closed = false;

  constructor(options: PeerChannelOptions, log: Logger) {
    this.#options = options;
    this.#log = log;
    this.#server = createServer({ pauseOnConnect: true }, (socket) => void this.#called(socket));
    this.#server.maxConnections = 8;
  }

  /** @returns the port. @throws when it can't be had. */
  async listen(host: string, port = 0): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    this.#server.on('error', (error) => this.#log.error({ err: error }, 'listener of the peer'));
    return (this.#server.address() as { port: number }).port;
  }

  /** Where the peer is from now on; null: it is not known. */
  setPeer(peer: PeerAddress | null): void {
    this.#peer = peer;
  }

  /** Calls the peer, unless a call is under way or its address is not known. What fails is tried again by whoever asks again. */
  connect(): void {
    if (!this.#options.calls || this.#peer === null || this.#calling !== null || this.#closed) return;
    const socket = connect({ ...this.#peer, noDelay: true });
    this.#calling = socket;
    socket.pause();
    socket.once('connect', () => void this.#call(socket));
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      if (this.#calling === socket) this.#calling = null;
    });
  }

  close(): void {
    this.#closed = true;
    this.#calling?.destroy();
    this.#server.close();
  }

  async #call(socket: Socket): Promise<void> {
    try {
      const mine = randomBytes(NONCE_BYTES).toString('hex');
      await write(socket, this.#hello(mine));
      const { line, ahead } = await readLine(socket);
      const { node, pid, nonce, proof } = check(line);
      this.#prove(proof, 'called', mine, nonce);
      await write(socket, { proof: this.#proof('calling', mine, nonce) });
      this.#hand(socket, { node, pid }, ahead);
    } catch (error) {
      this.#refuse(socket, error as Error);
    }
  }

  async #called(socket: Socket): Promise<void> {
    socket.on('error', () => socket.destroy());
    try {
      const { node, pid, nonce } = check((await readLine(socket)).line);
      const mine = randomBytes(NONCE_BYTES).toString('hex');
      await write(socket, { ...this.#hello(mine), proof: this.#proof('called', nonce, mine) });
      const { line, ahead } = await readLine(socket);
      this.#prove(line.proof, 'calling', nonce, mine);
      this.#hand(socket, { node, pid }, ahead);
    } catch (error) {
      this.#refuse(socket, error as Error);
    }
  }

  #hello(nonce: string): Line {
    return { v: PROTOCOL, node: this.#options.node, pid: process.pid, nonce };
  }

  #proof(side: 'calling' | 'called', callers: string, calleds: string): string {
    return createHmac('sha256', this.#options.secret)
      .update(`strowger peer ${side} ${callers} ${calleds}`)
      .digest('hex');
  }

  #prove(proof: unknown, side: 'calling' | 'called', callers: string, calleds: string): void {
    const wanted = Buffer.from(this.#proof(side, callers, calleds));
    const given = Buffer.from(typeof proof === 'string' ? proof : '');
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
      throw new HandshakeError('it does not know the secret');
  }

  /** The socket's descriptor goes on, its object ends. */
  #hand(socket: Socket, peer: PeerIdentity, ahead: Uint8Array): void {
    const handle = (socket as unknown as { _handle: { fd: number } | null })._handle;
    if (handle === null || this.#closed) {
      socket.destroy();
      return;
    }
    const fd = openSyscalls().duplicate(handle.fd);
    socket.destroy();
    this.#options.linked(fd, peer, ahead);
  }

  #refuse(socket: Socket, error: Error): void {
    if (error instanceof HandshakeError && !this.#complained) {
      this.#complained = true;
      this.#log.warn(
        { from: `${socket.remoteAddress}:${socket.remotePort}`, reason: error.message },
        'refused a connection that is not of the peer; further ones are not told',
      );
    }
    socket.destroy();
  }
}

function check(line: Line): { node: string; pid: number; nonce: string; proof: unknown } {
  const { v, node, pid, nonce, proof } = line;
  if (v !== PROTOCOL) throw new HandshakeError(`it speaks version ${String(v)}, not ${PROTOCOL}`);
  if (typeof node !== 'string' || typeof pid !== 'number' || typeof nonce !== 'string')
    throw new HandshakeError('it does not say who it is');
  return { node, pid, nonce, proof };
}

function write(socket: Socket, line: Line): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(`${JSON.stringify(line)}\n`, (error) => (error ? reject(error) : resolve()));
  });
}

/** The next line, and what came behind it. */
function readLine(socket: Socket): Promise<{ line: Line; ahead: Uint8Array }> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const done = (error: Error | null, line: Line = {}, ahead = Buffer.alloc(0)): void => {
      clearTimeout(timer);
      socket.pause();
      socket.off('data', take);
      socket.off('close', closed);
      if (error) reject(error);
      else resolve({ line, ahead });
    };
    const take = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf('\n');
      if (end < 0 && bytes.length < LINE_BYTES_MAX) return;
      try {
        const line: unknown = JSON.parse(bytes.toString('latin1', 0, Math.max(end, 0)));
        if (typeof line !== 'object' || line === null) throw new Error('not an object');
        done(null, line, bytes.subarray(end + 1));
      } catch {
        done(new HandshakeError('what it says is not JSON'));
      }
    };
    const closed = (): void => done(new Error('closed'));
    const timer = setTimeout(() => done(new HandshakeError('it says nothing')), HANDSHAKE_MS);
    socket.on('data', take);
    socket.once('close', closed);
    socket.resume();
  });
}
