/**
 * What the journal of bindings takes (docs/decisions/0051), with each policy of `store.sync`: a table written and read back, and
 * changes of bindings in it as fast as they can be written.
 *
 *   node loadtest/journal/main.ts [--records 100000] [--bytes 300] [--seconds 10] [--folder DIR] [--json]
 *
 * CPU is that of the whole process, all threads. `control` is what the thread spends that gives the records, which here is the
 * main thread: everything in it but waiting. The folder (default: the system's for temporary files) says which disk it is.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import * as abi from '../../wasm-core/assembly/abi.ts';
import { createLogger } from '../../switch/control/log.ts';
import { Journal } from '../../switch/journal/journal.ts';
import { joinRecords } from '../../switch/journal/records.ts';
import type { SyncPolicy } from '../../switch/journal/store.ts';

const POLICIES: readonly SyncPolicy[] = ['full', 'normal', 'off'];
/** Records of one EF_JOURNAL at most. */
const FRAME_RECORDS = 200;
/** So many changes wait all the time, for full transactions. */
const AHEAD = 2_000;

interface Row {
  sync: SyncPolicy;
  writtenS: number;
  writtenCpuS: number;
  loadedS: number;
  loadedCpuS: number;
  loadedRecords: number;
  fileMB: number;
  changesPerS: number;
  cpuUsPerChange: number;
  controlUsPerChange: number;
}

interface Took<T> {
  value: T;
  seconds: number;
  cpuS: number;
  controlS: number;
}

async function timed<T>(work: () => Promise<T>): Promise<Took<T>> {
  const cpu = process.cpuUsage();
  const loop = performance.eventLoopUtilization();
  const since = performance.now();
  const value = await work();
  const seconds = (performance.now() - since) / 1e3;
  const used = process.cpuUsage(cpu);
  const controlS = performance.eventLoopUtilization(loop).active / 1e3;
  return { value, seconds, cpuS: (used.user + used.system) / 1e6, controlS };
}

/** Records of random content, as many bytes each as a record may have (a multiple of 8). */
function payloadOf(slots: readonly number[], recordBytes: number): Uint8Array {
  return joinRecords(
    slots.map((slot) => {
      const bytes = crypto.getRandomValues(new Uint8Array((recordBytes + 7) & ~7));
      const view = new DataView(bytes.buffer);
      view.setUint8(abi.MR_TYPE, abi.MRT_BINDING);
      view.setUint8(abi.MR_VERSION, abi.MR_BODY_VERSION);
      view.setUint16(abi.MR_FLAGS, 0, true);
      view.setUint32(abi.MR_LENGTH, bytes.length, true);
      view.setUint32(abi.MR_SLOT, slot, true);
      view.setUint32(abi.MR_GENERATION, 1, true);
      return bytes;
    }),
  );
}

const random = (n: number): number => Math.floor(Math.random() * n);

/** The whole table once. */
async function fill(journal: Journal, payloads: readonly Uint8Array[]): Promise<void> {
  for (const payload of payloads) {
    journal.append(payload);
    await new Promise(setImmediate);
  }
  await journal.flush();
}

async function change(journal: Journal, payloads: readonly Uint8Array[], seconds: number): Promise<number> {
  const before = journal.read().recordsWritten;
  const untilMs = performance.now() + seconds * 1e3;
  while (performance.now() < untilMs) {
    while (journal.read().waiting < AHEAD) journal.append(payloads[random(payloads.length)]!);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await journal.flush();
  return journal.read().recordsWritten - before;
}

async function measure(sync: SyncPolicy, records: number, bytes: number, seconds: number): Promise<Row> {
  const folder = mkdtempSync(join(values.folder, 'strowger-journal-'));
  const file = join(folder, 'bindings.db');
  const log = createLogger({ level: 'error', pretty: true }, 'journal');
  const open = (): Journal => Journal.open({ file, sync, types: [abi.MRT_BINDING] }, log);
  try {
    const frames = Math.ceil(records / FRAME_RECORDS);
    const inOrder = Array.from({ length: frames }, (_, frame) =>
      payloadOf(
        Array.from(
          { length: Math.min(FRAME_RECORDS, records - frame * FRAME_RECORDS) },
          (_, i) => frame * FRAME_RECORDS + i,
        ),
        bytes,
      ),
    );
    const anywhere = inOrder.map(() =>
      payloadOf(
        Array.from({ length: FRAME_RECORDS }, () => random(records)),
        bytes,
      ),
    );
    let journal = open();
    const written = await timed(() => fill(journal, inOrder));
    await journal.close();
    const fileMB = statSync(file).size / 1e6;
    const loaded = await timed(async () => {
      journal = open();
      for await (const _ of journal.load());
      return journal.read().recordsLoaded;
    });
    const changed = await timed(() => change(journal, anywhere, seconds));
    await journal.close();
    return {
      sync,
      writtenS: written.seconds,
      writtenCpuS: written.cpuS,
      loadedS: loaded.seconds,
      loadedCpuS: loaded.cpuS,
      loadedRecords: loaded.value,
      fileMB,
      changesPerS: changed.value / changed.seconds,
      cpuUsPerChange: (changed.cpuS * 1e6) / changed.value,
      controlUsPerChange: (changed.controlS * 1e6) / changed.value,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '100000' },
    bytes: { type: 'string', default: '300' },
    seconds: { type: 'string', default: '10' },
    folder: { type: 'string', default: tmpdir() },
    json: { type: 'boolean', default: false },
  },
});
const rows: Row[] = [];
for (const sync of POLICIES)
  rows.push(await measure(sync, Number(values.records), Number(values.bytes), Number(values.seconds)));
if (values.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
else console.table(rows.map((row) => ({ ...row, ...rounded(row) })));

function rounded(row: Row): Record<string, number> {
  const numbers = Object.entries(row).filter(([, value]) => typeof value === 'number');
  return Object.fromEntries(numbers.map(([key, value]) => [key, Math.round(value * 100) / 100]));
}
