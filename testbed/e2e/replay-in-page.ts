/** The page of recording-in-a-page: replays what its server has. */
import { Recording } from '../../wasm-core/sim/recording/file.ts';
import { compileForReplay } from '../../wasm-core/sim/recording/globals.ts';
import { newProgress, replay } from '../../wasm-core/sim/recording/replay.ts';

/** What a replay came to. */
export interface PageReplay {
  steps: number;
  difference: { step: number; offset: number } | null;
  ended: string | null;
  /** C_* of the core at the end. */
  counters: number[];
}

async function bytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await fetch(path)).arrayBuffer());
}

async function replayHere(key: number[]): Promise<PageReplay> {
  const recording = await Recording.open(await bytes('/recording'), new Uint8Array(key));
  const core = await compileForReplay(await bytes('/core.wasm'));
  const progress = newProgress();
  const result: PageReplay = { steps: 0, difference: null, ended: null, counters: [] };
  for await (const step of replay(core, recording, progress)) {
    result.steps++;
    if (step.difference === null) continue;
    result.difference = { step: step.index, offset: step.difference.offset };
    break;
  }
  return { ...result, ended: progress.ended, counters: Array.from(progress.counters ?? []) };
}

declare global {
  var replayInPage: typeof replayHere;
}
globalThis.replayInPage = replayHere;
