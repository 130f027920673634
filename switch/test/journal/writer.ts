/** A process that writes to a journal without end, and says of each slot that it is written: `writer.ts FILE SYNC`. */
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { createLogger } from '../../control/log.ts';
import { Journal } from '../../journal/journal.ts';
import type { SyncPolicy } from '../../journal/store.ts';
import { recordOf } from './payloads.ts';

const [file, sync] = process.argv.slice(2) as [string, SyncPolicy];
const journal = Journal.open(
  { file, sync, types: [abi.MRT_BINDING] },
  createLogger({ level: 'error', pretty: true }, 'writer'),
);
for (let slot = 0; ; slot++) {
  journal.append(recordOf(slot, 1, `phone ${slot}`));
  if (slot % 7 !== 6) continue;
  await journal.flush();
  process.stdout.write(`${slot}\n`);
}
