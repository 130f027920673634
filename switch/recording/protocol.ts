/** What the control thread and the recorder say to each other. */
import type { EndName } from '../../wasm-core/sim/recording/records.ts';
import type { RecordingMemory } from '../realtime/step-recorder.ts';
import type { MessagePort } from 'node:worker_threads';

/** What the recorder is started with. */
export interface RecorderData {
  memory: RecordingMemory;
  /** Banks, in the order in which they are staged. */
  banks: MessagePort;
  /** See {@link RecorderStats}. */
  stats: SharedArrayBuffer;
  /** The core. */
  wasm: Uint8Array<ArrayBuffer>;
  mode: 'memory' | 'file';
  bytesMax: number;
  folder: string;
  filesMax: number;
  node: string;
  key: Uint8Array<ArrayBuffer>;
}

/** Finish a file now. */
export interface FinishRequest {
  id: number;
  reason: EndName;
  /** Nothing comes any more: the node ends. */
  last: boolean;
}

export type FromRecorder =
  | { type: 'ready' }
  /** Answer to a request. */
  | { type: 'finished'; id: number; file: { name: string; bytes: number } | null }
  | { type: 'refused'; id: number; message: string }
  /** It is over before the node ends. */
  | { type: 'ended'; reason: EndName; message: string; file: string | null };

/** Numbers that the recorder publishes: f64 in shared memory. */
export const STAT_STEPS = 0;
export const STAT_BYTES = 1;
export const STAT_KEPT_BYTES = 2;
export const STAT_DIFFERENCES = 3;
export const STAT_FILES = 4;
const STAT_COUNT = 5;

/** Memory for them. */
export function recorderStats(): Float64Array<SharedArrayBuffer> {
  return new Float64Array(new SharedArrayBuffer(STAT_COUNT * 8));
}
