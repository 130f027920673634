/** What the control thread does when the core has trapped and was replaced. */
import type { TrapReport } from '../realtime/realtime.ts';
import { writeCrash } from '../recording/crash.ts';
import { keyFileOf } from '../recording/folder.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { LoadedConfig } from './config/load.ts';
import type { Logger } from './log.ts';

/** Sets aside what is left of it, and says so; what was recorded ends there. */
export async function coreTrapped(
  report: TrapReport,
  { config }: LoadedConfig,
  wasm: Uint8Array<ArrayBuffer>,
  recorder: Recorder | null,
  log: Logger,
): Promise<void> {
  const { message, stack, records, tookUs, event } = report;
  const details = { reason: message, stack, records, tookMs: Math.round(tookUs / 100) / 10 };
  try {
    const { crashFolder: folder, files: filesMax } = config.recording;
    const options = { folder, keyFile: keyFileOf(config.recording), filesMax, node: config.name, wasm };
    const file = await writeCrash(options, report);
    log.error(
      { ...details, file },
      event === null
        ? 'the core trapped at a timer; another one has its records. Replay: npm run replay -- FILE'
        : 'the core trapped at a message, which is not handled again; another core has its records. Replay: npm run replay -- FILE',
    );
  } catch (error) {
    log.error(
      { ...details, err: error },
      'the core trapped; another one has its records. What is left of it could not be written',
    );
  }
  await recorder?.end('trap');
}
