/** What is left of a core that has trapped: a recording that ends with the trap, in a folder of its own. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { joined, sha256Hex } from '../../wasm-core/sim/recording/globals.ts';
import { REASON_OFFSET, RecordingWriter } from '../../wasm-core/sim/recording/file.ts';
import { END_NAMES } from '../../wasm-core/sim/recording/records.ts';
import type { TrapReport } from '../realtime/realtime.ts';
import { listRecordings, recordingKey, recordingName } from './folder.ts';

export interface CrashOptions {
  folder: string;
  /** Of the key that they are encrypted with; made when there is none. */
  keyFile: string;
  /** Files in the folder at most; nothing is removed to make room. */
  filesMax: number;
  node: string;
  /** The core that ran. */
  wasm: Uint8Array<ArrayBuffer>;
}

/**
 * Writes it.
 * @returns the path of the file.
 * @throws Error when that is impossible; the message says why.
 */
export async function writeCrash(options: CrashOptions, report: TrapReport): Promise<string> {
  const { folder, keyFile, filesMax, node, wasm } = options;
  if (report.recording === null) throw new Error('what the core knew is too much to be written');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const kept = await listRecordings(folder);
  if (kept.length >= filesMax)
    throw new Error(`${folder} has ${kept.length} files; look at them and remove some`);
  const now = new Date(report.nowUs / 1000);
  const from = { node, startedAt: now.toISOString(), core: await sha256Hex(wasm) };
  const writer = await RecordingWriter.create(from, await recordingKey(keyFile));
  const block = await writer.block(joined(report.recording));
  const bytes = joined([writer.front, block, await writer.end('trap', report.nowUs)]);
  bytes[REASON_OFFSET] = END_NAMES.indexOf('trap');
  const file = join(folder, recordingName(node, now));
  await writeFile(file, bytes, { flag: 'wx', mode: 0o600 });
  return file;
}
