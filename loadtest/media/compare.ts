/**
 * What relaying a packet costs, and how much longer it is on its way, next to rtpengine:
 *
 *   node loadtest/media/compare.ts [--calls 50,200] [--seconds 8] [--only edge,rtpengine] [--rounds 3]
 *
 * Each relay is started alone. Both parties of each call send 50 packets of G.711 a second (172 bytes).
 */
import { parseArgs } from 'node:util';
import type { MediaRow } from '../bench/media.ts';
import { freePorts } from '../../switch/test/e2e/harness/ports.ts';
import { latencyOf } from '../latency/samples.ts';
import type { SrtpKeys } from './browser.ts';
import { treeRunUs } from './cpu.ts';
import { Load, type Measured } from './load.ts';
import { RELAYS, type RelayKind } from './relay.ts';

export interface MediaOptions {
  /** Numbers of calls at the same time. Default 50 and 200. */
  calls?: readonly number[];
  /** Of each run that is measured, after a warm-up. Default 8. */
  seconds?: number;
  /** Runs of each relay, taking turns; the one whose CPU is in the middle is reported. Default 3. */
  rounds?: number;
  relays?: readonly RelayKind[];
  /** Told of each run when it is done. */
  onRow?: (row: MediaRow) => void;
}

/** Compilation, buffers, latching. */
const TRIES_MAX = 3;
const WARM_UP_MS = 2_000;
const DIRECT_MS = 2_000;

/** @throws when a relay does not start, or gives a party what is not for it. */
export async function measureMedia(options: MediaOptions = {}): Promise<MediaRow[]> {
  const { calls = [50, 200], rounds = 3, relays = RELAYS } = options;
  const rows: MediaRow[] = [];
  for (const count of calls) {
    const runs = relays.map((): MediaRow[] => []);
    for (let round = 0; round < rounds; round++) {
      for (const [i, kind] of relays.entries()) {
        const row = await measureWithFreePorts(kind, count, (options.seconds ?? 8) * 1_000);
        options.onRow?.(row);
        runs[i]!.push(row);
      }
    }
    rows.push(...runs.map(middle));
  }
  return rows;
}

/** The run whose CPU is in the middle. */
function middle(rows: MediaRow[]): MediaRow {
  return rows.toSorted((a, b) => a.cpuUsPerPacket - b.cpuUsPerPacket)[rows.length >> 1]!;
}

/** Another program may take a port between the look at it and its use; then once more, with others. */
async function measureWithFreePorts(kind: RelayKind, calls: number, ms: number): Promise<MediaRow> {
  for (let tries = 1; ; tries++) {
    try {
      return await measureRelay(kind, calls, ms);
    } catch (error) {
      if (tries === TRIES_MAX || !(error as Error).message.includes('EADDRINUSE')) throw error;
    }
  }
}

async function measureRelay(kind: RelayKind, calls: number, ms: number): Promise<MediaRow> {
  const first = await freePorts(2 * calls);
  const ports = Array.from({ length: 2 * calls }, (_, leg) => first + leg);
  const direct = await measureDirect(ports);
  const relay = await kind.start(calls);
  try {
    const targets: number[] = [];
    const keys: (SrtpKeys | null)[] = [];
    for (let leg = 0; leg < ports.length; leg += 2) {
      const call = await relay.call(ports[leg]!, ports[leg + 1]!);
      targets.push(...call.targets);
      keys.push(...(call.keys ?? [null, null]));
    }
    const load = await Load.open(ports);
    try {
      const probe = () => treeRunUs(relay.pid);
      return rowOf(kind, calls, direct, await load.run(targets, { warmUpMs: WARM_UP_MS, ms, keys, probe }));
    } finally {
      await load.close();
    }
  } finally {
    await relay.stop();
  }
}

/** The same packets without anything in between: what the machine and the generator add themselves. */
async function measureDirect(ports: number[]): Promise<Measured> {
  const load = await Load.open(ports);
  try {
    const swapped = ports.map((_, leg) => ports[leg ^ 1]!);
    return await load.run(swapped, { warmUpMs: 500, ms: DIRECT_MS });
  } finally {
    await load.close();
  }
}

function rowOf(kind: RelayKind, calls: number, direct: Measured, relayed: Measured): MediaRow {
  const { sent, received, strays, probed } = relayed;
  if (strays > 0) throw new Error(`${kind.title}: ${strays} packets came to a party that they were not for`);
  if (received === 0) throw new Error(`${kind.title}: no packet came`);
  const { p50, p99, p999 } = latencyOf(relayed.delaysUs, latencyOf(direct.delaysUs).p50);
  return {
    name: kind.title,
    calls,
    packets: received,
    lost: sent - received,
    cpuUsPerPacket: Math.round(((probed[1] - probed[0]) / received) * 100) / 100,
    addedUs: { p50, p99, p999 },
    ...(kind.batchWait !== undefined && { batchWait: kind.batchWait }),
  };
}

const NAME_WIDTH = 48;

function line({ name, batchWait, calls, packets, lost, cpuUsPerPacket, addedUs }: MediaRow): string {
  const { p50, p99, p999 } = addedUs;
  const cells = [calls, packets, lost, cpuUsPerPacket.toFixed(2), p50, p99, p999];
  const wait = batchWait === undefined ? '' : `, wait ${batchWait}`;
  return (name + wait).padEnd(NAME_WIDTH) + cells.map((cell) => String(cell).padStart(9)).join('');
}

function relaysNamed(ids: string): RelayKind[] {
  return ids.split(',').map((id) => {
    const kind = RELAYS.find((relay) => relay.id === id);
    if (!kind) throw new Error(`--only takes ${RELAYS.map((relay) => relay.id).join(', ')}, not '${id}'`);
    return kind;
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      calls: { type: 'string', default: '50,200' },
      seconds: { type: 'string', default: '8' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string', default: RELAYS.map(({ id }) => id).join(',') },
    },
  });
  const heads = ['calls', 'packets', 'lost', 'CPU µs', 'p50 µs', 'p99 µs', 'p99.9 µs'];
  const head = ''.padEnd(NAME_WIDTH) + heads.map((cell) => cell.padStart(9)).join('');
  console.log(head);
  const rows = await measureMedia({
    calls: values.calls.split(',').map(Number),
    seconds: Number(values.seconds),
    rounds: Number(values.rounds),
    relays: relaysNamed(values.only),
    onRow: (row) => console.log(line(row)),
  });
  console.log(['', 'reported', head, ...rows.map(line)].join('\n'));
}

if (process.argv[1] === import.meta.filename) {
  await main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
