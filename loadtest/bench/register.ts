/** REGISTER: CPU per registration and memory per binding, without and with digest. */
import { treeCpuUs } from '../../switch/test/e2e/harness/processes.ts';
import { sleep } from '../../switch/test/e2e/harness/wait.ts';
import { type Peer, type PeerKind, registrarPeers } from '../peers/peer.ts';
import { treeMemory } from './memory.ts';
import { step } from './progress.ts';
import { registerAll } from './registrations.ts';
import type { RegisterPart, RegisterRow } from './results.ts';
import { runInfo } from './run-info.ts';

export interface RegisterOptions {
  /** Users who register in each run; 100,000 at most. */
  bindings: number;
}

/** First user of the range that config/bench.yaml and config/bench-digest.yaml know. */
const FIRST_USER = 1_000_000;
/** Users who register before the measurement begins, and how often: then code is compiled and heaps have their size. */
const WARM_UP_SHARE = 0.1;
const WARM_UP_ROUNDS = 4;
/**
 * Parts in which the users register; memory per binding is the median of what each part added. So it does not matter
 * when a heap is tidied up, which frees more than thousands of bindings need.
 */
const CHUNKS = 9;
/** Registrations per second: 10,000 messages a second each, with the challenges of digest. */
const RATE = { plain: 10_000, digest: 5_000 };

export async function measureRegister({ bindings }: RegisterOptions): Promise<RegisterPart> {
  const part: RegisterPart = { run: runInfo(), settings: { bindings }, rows: [] };
  for (const digest of [false, true]) {
    for (const kind of registrarPeers(digest)) part.rows.push(await measure(kind, digest, bindings));
  }
  return part;
}

function measure(kind: PeerKind, digest: boolean, bindings: number): Promise<RegisterRow> {
  const rate = digest ? RATE.digest : RATE.plain;
  return step(
    `register: ${kind.title}, ${digest ? 'digest' : 'no digest'}, ${bindings} users at ${rate}/s`,
    (bindings * (1 - WARM_UP_SHARE)) / rate,
    (tick) => run(kind, digest, rate, bindings, tick),
    (row) =>
      `${row.cpuUsPerRegistration.toFixed(1)} µs CPU per registration, ` +
      `${Math.round(row.bytesPerBinding)} bytes per binding, ${row.failed} failed`,
  );
}

async function run(
  kind: PeerKind,
  digest: boolean,
  rate: number,
  bindings: number,
  onProgress: (done: number) => void,
): Promise<RegisterRow> {
  const warmUp = Math.floor(bindings * WARM_UP_SHARE);
  const count = bindings - warmUp;
  const peer = await kind.start();
  try {
    const load = { proxy: peer.sip, registrationsPerSecond: rate };
    for (let round = 1; round <= WARM_UP_ROUNDS; round++) {
      const { completed } = await registerAll({ ...load, first: FIRST_USER, count: warmUp, round });
      if (completed === 0) throw new Error(`${kind.title} accepted none of ${warmUp} registrations`);
    }
    const chunk = Math.floor(count / CHUNKS);
    let completed = 0;
    let cpuUs = 0;
    const grownBytes: number[] = [];
    let bytesBefore = await memoryNow(peer);
    for (let i = 0; i < CHUNKS; i++) {
      const cpuBefore = treeCpuUs(peer.pid);
      const done = await registerAll({ ...load, first: FIRST_USER + warmUp + i * chunk, count: chunk });
      cpuUs += treeCpuUs(peer.pid) - cpuBefore;
      completed += done.completed;
      const bytes = await memoryNow(peer);
      grownBytes.push((bytes - bytesBefore) / Math.max(done.completed, 1));
      bytesBefore = bytes;
      onProgress(((i + 1) * chunk) / rate);
    }
    return {
      peer: kind.id,
      digest,
      registrationsPerSecond: rate,
      bindings: completed,
      failed: CHUNKS * chunk - completed,
      cpuUsPerRegistration: cpuUs / Math.max(completed, 1),
      bytesPerBinding: median(grownBytes),
    };
  } finally {
    await peer.stop();
  }
}

async function memoryNow(peer: Peer): Promise<number> {
  await sleep(200);
  return treeMemory(peer.pid).nowBytes;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
