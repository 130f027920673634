/** User agents on the WebSockets of k6. */
import crypto from 'k6/crypto';
import exec from 'k6/execution';
import { WebSocket } from 'k6/websockets';
import type { Algorithm } from './digest.ts';
import { type Account, UserAgent } from './user-agent.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** Time since the test began, in ms with fractions: k6 has no finer clock, and Date.now() has whole ms. */
export function nowMs(): number {
  return exec.instance.currentTestRunDuration;
}

function hash(algorithm: Algorithm, text: string): string {
  return algorithm === 'MD5' ? crypto.md5(text, 'hex') : crypto.sha256(text, 'hex');
}

/** An open WebSocket. */
export interface Connection {
  send: (text: string) => void;
  close: () => void;
}

/**
 * Opens a WebSocket with the subprotocol `sip` (RFC 7118 4.1). An open one keeps the iteration from ending.
 * @throws Error when it doesn't open
 */
export function openSocket(
  url: string,
  onMessage: (text: string) => void,
  onClose?: () => void,
): Promise<Connection> {
  // Its type says that subprotocols are to come; k6 has them.
  const socket = new WebSocket(url, 'sip' as unknown as null);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.close();
      reject(new Error('connect: no answer'));
    }, CONNECT_TIMEOUT_MS);
    socket.onopen = () => {
      clearTimeout(timer);
      resolve({ send: (text) => socket.send(text), close: () => socket.close() });
    };
    socket.onmessage = (event) => onMessage(event!.data as string);
    socket.onerror = (event) => {
      clearTimeout(timer);
      reject(new Error(`connect: ${event?.error}`));
    };
    if (onClose) socket.onclose = onClose;
  });
}

/** A user agent with its connection. */
export interface Connected {
  agent: UserAgent;
  close: () => void;
}

/** Connects a user agent to the switch. @throws Error when the WebSocket doesn't open */
export async function connect(target: string, account: Account): Promise<Connected> {
  let connection: Connection | undefined;
  const agent = new UserAgent(account, { nowMs, hash, send: (text) => connection?.send(text) });
  connection = await openSocket(
    target,
    (text) => agent.receive(text),
    () => agent.disconnected(),
  );
  return { agent, close: connection.close };
}
