/** Command line of the media process. */
import { parseArgs } from 'node:util';
import { isIP } from 'node:net';
import { LEASE_MS } from '../../switch/mirror/lease-time.ts';
import type { MediaPath } from '../protocol.ts';

/** What the command line says, checked and complete. */
export interface MediaOptions {
  /** Unix socket on which nodes command. */
  socket: string;
  /** IP address that media ports are opened on. */
  address: string;
  /** Address written into SDP. Default: `address`. */
  announcedAddress: string;
  /** First and last UDP port of phones. Default 20000-29999. */
  portMin: number;
  portMax: number;
  /** UDP and TCP port of browsers on the first worker. Default 44400. */
  webrtcPort: number;
  /** Who carries media between two phones. Default edge. */
  plainToPlain: MediaPath;
  /** Time that a packet may take in the edge, µs, 0..2000; half of it to gather at high load. Default 500; 0: never. */
  batchBudgetUs: number;
  /** mediasoup workers, 1..64. Default 1. */
  workers: number;
  /** Seconds without media after which a call is reported; 0: never. Default 120. */
  timeoutS: number;
  /** Calls at the same time at most. Default: as many as there are ports for. */
  callsMax: number;
  /** How long a lease lasts, ms, 100..10000. Default 350. */
  leaseMs: number;
  /** How often the media process was started, this time included, 1..65536: its epochs depend on it. Default 1. */
  generation: number;
  /** Level of pino. Default info. */
  logLevel: string;
}

const PATHS: MediaPath[] = ['edge', 'mediasoup'];
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** @throws Error that says which argument is wrong. */
export function parseOptions(args: string[]): MediaOptions {
  const { values } = parseArgs({
    args,
    options: {
      socket: { type: 'string' },
      address: { type: 'string', default: '127.0.0.1' },
      announced: { type: 'string' },
      ports: { type: 'string', default: '20000-29999' },
      'webrtc-port': { type: 'string', default: '44400' },
      'plain-to-plain': { type: 'string', default: 'edge' },
      'batch-budget': { type: 'string', default: '500' },
      workers: { type: 'string', default: '1' },
      timeout: { type: 'string', default: '120' },
      calls: { type: 'string' },
      lease: { type: 'string', default: String(LEASE_MS) },
      generation: { type: 'string', default: '1' },
      'log-level': { type: 'string', default: 'info' },
    },
  });
  if (!values.socket) throw new Error('--socket PATH is missing');
  if (isIP(values.address) === 0) throw new Error(`--address ${values.address} is not an IP address`);
  const [, first = '', last = ''] = /^(\d+)-(\d+)$/.exec(values.ports) ?? [];
  const portMin = whole('--ports', first, 1_024, 65_534);
  const portMax = whole('--ports', last, portMin + 1, 65_535);
  const plainToPlain = PATHS.find((path) => path === values['plain-to-plain']);
  if (!plainToPlain) throw new Error(`--plain-to-plain is one of ${PATHS.join(', ')}`);
  if (!LOG_LEVELS.includes(values['log-level']))
    throw new Error(`--log-level is one of ${LOG_LEVELS.join(', ')}`);
  return {
    socket: values.socket,
    address: values.address,
    announcedAddress: values.announced ?? values.address,
    portMin,
    portMax,
    webrtcPort: whole('--webrtc-port', values['webrtc-port'], 1_024, 65_535),
    plainToPlain,
    batchBudgetUs: whole('--batch-budget', values['batch-budget'], 0, 2_000),
    workers: whole('--workers', values.workers, 1, 64),
    timeoutS: whole('--timeout', values.timeout, 0, 86_400),
    callsMax: whole('--calls', values.calls ?? String(portPairs(portMin, portMax)), 1, 1_000_000),
    leaseMs: whole('--lease', values.lease, 100, 10_000),
    generation: whole('--generation', values.generation, 1, 65_536),
    logLevel: values['log-level'],
  };
}

/** Pairs of an even port and the next within a range. */
export function portPairs(portMin: number, portMax: number): number {
  return Math.max(0, Math.floor((portMax + 1 - (portMin + (portMin % 2))) / 2));
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new Error(`${name} takes whole numbers from ${min} to ${max}`);
  return value;
}
