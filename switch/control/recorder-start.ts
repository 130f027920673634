/** Starts recording as the configuration says. */
import { keyFileOf, recordingKey } from '../recording/folder.ts';
import { Recorder } from '../recording/recorder.ts';
import type { LoadedConfig } from './config/load.ts';
import type { Logger } from './log.ts';
import { readCore, StartError } from './realtime-start.ts';

/** @returns null when nothing is to be recorded. @throws StartError when the key can't be had or the thread doesn't start. */
export async function startRecorder({ config }: LoadedConfig, log: Logger): Promise<Recorder | null> {
  const { mode, folder, bytesMax, files } = config.recording;
  if (mode === 'off') return null;
  const wasm = await readCore();
  const keyFile = keyFileOf(config.recording);
  try {
    const key = await recordingKey(keyFile);
    const options = { wasm, mode, folder, bytesMax, filesMax: files, node: config.name, key };
    const recorder = await Recorder.start(options, log);
    log.info({ mode, folder, keyFile }, 'recording');
    return recorder;
  } catch (error) {
    throw new StartError(`recording does not start: ${(error as Error).message}`);
  }
}
