/**
 * What a browser does before media flows, for one leg: ICE (RFC 8445) as far as an ICE-lite server needs it, and a DTLS-SRTP
 * handshake (RFC 5764), made by OpenSSL's s_client. Then the port is free for the generator, and the keys are known.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createHmac, randomBytes, X509Certificate } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

const LOOPBACK = '127.0.0.1';
const HANDSHAKE_MS = 5_000;
/** Key and salt of the client, then of the server, RFC 5764 4.2 with SRTP_AES128_CM_SHA1_80. */
const KEY_BYTES = 16;
const SALT_BYTES = 14;

/** What the other side encrypts with. */
export interface SrtpKeys {
  key: Uint8Array;
  salt: Uint8Array;
}

export interface Certificate {
  certificate: string;
  key: string;
  /** SHA-256, as SDP writes it. */
  fingerprint: string;
}

/** A certificate of its own, in `folder`. @throws when there is no OpenSSL. */
export function makeCertificate(folder: string): Certificate {
  const [certificate, key] = [join(folder, 'browser.pem'), join(folder, 'browser.key')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const files = ['-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', ...curve, '-nodes', '-subj', '/CN=bench', ...files], {
    stdio: 'ignore',
  });
  return { certificate, key, fingerprint: new X509Certificate(readFileSync(certificate)).fingerprint256 };
}

/** The answer of a browser that talks G.711 to an offer. */
export function browserSdp({ fingerprint }: Certificate, ufrag: string, ssrc: number): string {
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 0',
    'c=IN IP4 0.0.0.0',
    `a=ice-ufrag:${ufrag}`,
    'a=ice-pwd:0123456789012345678901',
    `a=fingerprint:sha-256 ${fingerprint}`,
    'a=setup:active',
    'a=mid:0',
    'a=sendrecv',
    'a=rtcp-mux',
    'a=rtpmap:0 PCMU/8000',
    `a=ssrc:${ssrc} cname:bench`,
    '',
  ].join('\r\n');
}

/** Connects from `port` to the transport that `offer` describes. @throws when it takes too long. */
export async function connectBrowser(
  port: number,
  offer: string,
  ufrag: string,
  { certificate, key }: Certificate,
): Promise<SrtpKeys> {
  const value = (pattern: RegExp) => pattern.exec(offer)?.[1] ?? '';
  const to = Number(value(/^a=candidate:\S+ 1 udp \d+ \S+ (\d+)/im));
  const username = `${value(/^a=ice-ufrag:(\S+)/m)}:${ufrag}`;
  const signal = AbortSignal.timeout(HANDSHAKE_MS);
  const media = await bound(port);
  const inner = await bound(0); // where OpenSSL connects to
  try {
    const bound = once(media, 'message', { signal });
    media.send(bindingRequest(username, value(/^a=ice-pwd:(\S+)/m)), to, LOOPBACK);
    await bound;
    let client = 0;
    inner.on('message', (bytes, from) => {
      client = from.port;
      media.send(bytes, to, LOOPBACK);
    });
    media.on('message', (bytes) => {
      // DTLS by its first byte (RFC 7983); the rest is ICE.
      if (client !== 0 && bytes[0]! >= 20 && bytes[0]! <= 63) inner.send(bytes, client, LOOPBACK);
    });
    const exported = ['-keymatexport', 'EXTRACTOR-dtls_srtp', '-keymatexportlen', '60'];
    const profile = ['-use_srtp', 'SRTP_AES128_CM_SHA1_80'];
    const own = ['-cert', certificate, '-key', key];
    const connect = ['-connect', `${LOOPBACK}:${inner.address().port}`];
    const openssl = spawn('openssl', ['s_client', '-dtls1_2', ...connect, ...own, ...profile, ...exported], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    try {
      return serverKeys(await keyingMaterial(openssl.stdout, signal));
    } finally {
      inner.removeAllListeners('message'); // its goodbye would end the association
      openssl.kill('SIGKILL');
    }
  } finally {
    for (const socket of [media, inner]) socket.close();
  }
}

async function bound(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(port, LOOPBACK);
  await once(socket, 'listening');
  return socket;
}

async function keyingMaterial(output: NodeJS.ReadableStream, signal: AbortSignal): Promise<Buffer> {
  let text = '';
  for (;;) {
    const [chunk] = (await once(output, 'data', { signal })) as [Buffer];
    text += chunk.toString('latin1');
    const [, hex] = /Keying material: ([0-9A-F]{120})/.exec(text) ?? [];
    if (hex !== undefined) return Buffer.from(hex, 'hex');
  }
}

function serverKeys(material: Buffer): SrtpKeys {
  const salts = 2 * KEY_BYTES;
  return {
    key: material.subarray(KEY_BYTES, salts),
    salt: material.subarray(salts + SALT_BYTES, salts + 2 * SALT_BYTES),
  };
}

/** STUN Binding request of a controlling agent that nominates (RFC 8489, RFC 8445 7.1). */
function bindingRequest(username: string, password: string): Buffer {
  const attributes = [
    attribute(0x0006, Buffer.from(username)), // USERNAME
    attribute(0x0024, Buffer.from([0x6e, 0, 1, 0xff])), // PRIORITY
    attribute(0x802a, randomBytes(8)), // ICE-CONTROLLING
    attribute(0x0025, Buffer.alloc(0)), // USE-CANDIDATE
  ];
  const head = Buffer.alloc(20);
  head.writeUInt16BE(0x0001, 0);
  head.writeUInt32BE(0x2112a442, 4);
  randomBytes(12).copy(head, 8);
  // The length covers MESSAGE-INTEGRITY while that is computed, and FINGERPRINT while that is.
  const bytes = () => Buffer.concat([head, ...attributes]);
  const setLength = (next: number) => head.writeUInt16BE(bytes().length - 20 + next, 2);
  setLength(24);
  attributes.push(attribute(0x0008, createHmac('sha1', password).update(bytes()).digest()));
  setLength(8);
  const fingerprint = Buffer.alloc(4);
  fingerprint.writeUInt32BE((crc32(bytes()) ^ 0x5354554e) >>> 0);
  attributes.push(attribute(0x8028, fingerprint));
  return bytes();
}

function attribute(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(value.length, 2);
  value.copy(bytes, 4);
  return bytes;
}
