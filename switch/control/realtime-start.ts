/** Starts the realtime thread with what the configuration says. */
import { hasStandby } from './config/standby.ts';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Realtime } from '../realtime/realtime.ts';
import { coreTrapped } from './core-trapped.ts';
import type { LoadedConfig } from './config/load.ts';
import { coreSettings } from './core-settings.ts';
import type { EndName } from '../../wasm-core/sim/recording/records.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { Logger } from './log.ts';
import { makeBank } from './bank-maker.ts';

const WASM = resolve(import.meta.dirname, '../../build/core.wasm');

/** A node that cannot start; its message says what to do. */
export class StartError extends Error {
  override name = 'StartError';
}

/** The compiled core. @throws StartError when it isn't built. */
export async function readCore(): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(WASM));
  } catch (error) {
    throw new StartError(
      `${WASM} cannot be read (${(error as NodeJS.ErrnoException).code}). Run: npm run build`,
    );
  }
}

/**
 * @param secret key of cookies and nonces, 32 hex digits.
 * @param recorder null when nothing is recorded.
 * @param failed called when the thread has died: the node must end, to be started again.
 * @throws StartError when the core isn't built, a socket can't be bound or the core doesn't start.
 */
export async function startRealtime(
  loaded: LoadedConfig,
  secret: string,
  log: Logger,
  recorder: Recorder | null,
  failed: (reason: EndName) => void,
): Promise<Realtime> {
  const { config, endpoints } = loaded;
  const [wasm, bank] = await Promise.all([readCore(), makeBank(config)]);
  try {
    return await Realtime.start({
      wasm,
      init: coreSettings(loaded, secret, bank),
      udp: endpoints.udp.map(({ address, port }, listener) => ({ address, port, listener })),
      bank,
      ringBytes: config.limits.ringBytes,
      budgets: { coreUs: config.budgets.coreUs, queueUs: config.budgets.queueUs },
      batchWait: config.realtime.batchWait === 'auto',
      scheduling: config.realtime.scheduling,
      kernelStamps: config.realtime.kernelStamps,
      pair: hasStandby(config),
      ...(recorder && { recording: recorder }),
      onTrap: (report) => void coreTrapped(report, loaded, wasm, recorder, log),
      onFailure: (error) => {
        log.fatal({ err: error }, 'the realtime thread failed: the node ends');
        failed(error.name === 'RuntimeError' ? 'trap' : 'failure');
      },
    });
  } catch (error) {
    throw new StartError(`the realtime thread does not start: ${(error as Error).message}`);
  }
}
