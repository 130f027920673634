/** Free ports on loopback, each handed out once per test process. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** Below the kernel's ephemeral range, so that no outgoing connection takes a port between the check and its use. */
const FIRST = 10_000;
const LAST = 30_000;

let next = FIRST + (process.pid % 80) * 250;

/**
 * The first of `count` consecutive ports that are free for UDP and TCP on 127.0.0.1.
 * Always even, as RTP wants it (RFC 3550 section 11).
 */
export async function freePorts(count = 1): Promise<number> {
  for (let tries = 0; tries < 500; tries++) {
    if (next + count > LAST) next = FIRST;
    const first = next;
    next += count + (count & 1);
    if (await allFree(first, count)) return first;
  }
  throw new Error(`no ${count} consecutive free ports between ${FIRST} and ${LAST}`);
}

async function allFree(first: number, count: number): Promise<boolean> {
  for (let port = first; port < first + count; port++) {
    if (!(await isUdpFree(port)) || !(await isTcpFree(port))) return false;
  }
  return true;
}

function isUdpFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.once('error', () => resolve(false));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
}

function isTcpFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
