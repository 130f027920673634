/**
 * Replays a recording: the core does again what it did then, and each step's effects are compared with those that were recorded, byte
 * by byte. The same in Node (npm run replay) and in a page.
 *
 *   const recording = await Recording.open(fileBytes, key);
 *   const core = await compileForReplay(wasm);
 *   for await (const step of replay(core, recording)) if (step.difference !== null) …
 */
import type { Recording } from './file.ts';
import type { ReplayModule } from './globals.ts';
import { RecordedCore, type ReplayedStep } from './recorded-core.ts';
import { type EndName, REC_STEP, RecordingError, RecordReader } from './records.ts';

/** How far a replay is. */
export interface ReplayProgress {
  readBytes: number;
  /** Counters of the core (C_*), and what they were before the first step; null before it. */
  counters: Float64Array | null;
  countersBefore: Float64Array | null;
  /** Why the recording ended, as its last record says; null before, and when it was cut off. */
  ended: EndName | null;
}

/**
 * Does all steps of a recording, in order. What a step refers to is valid until the next one is asked for. Ends after a trap.
 * @param anyCore  replay with another core than the recorded one: what differs is what the two do differently.
 * @throws RecordingError
 */
export async function* replay(
  module: ReplayModule,
  recording: Recording,
  progress: ReplayProgress = newProgress(),
  anyCore = false,
): AsyncGenerator<ReplayedStep> {
  if (!anyCore && module.sha256 !== recording.front.core)
    throw new RecordingError(
      'core',
      `recorded by the core ${recording.front.core}, and this is ${module.sha256}`,
    );
  const core = new RecordedCore(module);
  for await (const { records, readBytes } of recording.blocks()) {
    const record = new RecordReader(records);
    while (record.next()) {
      if (record.kind === REC_STEP) progress.countersBefore ??= core.counters?.slice() ?? null;
      const step = core.take(record);
      progress.ended = core.ended;
      if (step === null) continue;
      progress.counters = core.counters;
      yield step;
      if (step.trap !== null) return;
    }
    progress.readBytes = readBytes;
  }
  const last = core.last();
  if (last !== null) yield last;
}

/** Where a replay begins. */
export function newProgress(): ReplayProgress {
  return { readBytes: 0, counters: null, countersBefore: null, ended: null };
}
